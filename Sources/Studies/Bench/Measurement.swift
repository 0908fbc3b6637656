import Reports

/// How fast one thing is on each rank, while all ranks do it.
struct Measurement: Sendable {
  /// What a row's numbers are.
  enum Unit: Sendable {
    /// 10⁹ floating-point operations a second.
    case gflops
    /// 10⁹ bytes a second, read and written.
    case bandwidth
    /// Nanoseconds an element; beside it the bandwidth.
    case perElement
    /// Microseconds a call.
    case latency
  }

  /// Such as "z_1 a_0ᵀ".
  let name: String
  /// What does it: "sgemm", "this program", "MPI_Allreduce".
  let by: String
  /// Of the arrays, as in "300 × 29 × 256".
  let shape: String
  let unit: Unit
  /// What a call does, in floating-point operations, bytes or elements, as `unit` counts.
  let work: Double
  /// Bytes that a call reads and writes, where that is of interest.
  var bytes = 0.0
  /// Of a call, on each rank.
  let seconds: [Double]

  /// The row's numbers, in its unit.
  var speed: Spread { Spread(seconds.map { value($0) }) }

  private func value(_ seconds: Double) -> Double {
    switch unit {
    case .gflops, .bandwidth: 1e-9 * work / seconds
    case .perElement: 1e9 * seconds / work
    case .latency: 1e6 * seconds
    }
  }

  private var bandwidth: Spread { Spread(seconds.map { 1e-9 * bytes / $0 }) }
}

extension Measurement {
  /// The table of all measurements: a row each.
  ///
  /// - Parameters:
  ///   - peak: what products are held against, in 10⁹ operations a second.
  ///   - hosts: the name of each rank's host.
  static func lines(_ measurements: [Measurement], peak: Double, hosts: [String]) -> [String] {
    let isParallel = hosts.count > 1
    var table = TextTable(
      ["what", "by", "shape"] + (isParallel ? ["min", "median", "max"] : ["median"])
        + ["unit", "a call", "that is"] + (isParallel ? ["slowest"] : []),
      [.left, .left, .left] + (isParallel ? [.right, .right, .right] : [.right]) + [.left, .right, .left]
        + (isParallel ? [.left] : []))
    for row in measurements {
      let (speed, seconds) = (row.speed, Spread(row.seconds))
      let numbers = isParallel ? [speed.min, speed.median, speed.max] : [speed.median]
      table.add(
        [row.name, row.by, row.shape] + numbers.map(row.text)
          + [row.unit.text, duration(seconds.median), row.remark(peak)]
          + (isParallel ? ["rank \(seconds.maxRank) on \(hosts[seconds.maxRank])"] : []))
    }
    return table.lines
  }

  private func text(_ value: Double) -> String {
    unit == .perElement ? fixed(value, 3) : value < 10 ? fixed(value, 2) : fixed(value, 1)
  }

  private func remark(_ peak: Double) -> String {
    switch unit {
    case .gflops: "\(percent(speed.median / peak, 0)) % of sgemm"
    case .perElement: "\(fixed(bandwidth.median, 1)) GB/s"
    case .bandwidth, .latency: ""
    }
  }

  /// What the file of `--json` says of it.
  var json: JSON {
    .object([
      "name": .string(name), "by": .string(by), "shape": .string(shape), "unit": .string(unit.text),
      "value": speed.extremes, "seconds_per_call": Spread(seconds).extremes,
      "gb_per_second": bytes > 0 ? bandwidth.extremes : nil,
      "slowest_rank": .integer(Spread(seconds).maxRank),
    ])
  }
}

extension Measurement.Unit {
  var text: String {
    switch self {
    case .gflops: "GFLOP/s"
    case .bandwidth: "GB/s"
    case .perElement: "ns/element"
    case .latency: "µs"
    }
  }
}

extension Spread {
  fileprivate var extremes: JSON {
    .object(["min": .number(min), "median": .number(median), "max": .number(max)])
  }
}
