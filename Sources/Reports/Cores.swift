import Files
import Glibc

/// Cores of a host. A core that runs several hardware threads counts once; its number is that of the first of them.
public typealias Cores = RangeSet<Int>

extension RangeSet where Bound == Int {
  /// The cores of a list as Linux writes it: "0-3,8". What is no number is left out.
  package init(list: String) {
    self.init(
      list.split { $0 == "," || $0.isWhitespace }.compactMap { part in
        let ends = part.split(separator: "-").compactMap { Int($0) }
        guard let first = ends.first, let last = ends.last, first >= 0, last >= first, last < Int.max else {
          return nil
        }
        return first..<last + 1
      })
  }

  /// As Linux writes it: "0-3,8".
  package var list: String {
    ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound - 1)" }
      .joined(separator: ",")
  }

  /// How many there are.
  package var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// All cores of this host that are online. Local.
  package static func online() -> Cores { cores(of: threadsOnline()) }

  /// The cores that this process may run on; all that are online where the system doesn't tell. Local.
  static func allowed() -> Cores {
    let key = "Cpus_allowed_list:"
    let status = (try? contents(of: "/proc/self/status")) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
    // The list may name hardware threads that the host has room for, but not at present.
    let threads = Cores(list: String(line.dropFirst(key.count))).intersection(threadsOnline())
    return threads.isEmpty ? online() : cores(of: threads)
  }

  private static func threadsOnline() -> RangeSet {
    let list = (try? contents(of: "/sys/devices/system/cpu/online")) ?? ""
    let threads = RangeSet(list: list)
    return threads.isEmpty ? RangeSet(0..<Swift.max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)) : threads
  }

  /// The cores that hardware threads belong to, as far as the system tells.
  private static func cores(of threads: RangeSet) -> Cores {
    var cores = Cores()
    for thread in threads.ranges.joined() {
      let siblings = "/sys/devices/system/cpu/cpu\(thread)/topology/thread_siblings_list"
      let first = (try? contents(of: siblings)).flatMap { Cores(list: $0).ranges.first?.lowerBound } ?? thread
      cores.insert(contentsOf: first..<first + 1)
    }
    return cores
  }
}
