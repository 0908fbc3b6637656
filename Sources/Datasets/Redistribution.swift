import LinearAlgebra
import MPI
import Sums

/// Consecutive samples as one rank has read them, before they go to their owners.
struct Parcel {
  /// What comes with the features.
  enum LabelKind {
    case classes([String])
    case targets
    case none
  }

  /// About how many numbers a parcel holds at most: 1 Mi, 4 MiB.
  static let limit = 1 << 20

  /// The place of the parcel in the file: all ranks' parcels are in the order of this number.
  let order: Int
  /// How many samples.
  var count = 0
  /// count × d numbers, a sample after the other.
  var features: [Float] = []
  /// The classes of the samples; empty where there are none.
  var codes: [Int32] = []
  /// The targets of the samples; empty where there are none.
  var targets: [Float] = []

  init(order: Int) { self.order = order }

  /// The order of parcels where each rank reads one consecutive part of the file.
  static func order(rank: Int, index: Int) -> Int { rank << 32 | index }
}

/// Sends all samples to their owners by `Partition` and makes the data set of them. Collective.
///
/// In rounds, a parcel a rank each time, and each parcel is released as it goes: the peak is the parcels, the data set, and a round.
///
/// - Parameters:
///   - parcels: the samples that this rank has read, in ascending order; empty on return.
///   - chunk: samples a chunk of the partition; `nil` chooses by their number.
func distribute(
  _ parcels: inout [Parcel], featureNames: [String], labels kind: Parcel.LabelKind, chunk: Int?,
  over ranks: borrowing Communicator
) throws -> Dataset {
  let spans = try globalSpans(of: parcels, over: ranks)
  let samples = spans.joined().map(\.upperBound).max() ?? 0
  let partition = Partition(samples: samples, ranks: ranks.size, chunk: chunk)
  let ranges = (0..<ranks.size).map { partition.range(of: $0) }
  let range = ranges[ranks.rank]
  let d = featureNames.count
  var features = Matrix<Float>(rows: d + 1, columns: range.count)
  var codes: [Int32] = []
  var targets: [Float] = []
  switch kind {
  case .classes: codes = [Int32](repeating: 0, count: range.count)
  case .targets: targets = [Float](repeating: 0, count: range.count)
  case .none: break
  }

  let rounds = spans.map(\.count).max() ?? 0
  for round in 0..<rounds {
    var parcel = Parcel(order: 0)
    var shares = [Int](repeating: 0, count: ranks.size)
    if round < parcels.count {
      swap(&parcel, &parcels[round])
      let span = spans[ranks.rank][round]
      for r in ranges.indices { shares[r] = span.clamped(to: ranges[r]).count }
    }
    // What arrives: from each rank its parcel of this round, as far as it is ours.
    let arriving = spans.map { $0.count > round ? $0[round].clamped(to: range) : 0..<0 }
    var next = 0
    let received = try parcel.features.withUnsafeBufferPointer {
      try ranks.exchange($0, sendCounts: shares.map { $0 * d }).elements
    }
    received.withUnsafeBufferPointer { source in
      for i in arriving.joined() {
        let column = features.mutableBase + (i - range.lowerBound) * (d + 1)
        for j in 0..<d { column[j] = source[next + j] }
        column[d] = 1
        next += d
      }
    }
    switch kind {
    case .classes: try move(parcel.codes, shares, arriving, to: &codes, of: range, over: ranks)
    case .targets: try move(parcel.targets, shares, arriving, to: &targets, of: range, over: ranks)
    case .none: break
    }
  }
  parcels = []

  let labels: Labels =
    switch kind {
    case .classes(let names): .classes(codes: codes, names: names)
    case .targets: .targets(targets)
    case .none: .none
    }
  return Dataset(
    partition: partition, range: range, features: features, labels: labels, featureNames: featureNames)
}

/// Which global samples each parcel of each rank holds. Collective.
private func globalSpans(of parcels: [Parcel], over ranks: borrowing Communicator) throws -> [[Range<Int>]] {
  let gathered = try ranks.gather(parcels.flatMap { [$0.order, $0.count] })
  var places: [(order: Int, rank: Int, index: Int, count: Int)] = []
  for (rank, pairs) in gathered.enumerated() {
    for index in 0..<pairs.count / 2 {
      places.append((pairs[2 * index], rank, index, pairs[2 * index + 1]))
    }
  }
  places.sort { $0.order < $1.order }
  var spans = gathered.map { [Range<Int>](repeating: 0..<0, count: $0.count / 2) }
  var first = 0
  for place in places {
    spans[place.rank][place.index] = first..<first + place.count
    first += place.count
  }
  return spans
}

/// One label a sample to the samples' owners. Collective.
private func move<T: MPINumber>(
  _ labels: [T], _ shares: [Int], _ arriving: [Range<Int>], to own: inout [T], of range: Range<Int>,
  over ranks: borrowing Communicator
) throws {
  let received = try labels.withUnsafeBufferPointer {
    try ranks.exchange($0, sendCounts: shares).elements
  }
  for (i, label) in zip(arriving.joined(), received) { own[i - range.lowerBound] = label }
}
