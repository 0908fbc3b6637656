import Basics
import MPI

/// What the program reads of what others wrote: an entry point each, for libFuzzer and for the tests that replay
/// what it found.
///
/// An input is one file. Whatever its bytes are, reading it gives a value or a `Failure` that all ranks share; the
/// targets look for what is neither, and for values that can't be right.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A text of samples.
  case csv
  /// A gzip file, as a text of samples and as an IDX file.
  case gzip
  /// An IDX file, of samples and of labels.
  case idx
  /// An HDF5 file of samples.
  case hdf5
  /// model.h5.
  case model
  /// A configuration, and lines of `--set`.
  case toml
  /// A decimal number.
  case decimal

  /// In how many ways an input is read.
  package var variants: Int {
    switch self {
    case .csv, .gzip, .idx, .hdf5: readings.count
    case .toml: 2
    case .model, .decimal: 1
    }
  }

  /// Reads an input. Collective: every rank has the same bytes.
  ///
  /// - Throws: a `Finding`, or an error of another type that the program would not expect.
  package func read(
    _ bytes: [UInt8], variant: Int, in scratch: Scratch, over ranks: borrowing Communicator
  ) throws -> FuzzOutcome {
    do {
      switch self {
      case .csv, .gzip, .idx, .hdf5: try readings[variant].read(bytes, in: scratch, over: ranks)
      case .model: try readModel(bytes, in: scratch, over: ranks)
      case .toml: try variant == 0 ? readFile(bytes, in: scratch, over: ranks) : readOptions(bytes)
      case .decimal: try readDecimal(bytes)
      }
      return .value
    } catch let failure as Failure {
      return try .refused(checked(failure))
    }
  }

  /// A refusal must be of one of these kinds.
  private var statuses: Set<ExitStatus> {
    switch self {
    case .csv, .gzip, .idx, .hdf5: [.badData, .badConfiguration]
    case .model, .decimal: [.badData]
    case .toml: [.badConfiguration]
    }
  }

  private func checked(_ failure: Failure) throws -> ExitStatus {
    guard failure.isShared else { throw Finding("one rank fails alone: \(failure.message)") }
    guard statuses.contains(failure.status) else {
      throw Finding("status \(failure.status.rawValue): \(failure.message)")
    }
    guard !failure.message.isEmpty else { throw Finding("a failure without a word") }
    return failure.status
  }
}

/// What came of an input.
package enum FuzzOutcome: Sendable, Equatable {
  case value
  case refused(ExitStatus)
}

/// What must not come of any input.
package struct Finding: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
