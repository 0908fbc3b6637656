import Basics
import MPI

/// A column of a file that loses much in single precision.
public struct MergedColumn: Sendable, Equatable {
  /// Its place in the file: "column 3 (time)".
  public let place: String
  /// How many different values were looked at.
  public let different: Int
  /// How many of them are still different in single precision.
  public let kept: Int
}

/// Some values of each column of a table, as the file has them and as single precision has them: they tell which
/// columns lose much in it. Local, but for `columns`.
struct MergedValues {
  /// A column may lose this share of its different values.
  private static let tolerance = 0.01
  /// About how many values are looked at, of all columns and of one.
  private static let most = (all: 1 << 16, ofOne: 1 << 10)
  /// In place of a value that is missing.
  private static let missing = Value(stored: Float.nan.bitPattern, exact: 0)

  /// A value: the bits that it is stored as, and a fingerprint of what the file says.
  private struct Value: Hashable {
    let stored: UInt32
    let exact: UInt64
  }

  /// How many columns a row has.
  private let width: Int
  private var rows: [[Value]] = []

  init(width: Int) { self.width = width }

  /// How many rows should be looked at; none of a table that is very wide.
  var rowsWanted: Int {
    width > Self.most.all ? 0 : max(min(Self.most.ofOne, Self.most.all / max(width, 1)), 4)
  }

  /// How many rows have been looked at.
  var count: Int { rows.count }

  /// Looks at a row.
  ///
  /// - Parameter value: what is stored for column j, and a fingerprint of the value in the file; `nil` where it is
  ///   missing.
  mutating func add(_ value: (Int) -> (stored: Float, exact: UInt64)?) {
    rows.append(
      (0..<width).map { j in
        value(j).map { Value(stored: $0.stored.bitPattern, exact: $0.exact) } ?? Self.missing
      })
  }

  /// Drops every second row.
  mutating func thin() { rows = rows.indices.filter { $0 % 2 == 0 }.map { rows[$0] } }

  /// The columns that lose much. Collective; the same on every rank.
  ///
  /// - Parameter place: what column j is called; `nil` for one that does not matter.
  func columns(over ranks: borrowing Communicator, _ place: (Int) -> String?) throws -> [MergedColumn] {
    let stored = try ranks.gather(rows.joined().map { Int($0.stored) }).flatMap { $0 }
    let exact = try ranks.gather(rows.joined().map { Int(bitPattern: UInt($0.exact)) }).flatMap { $0 }
    return (0..<width).compactMap { j in
      guard let place = place(j) else { return nil }
      var values: Set<Value> = []
      for k in Swift.stride(from: j, to: stored.count, by: width) {
        let value = Value(
          stored: UInt32(truncatingIfNeeded: stored[k]), exact: UInt64(bitPattern: Int64(exact[k])))
        if value != Self.missing { values.insert(value) }
      }
      let kept = Set(values.map(\.stored)).count
      let isMuch = kept < values.count && Double(values.count - kept) >= Self.tolerance * Double(values.count)
      return isMuch ? MergedColumn(place: place, different: values.count, kept: kept) : nil
    }
  }
}

extension Dataset {
  /// A warning of the columns that lose much in single precision.
  ///
  /// - Parameter path: the file of the data set.
  public func mergedWarning(_ path: String) -> String? {
    guard !merged.isEmpty else { return nil }
    let list = merged.prefix(5).map {
      "\($0.place) (\(grouped($0.different)) different values become \(grouped($0.kept)))"
    }
    return "\(path): single precision can't tell apart the values of \(list.joined(separator: ", "))"
      + "\(merged.count > 5 ? " and \(merged.count - 5) more" : ""). Subtract a constant or rescale in the file."
  }
}
