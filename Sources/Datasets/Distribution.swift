import LinearAlgebra
import MPI
import Sums

/// Sends all samples to their owners by `Partition` and makes the data set of them. Collective.
///
/// In rounds, a parcel a rank each time, and each parcel is released as it goes: the peak is the parcels, the data
/// set, and a round.
///
/// - Parameters:
///   - parcels: the samples that this rank has read, in ascending order; empty on return.
///   - chunk: samples a chunk of the partition; `nil` chooses by their number.
func distribute(
  _ parcels: inout [Parcel], featureNames: [String], labels kind: Parcel.LabelKind, chunk: Int?,
  over ranks: borrowing Communicator
) throws -> Dataset {
  let routes = try Routes(of: parcels, chunk: chunk, over: ranks)
  var own = OwnSamples(routes.range, featureCount: featureNames.count, kind)
  for round in 0..<routes.rounds {
    var parcel = Parcel(order: 0)
    if round < parcels.count { swap(&parcel, &parcels[round]) }
    try own.receive(sending: parcel, routes.shares(round), routes.arriving(round), over: ranks)
  }
  parcels = []
  let labels = own.labels
  return Dataset(
    partition: routes.partition, range: routes.range, features: own.features, labels: labels,
    featureNames: featureNames)
}

/// Which rank has read which samples, and which owns them.
private struct Routes {
  let partition: Partition
  /// This rank's number.
  private let rank: Int
  /// The samples that each rank owns.
  private let owned: [Range<Int>]
  /// The global samples of each parcel of each rank.
  private let spans: [[Range<Int>]]

  /// Collective.
  init(of parcels: [Parcel], chunk: Int?, over ranks: borrowing Communicator) throws {
    spans = Self.spans(try ranks.gather(parcels.flatMap { [$0.order, $0.count] }))
    let samples = spans.joined().map(\.upperBound).max() ?? 0
    let partition = Partition(samples: samples, ranks: ranks.size, chunk: chunk)
    owned = (0..<ranks.size).map { partition.range(of: $0) }
    self.partition = partition
    rank = ranks.rank
  }

  /// - Parameter gathered: of each rank the order and count of each of its parcels, by turns.
  private static func spans(_ gathered: [[Int]]) -> [[Range<Int>]] {
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

  /// The samples that this rank owns.
  var range: Range<Int> { owned[rank] }

  /// How many parcels the rank with most has.
  var rounds: Int { spans.map(\.count).max() ?? 0 }

  /// How many samples of this rank's parcel of a round each rank owns.
  func shares(_ round: Int) -> [Int] {
    guard round < spans[rank].count else { return [Int](repeating: 0, count: owned.count) }
    return owned.map { spans[rank][round].clamped(to: $0).count }
  }

  /// Of each rank's parcel of a round the samples that this rank owns.
  func arriving(_ round: Int) -> [Range<Int>] {
    spans.map { round < $0.count ? $0[round].clamped(to: range) : 0..<0 }
  }
}

/// The samples that a rank owns, as they arrive.
private struct OwnSamples: ~Copyable {
  private let range: Range<Int>
  private let kind: Parcel.LabelKind
  /// (d + 1) × n, the last row all ones.
  private(set) var features: Matrix<Float>
  private var codes: [Int32] = []
  private var targets: [Float] = []

  init(_ range: Range<Int>, featureCount d: Int, _ kind: Parcel.LabelKind) {
    self.range = range
    self.kind = kind
    features = Matrix(rows: d + 1, columns: range.count)
    switch kind {
    case .classes: codes = [Int32](repeating: 0, count: range.count)
    case .targets: targets = [Float](repeating: 0, count: range.count)
    case .none: break
    }
  }

  var labels: Labels {
    switch kind {
    case .classes(let names): .classes(codes: codes, names: names)
    case .targets: .targets(targets)
    case .none: .none
    }
  }

  /// A round: sends a parcel to its owners, and puts what comes in its place. Collective.
  ///
  /// - Parameters:
  ///   - shares: how many samples of the parcel go to each rank.
  ///   - arriving: which samples come from each rank.
  mutating func receive(
    sending parcel: Parcel, _ shares: [Int], _ arriving: [Range<Int>], over ranks: borrowing Communicator
  ) throws {
    let d = features.rows - 1
    let received = try parcel.features.withUnsafeBufferPointer {
      try ranks.exchange($0, sendCounts: shares.map { $0 * d }).elements
    }
    received.withUnsafeBufferPointer { source in
      var next = 0
      for i in arriving.joined() {
        let column = features.mutableBase + (i - range.lowerBound) * (d + 1)
        for j in 0..<d { column[j] = source[next + j] }
        column[d] = 1
        next += d
      }
    }
    switch kind {
    case .classes: try exchange(parcel.codes, shares, arriving, into: &codes, range, over: ranks)
    case .targets: try exchange(parcel.targets, shares, arriving, into: &targets, range, over: ranks)
    case .none: break
    }
  }
}

/// Sends one label a sample to the samples' owners, and puts what comes in its place. Collective.
private func exchange<T: MPINumber>(
  _ labels: [T], _ shares: [Int], _ arriving: [Range<Int>], into own: inout [T], _ range: Range<Int>,
  over ranks: borrowing Communicator
) throws {
  let received = try labels.withUnsafeBufferPointer {
    try ranks.exchange($0, sendCounts: shares).elements
  }
  for (i, label) in zip(arriving.joined(), received) { own[i - range.lowerBound] = label }
}
