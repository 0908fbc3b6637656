import Basics
import MPI
import Networks
import Reports

// How fast things are. Machines differ: only what is grossly out of place is a fault.

extension Check {
  /// The speed of every rank's matrix products, all at once.
  ///
  /// - Parameter measure: the speeds of all ranks, in 10⁹ operations a second.
  package static func productSpeed(
    _ measure: @escaping @Sendable (borrowing Communicator) throws -> Spread = {
      try measuredProductSpeeds(over: $0)
    }
  ) -> Check {
    let advice =
      "Look on that host for other programs (top), for a low clock or throttling (lscpu, sensors) and for limits of a "
      + "container, or leave it out."
    return Check(name: "product speed", advice: advice) { site, ranks in
      let speeds = try measure(ranks)
      let median = "\(fixed(speeds.median, 1)) GFLOP/s a rank"
      let range =
        ranks.size == 1 ? median : "\(median), from \(fixed(speeds.min, 1)) to \(fixed(speeds.max, 1))"
      guard site.launch.warnings.isEmpty else {
        return .sound("\(range); not judged, since ranks share cores")
      }
      let isSlow = speeds.min < 0.25 * speeds.median
      let fault =
        "products at \(fixed(speeds.min, 1)) GFLOP/s, the median of all ranks is \(fixed(speeds.median, 1))"
      let note = site.launch.machine.slowProducts(speeds).map { ". Note: \($0)" } ?? ""
      return Finding(isSlow && ranks.rank == speeds.minRank ? fault : nil, else: range + note)
    }
  }

  /// Latency and bandwidth of the reductions that training makes.
  ///
  /// - Parameter seconds: of a measured call; tests make it longer.
  package static func reductionSpeed(_ seconds: @escaping @Sendable (Double) -> Double = { $0 }) -> Check {
    let advice =
      "MPI does not use the fast network, or ranks share cores: see mpirun --mca btl_base_verbose 30 or UCX_LOG_LEVEL, "
      + "and --bind-to core."
    return Check(name: "reduction speed", advice: advice) { site, ranks in
      guard ranks.size > 1 else { return .skipped("one rank has nobody to sum with") }
      let watch = Stopwatch(seconds: site.isQuick ? 0.05 : 0.5)
      let network = Network(widths: [28, 300, 1], activation: .relu, loss: .hinge, bias: true)
      let rows = try measureReductions(watch, message: LayerSum.messageWords(network), over: ranks).map {
        row in
        (shape: row.shape, unit: row.unit, work: row.work, seconds: seconds(Spread(row.seconds).median))
      }.sorted { $0.work < $1.work }
      let detail = rows.map { row in
        row.unit == .latency
          ? "\(row.shape) \(duration(row.seconds))"
          : "\(row.shape) \(fixed(1e-9 * row.work / row.seconds, 2)) GB/s"
      }.joined(separator: ", ")
      guard site.launch.warnings.isEmpty else {
        return .sound("\(detail); not judged, since ranks share cores")
      }
      // A hundred times what gigabit Ethernet needs.
      let slow = rows.first { $0.seconds > 0.02 + $0.work / 1e6 }
      return Finding(
        ranks.isRoot ? slow.map { "a sum of \($0.shape) takes \(duration($0.seconds))" } : nil, else: detail)
    }
  }
}
