import Basics
import Datasets
import LinearAlgebra
import MPI

/// A number that tells whether the data of a run are those of another: of every feature as training has it, and of
/// every label, on any number of ranks.
package struct DataFingerprint: Equatable {
  /// Of the training, the validation and the test set; 0 for one without samples.
  var sets: [Int]

  /// That of a run's data. Collective; one pass over them.
  package init(_ data: borrowing TrainingData, over ranks: borrowing Communicator) throws {
    sets = DataPart.allCases.map { part in data.set(part).map { $0.fingerprint } ?? 0 }
    // Wraps around: any order of additions gives the same.
    try ranks.sum(&sets)
  }

  package init(sets: [Int]) { self.sets = sets }
}

extension ScoredSet {
  /// The sum over this rank's samples of a hash of number, features and label.
  fileprivate var fingerprint: Int {
    var sum: UInt64 = 0
    for j in 0..<a0.columns {
      let column = a0.column(j)
      var hash = FNV()
      hash.add(UInt64(range.lowerBound + j))
      for i in 0..<a0.rows { hash.add(UInt64(column[i].bitPattern)) }
      switch labels {
      case .none: break
      case .classes(let codes, _): hash.add(UInt64(truncatingIfNeeded: codes[j]))
      case .targets(let targets): hash.add(UInt64(targets[j].bitPattern))
      }
      // So that what two samples have in common does not cancel.
      sum &+= splitMix(hash.value)
    }
    return Int(truncatingIfNeeded: sum)
  }
}
