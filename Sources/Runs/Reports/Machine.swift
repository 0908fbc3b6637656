import Glibc
import MPI

/// Where a job runs: its ranks, their hosts and threads.
public struct Machine: Sendable, Equatable {
  public struct Host: Sendable, Equatable {
    public let name: String
    /// How many of the job's ranks run there.
    public let ranks: Int
    /// How many cores it has online.
    public let cores: Int

    public init(name: String, ranks: Int, cores: Int) {
      self.name = name
      self.ranks = ranks
      self.cores = cores
    }
  }

  /// The hosts, in order of first rank.
  public let hosts: [Host]
  /// The name of each rank's host.
  public let hostOfRank: [String]
  /// BLAS threads a rank.
  public let threads: Int
  /// The fewest cores that a rank may run on, as it is bound.
  public let boundCores: Int

  public init(hosts: [Host], hostOfRank: [String], threads: Int, boundCores: Int) {
    self.hosts = hosts
    self.hostOfRank = hostOfRank
    self.threads = threads
    self.boundCores = boundCores
  }

  /// Asks all ranks. Collective.
  ///
  /// - Parameter threads: BLAS threads a rank.
  public init(threads: Int, over ranks: borrowing Communicator) throws(MPIError) {
    let names = try ranks.gather(ranks.hostName())
    let cores = try ranks.gather([max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)]).map { $0[0] }
    var order: [String] = []
    var first: [String: Int] = [:]
    var count: [String: Int] = [:]
    for (rank, name) in names.enumerated() {
      if first[name] == nil {
        first[name] = rank
        order.append(name)
      }
      count[name, default: 0] += 1
    }
    self.init(
      hosts: order.map { Host(name: $0, ranks: count[$0] ?? 0, cores: cores[first[$0] ?? 0]) },
      hostOfRank: names, threads: threads, boundCores: try ranks.min(Self.coresOfThisRank()))
  }

  public var ranks: Int { hostOfRank.count }

  /// "6 ranks × 1 thread on 2 hosts".
  package var summary: String {
    "\(counted(ranks, "rank")) × \(counted(threads, "thread")) on \(counted(hosts.count, "host"))"
  }

  /// The hosts with the ranks on each, runs of numbered names in brackets: "n[01-04] × 12, login".
  package var hostList: String {
    let groups = hosts.reduce(into: [(name: NumberedName, numbers: [NumberedName], ranks: Int)]()) {
      let name = NumberedName($1.name)
      if let last = $0.last, last.ranks == $1.ranks, last.name.isLike(name) {
        $0[$0.count - 1].numbers.append(name)
      } else {
        $0.append((name, [name], $1.ranks))
      }
    }
    return groups.map { NumberedName.compressed($0.numbers) + " × \($0.ranks)" }.joined(separator: ", ")
  }

  /// What will make the job slow.
  public var warnings: [String] {
    var warnings: [String] = []
    if let host = hosts.max(by: { $0.ranks * threads * $1.cores < $1.ranks * threads * $0.cores }),
      host.ranks * threads > host.cores
    {
      warnings.append(
        "\(host.name) has \(counted(host.cores, "core")) for \(counted(host.ranks, "rank")) × "
          + "\(counted(threads, "thread")): they will wait for each other. Start fewer ranks there.")
    }
    if threads > boundCores {
      warnings.append(
        "a rank is bound to \(counted(boundCores, "core")) but has \(threads) BLAS threads. "
          + "Set OPENBLAS_NUM_THREADS=\(boundCores), or start mpirun with --bind-to none.")
    }
    return warnings
  }

  /// How many cores this process may run on: the bits of a line such as "Cpus_allowed: ffff,0000000f".
  private static func coresOfThisRank() -> Int {
    let status = (try? contents(of: "/proc/self/status")) ?? ""
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) else {
      return Int.max
    }
    return line.dropFirst("Cpus_allowed:".count).reduce(0) {
      $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0)
    }
  }
}

/// A host's name around the last digits of its first part: "n", "01", ".cluster".
private struct NumberedName {
  let before: Substring
  let digits: Substring
  let after: Substring

  init(_ name: String) {
    let label = name.prefix { $0 != "." }
    let end = label.lastIndex { $0.isASCII && $0.isNumber }.map { label.index(after: $0) } ?? label.startIndex
    let start =
      label[..<end].lastIndex { !($0.isASCII && $0.isNumber) }.map { label.index(after: $0) }
      ?? label.startIndex
    before = name[..<(end == label.startIndex ? label.startIndex : start)]
    digits = end == label.startIndex ? "" : name[start..<end]
    after = end == label.startIndex ? name[...] : name[end...]
  }

  func isLike(_ other: NumberedName) -> Bool {
    before == other.before && after == other.after && digits.count == other.digits.count && !digits.isEmpty
  }

  /// Names that are alike, as one: consecutive numbers as a range.
  static func compressed(_ names: [NumberedName]) -> String {
    guard let first = names.first else { return "" }
    guard names.count > 1 else { return "\(first.before)\(first.digits)\(first.after)" }
    var ranges: [(first: NumberedName, last: NumberedName)] = []
    for name in names {
      if let last = ranges.last?.last, let a = Int(last.digits), let b = Int(name.digits), b == a + 1 {
        ranges[ranges.count - 1].last = name
      } else {
        ranges.append((name, name))
      }
    }
    let list = ranges.map {
      $0.first.digits == $0.last.digits ? "\($0.first.digits)" : "\($0.first.digits)-\($0.last.digits)"
    }
    return "\(first.before)[\(list.joined(separator: ","))]\(first.after)"
  }
}
