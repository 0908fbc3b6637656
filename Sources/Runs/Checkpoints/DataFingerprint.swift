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
      var hash = mixed(UInt64(range.lowerBound + j) &+ 1)
      for i in 0..<a0.rows { hash = (hash ^ UInt64(column[i].bitPattern)) &* 0x9E37_79B9_7F4A_7C15 }
      switch labels {
      case .none: break
      case .classes(let codes, _): hash ^= UInt64(truncatingIfNeeded: codes[j]) &+ 1
      case .targets(let targets): hash ^= UInt64(targets[j].bitPattern)
      }
      sum &+= mixed(hash)
    }
    return Int(truncatingIfNeeded: sum)
  }
}

/// Spreads every bit over all: the finaliser of SplitMix64 (Steele, Lea & Flood, 2014).
private func mixed(_ x: UInt64) -> UInt64 {
  var x = x &+ 0x9E37_79B9_7F4A_7C15
  x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
  x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
  return x ^ (x >> 31)
}
