import Basics
import Configuration

extension Configuration {
  /// What to do where numbers go wrong before a method has begun: it is the data.
  static let dataAdvice = "Look for huge values in the data (admm-mpi describe)."

  /// What to do about a numerical error of the method that trains.
  func advice(_ error: NumericalError) -> String {
    switch training.method {
    case .taylor: "Raise taylor.ridge, change taylor.beta or taylor.gamma. " + Self.dataAdvice
    case .accelerated: "Raise accelerated.ridge. " + Self.dataAdvice
    case .sgd: "Lower sgd.rate. " + Self.dataAdvice
    case .adam: "Lower adam.rate. " + Self.dataAdvice
    case .cg, .lbfgs: Self.dataAdvice
    }
  }
}
