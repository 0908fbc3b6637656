import Runs
import Testing

/// An iterate of a method whose objective is the network's own.
private func iterate(
  _ iteration: Int, objective: Double?, train: Double? = nil, validation: Double? = nil
) -> IterationRecord {
  var record = IterationRecord(iteration: iteration)
  (record.objective, record.train_accuracy, record.validation_accuracy) = (objective, train, validation)
  return record
}

/// Which iterate's weights a run saves.
@Suite struct PreferenceTests {
  /// A few hundred samples are soon decided rightly by many iterates.
  @Test func withoutValidationTheObjectiveDecides() {
    let early = iterate(18, objective: 30, train: 0.9789)
    #expect(iterate(30, objective: 20, train: 0.9789).isPreferred(to: early))
    #expect(iterate(30, objective: 20, train: 0.9765).isPreferred(to: early))
    #expect(iterate(30, objective: 30, train: 0.9).isPreferred(to: early))
    #expect(!iterate(30, objective: 31, train: 0.99).isPreferred(to: early))
    var regression = (iterate(1, objective: 5), iterate(2, objective: 4))
    (regression.0.train_rmse, regression.1.train_rmse) = (1, 1.1)
    #expect(regression.1.isPreferred(to: regression.0))
  }

  @Test func validationDecidesAndTheObjectiveBreaksItsTies() {
    let early = iterate(3, objective: 30, train: 0.9, validation: 0.8)
    #expect(iterate(4, objective: 31, train: 0.8, validation: 0.81).isPreferred(to: early))
    #expect(!iterate(4, objective: 20, train: 1, validation: 0.79).isPreferred(to: early))
    #expect(iterate(4, objective: 29, train: 0.8, validation: 0.8).isPreferred(to: early))
    #expect(!iterate(4, objective: 31, train: 1, validation: 0.8).isPreferred(to: early))
    var (first, second) = (iterate(1, objective: 5), iterate(2, objective: 6))
    (first.validation_rmse, second.validation_rmse) = (1, 0.9)
    #expect(second.isPreferred(to: first) && !first.isPreferred(to: second))
  }

  /// The objective of `taylor` is that of its split variables.
  @Test func withSplitVariablesTheTrainingAccuracyDecides() {
    func split(_ iteration: Int, _ objective: Double, _ train: Double) -> IterationRecord {
      var record = iterate(iteration, objective: objective, train: train)
      record.residual_output = 0.1
      return record
    }
    #expect(!split(9, 1, 0.64).isPreferred(to: split(7, 2, 0.641)))
    #expect(split(9, 3, 0.642).isPreferred(to: split(7, 2, 0.641)))
    #expect(!split(9, 1, 0.641).isPreferred(to: split(7, 2, 0.641)))
  }

  @Test func aNumberIsPreferredToNone() {
    #expect(iterate(2, objective: 1).isPreferred(to: iterate(1, objective: .nan)))
    #expect(!iterate(2, objective: .nan).isPreferred(to: iterate(1, objective: 1)))
    #expect(iterate(2, objective: nil).isPreferred(to: iterate(1, objective: nil)))
  }
}
