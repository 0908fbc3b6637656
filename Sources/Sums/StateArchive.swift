import LinearAlgebra

/// Where the state of a training method goes to, or comes from. A method lists once what its next sweep depends on:
/// the same list writes a checkpoint and reads it.
///
///     try state("w", &w)                              written, or replaced by what was written
///     try state.within("sums") { try sums.archive(state) }
///
/// All calls are collective, in the same order on every rank, and of values that are the same there; but for
/// `bySample`. Each throws where what was written does not fit.
public protocol StateArchive: AnyObject {
  /// Whether values are replaced by those that were written.
  var isReading: Bool { get }
  /// What all names begin with at the moment.
  var prefix: String { get set }
  /// Some whole numbers.
  ///
  /// - Parameter count: how many there must be; any number for nil.
  func list(_ name: String, _ x: inout [Int], count: Int?) throws
  /// Some numbers.
  func list(_ name: String, _ x: inout [Double], count: Int?) throws
  /// Some numbers in single precision.
  func list(_ name: String, _ x: inout [Float], count: Int?) throws
  /// A text.
  func callAsFunction(_ name: String, _ x: inout String) throws
  /// A matrix of the samples' size: the columns of this rank's samples. On another number of ranks each finds its own.
  func bySample(_ name: String, _ x: MutableTile<Float>) throws
}

extension StateArchive {
  /// Makes `name` the first part of all names that `body` uses.
  public func within(_ name: String, _ body: () throws -> Void) throws {
    let outer = prefix
    prefix += name + "."
    defer { prefix = outer }
    try body()
  }

  /// One whole number.
  public func callAsFunction(_ name: String, _ x: inout Int) throws {
    var one = [x]
    try list(name, &one, count: 1)
    x = one[0]
  }

  /// One number.
  public func callAsFunction(_ name: String, _ x: inout Double) throws {
    var one = [x]
    try list(name, &one, count: 1)
    x = one[0]
  }

  /// A whole number, or none.
  public func callAsFunction(_ name: String, _ x: inout Int?) throws {
    var some = x.map { [$0] } ?? []
    try list(name, &some, count: nil)
    x = some.first
  }

  /// A number, or none.
  public func callAsFunction(_ name: String, _ x: inout Double?) throws {
    var some = x.map { [$0] } ?? []
    try list(name, &some, count: nil)
    x = some.first
  }

  /// True or false.
  public func callAsFunction(_ name: String, _ x: inout Bool) throws {
    var number = x ? 1 : 0
    try callAsFunction(name, &number)
    x = number != 0
  }

  /// Some numbers, whose count may have changed.
  public func callAsFunction(_ name: String, _ x: inout [Double]) throws { try list(name, &x, count: nil) }

  /// Some texts of one line each.
  public func callAsFunction(_ name: String, _ x: inout [String]) throws {
    var text = x.joined(separator: "\n")
    try callAsFunction(name, &text)
    x = text.isEmpty ? [] : text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// A matrix of this shape.
  public func callAsFunction(_ name: String, _ x: inout Matrix<Float>) throws {
    var entries = Array(x.elements)
    try list(name, &entries, count: x.count)
    x.mutableBase.update(from: entries, count: x.count)
  }

  /// A matrix of this shape.
  public func callAsFunction(_ name: String, _ x: inout Matrix<Double>) throws {
    var entries = Array(x.elements)
    try list(name, &entries, count: x.count)
    x.mutableBase.update(from: entries, count: x.count)
  }

  /// One matrix a layer, of these shapes.
  public func callAsFunction(_ name: String, _ x: inout Layers<Matrix<Float>>) throws {
    for l in x.indices { try callAsFunction("\(name)\(l)", &x[l]) }
  }
}
