import Basics
import Glibc
import MPI

/// Where a job runs: its ranks, their hosts and threads.
public struct Machine: Sendable, Equatable {
  public struct Host: Sendable, Equatable {
    public let name: String
    /// How many of the job's ranks run there.
    public let ranks: Int
    /// How many cores it has online; hardware threads of a core don't count.
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
  /// How many threads share a rank's work.
  public let threads: Int
  /// The cores that each rank may run on.
  public let coresOfRank: [Cores]

  /// - Precondition: as many `coresOfRank` as `hostOfRank`.
  public init(hosts: [Host], hostOfRank: [String], threads: Int, coresOfRank: [Cores]) {
    precondition(
      hostOfRank.count == coresOfRank.count, "\(hostOfRank.count) and \(coresOfRank.count) ranks")
    self.hosts = hosts
    self.hostOfRank = hostOfRank
    self.threads = threads
    self.coresOfRank = coresOfRank
  }

  /// Asks all ranks. Collective.
  ///
  /// - Parameter threads: how many threads share a rank's work.
  public init(threads: Int, over ranks: borrowing Communicator) throws(MPIError) {
    let names = try ranks.gather(ranks.hostName())
    let cores = try ranks.gather([Cores.online().count]).map { $0[0] }
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
      hostOfRank: names, threads: threads,
      coresOfRank: try ranks.gather(Cores.allowed().list).map { Cores(list: $0) })
  }

  public var ranks: Int { hostOfRank.count }

  /// "6 ranks × 1 thread on 2 hosts".
  package var summary: String {
    "\(counted(ranks, "rank")) × \(counted(threads, "thread")) on \(counted(hosts.count, "host"))"
  }

  /// Each host with its number of ranks.
  package var hostsJSON: JSON {
    .array(hosts.map { .object(["name": .string($0.name), "ranks": .integer($0.ranks)]) })
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
