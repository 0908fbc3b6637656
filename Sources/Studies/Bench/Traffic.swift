import Files
import LinearAlgebra
import MPI
import Reports

/// Memory bandwidth: a ← b + s c over arrays far larger than the caches, all ranks at once. Collective.
///
/// After STREAM's triad (J. McCalpin, 1995): 12 bytes an element, not counting that the processor may read a before
/// it writes it.
///
/// - Parameter ranksOnHost: the most ranks of a host, which share its last-level cache.
func measureMemory(
  _ watch: Stopwatch, ranksOnHost: Int, over ranks: borrowing Communicator
) throws(MPIError) -> Measurement {
  // Four caches' worth in each of three arrays, the ranks of a host together.
  let cache = try ranks.max(lastLevelCacheBytes() ?? 32 << 20)
  let bytes = min(max(4 * cache / ranksOnHost, 16 << 20), 512 << 20)
  let count = bytes / MemoryLayout<Float>.size
  var arrays = Matrix<Float>(rows: count, columns: 3)
  let seconds = try watch.time(over: ranks) {
    triad(arrays.mutableBase, arrays.base + count, arrays.base + 2 * count, count)
  }
  return Measurement(
    name: "memory, a = b + s·c", by: ours, shape: "3 × \(Reports.bytes(bytes))", unit: .bandwidth,
    work: Double(3 * bytes), seconds: seconds)
}

/// The size of the largest cache that this host's first core uses; nil where the system doesn't tell. Local.
private func lastLevelCacheBytes() -> Int? {
  // Such as "32768K".
  (0..<8).compactMap { index in
    let size = try? contents(of: "/sys/devices/system/cpu/cpu0/cache/index\(index)/size")
    return size.flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 << 10 }
  }.max()
}

@inline(never)
private func triad(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>,
  _ count: Int
) {
  for k in 0..<count { a[k] = b[k] + 3 * c[k] }
}

/// Sums over all ranks: the time of the shortest, the bandwidth of the run's own and of some other lengths.
/// Collective; nothing where there is one rank.
///
/// - Parameter message: how many 64-bit integers an iteration's reduction sums.
func measureReductions(
  _ watch: Stopwatch, message: Int, over ranks: borrowing Communicator
) throws(MPIError) -> [Measurement] {
  guard ranks.size > 1 else { return [] }
  var measurements: [Measurement] = []
  for (name, count) in [("allreduce, latency", 1), ("allreduce, an iteration's", message)]
    + [10, 14, 18, 21].map({ ("allreduce", 1 << $0) })
  {
    var x = Matrix<Int64>(rows: count, columns: 1)
    let seconds = try watch.timeCollective(over: ranks) { () throws(MPIError) in
      try ranks.sum(x.mutableElements)
    }
    let size = count * MemoryLayout<Int64>.size
    measurements.append(
      Measurement(
        name: name, by: "MPI_Allreduce", shape: bytes(size), unit: count == 1 ? .latency : .bandwidth,
        work: Double(size), seconds: seconds))
  }
  return measurements
}
