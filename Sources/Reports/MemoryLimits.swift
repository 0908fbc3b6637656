import Files
import Glibc

/// How much memory this process may have, in bytes. What is not limited is infinite.
package struct MemoryLimits: Sendable, Equatable {
  /// All processes of the host or, if that is less, of the control group that this process is in.
  package let host: Double
  /// What is left to this process of its own limit (`ulimit -v`).
  package let process: Double

  /// Asks the system. Local.
  package static func current() -> MemoryLimits {
    MemoryLimits(host: min(machine, controlGroup), process: addressSpace)
  }

  /// The machine's memory and its swap space.
  private static var machine: Double {
    let text = (try? contents(of: "/proc/meminfo")) ?? ""
    guard let memory = kibibytes("MemTotal", in: text) else { return .infinity }
    return memory + (kibibytes("SwapTotal", in: text) ?? 0)
  }

  /// The least limit of the control groups above this process, of either version of them.
  private static var controlGroup: Double {
    let text = (try? contents(of: "/proc/self/cgroup")) ?? ""
    return text.split(separator: "\n").reduce(.infinity) { least, line in
      // "4:memory:/path", or "0::/path" in version 2.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else {
        return least
      }
      let (root, file) =
        parts[1].isEmpty
        ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      return min(least, limit(root, parts[2].split(separator: "/"), file))
    }
  }

  /// The least number in the file of this name in the directories from `root` down along `path`.
  private static func limit(_ root: String, _ path: [Substring], _ file: String) -> Double {
    (0...path.count).reduce(.infinity) { least, depth in
      let directory = ([Substring(root)] + path.prefix(depth)).joined(separator: "/")
      let text = (try? contents(of: "\(directory)/\(file)")) ?? ""
      return min(least, Double(text.prefix { $0.isNumber }) ?? .infinity)
    }
  }

  private static var addressSpace: Double {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return .infinity
    }
    let text = (try? contents(of: "/proc/self/status")) ?? ""
    return max(Double(limit.rlim_cur) - (kibibytes("VmSize", in: text) ?? 0), 0)
  }

  /// The number after "NAME:", in bytes.
  private static func kibibytes(_ name: String, in text: String) -> Double? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }) else {
      return nil
    }
    return Double(line.filter { $0.isASCII && $0.isNumber }).map { $0 * 1024 }
  }
}
