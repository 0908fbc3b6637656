import Settings

/// A penalty, the same for every layer or one for each.
public enum PerLayer: Sendable, Equatable {
  case every(Float)
  case each([Float])

  /// The penalties of `count` layers, from the first; a configuration that was read has as many.
  ///
  /// Two values for another number of weight layers are the hidden layers' and the last's.
  public func values(_ count: Int) -> [Float] {
    switch self {
    case .every(let value): return [Float](repeating: value, count: count)
    case .each(let values) where values.count == 2 && count >= 1:
      return [Float](repeating: values[0], count: count - 1) + [values[1]]
    case .each(let values):
      precondition(values.count == count, "\(values.count) penalties for \(count) layers")
      return values
    }
  }

  /// The penalty of one layer, numbered from 0, of as many as there are values.
  subscript(_ index: Int) -> Float {
    switch self {
    case .every(let value): value
    case .each(let values): values[index]
    }
  }

  /// Positive numbers; `layer` says what each value of a list is for.
  static func kind(_ layer: String) -> ValueKind<PerLayer> {
    let one = ValueKind<Float>.positive
    let list = ValueKind<[Float]>.list("", of: one)
    return ValueKind<PerLayer>(expected: "a positive number, or a list of them, one for each \(layer)") {
      one.read($0).map { .every($0) } ?? list.read($0).map { .each($0) }
    } write: {
      switch $0 {
      case .every(let value): one.write(value)
      case .each(let values): list.write(values)
      }
    }
  }
}
