import Settings

extension ValueKind where Value == String {
  static var className: ValueKind {
    ValueKind(expected: "the name of a class") {
      switch $0 {
      case .text(let text) where !text.isEmpty: text
      case .whole(let whole): "\(whole)"
      default: nil
      }
    } write: {
      .text($0)
    }
  }
}
