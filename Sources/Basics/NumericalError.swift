/// What went wrong with the numbers, met by every rank alike: it comes from values that have the same bits on all of
/// them.
///
/// It says what and where, in the letters of the formulae. What to do about it depends on settings, so whoever knows
/// them says that.
public enum NumericalError: Error, Equatable, CustomStringConvertible {
  /// A sum over all samples, or what follows from such sums, has left the range of single precision, or holds a NaN.
  case notFinite(sum: String)
  /// A system of equations can't be solved or factored.
  case unsolvable(system: String, reason: String)
  /// Step `step` of a method has left the range of single precision.
  case diverged(step: Int)
  /// The objective rises however short the step is.
  case rising
  /// The objective rose far above its lowest value.
  case risen(from: Double, to: Double)

  public var description: String {
    switch self {
    case .notFinite(let what): "\(what) is not finite: the iterates have left the range of single precision"
    case .unsolvable(let system, let reason): "the system for \(system) can't be solved: \(reason)"
    case .diverged(let step): "step \(step) has left the range of single precision"
    case .rising: "the objective rises however short the step is"
    case .risen(let from, let to): "the objective rose from \(Float(from)) to \(Float(to))"
    }
  }
}

extension Failure {
  /// A numerical error in words for the user, with what to do about it.
  ///
  /// - Parameter advice: one or more sentences.
  public init(_ error: NumericalError, advice: String) {
    self.init(.numericalFailure, "\(error). \(advice)", isShared: true)
  }
}

/// Does `body`, and tells the user what to do about a numerical error in it.
///
/// - Throws: a shared `Failure` of status `numericalFailure` in its place.
public func advising<Result: ~Copyable>(_ advice: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as NumericalError { throw Failure(error, advice: advice) }
}
