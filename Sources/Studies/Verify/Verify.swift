import Basics
import Glibc
import LinearAlgebra
import MPI
import Reports

extension Check {
  /// Every check, in the order in which they are made: what others build on comes first. To add one is a line here,
  /// and what it does in a file of its kind.
  package static var all: [Check] {
    [.hosts(), .activations(), .losses(), .products(), .solves(), .exactSums(), .longSums(), .messages()]
      + sameBits()
      + [
        .directory(), .room(), .sharedFile(), .locks(), .checkpoints(), .killAndResume(),
        .productSpeed(), .reductionSpeed(),
      ]
  }
}

/// Makes all checks on these ranks, and prints a line for each. Collective.
///
/// - Parameters:
///   - directory: where files are tried out; what is written there is removed again.
///   - isQuick: look at less.
/// - Returns: `done`, or what failed checks ask for.
public func verify(
  directory: String, isQuick: Bool, over ranks: borrowing Communicator
) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  setBLASThreads(1)
  let site = try Site(directory, isQuick: isQuick, program: programPath(), over: ranks)
  console.print(site.launch.heading([("directory", directory)]) + [""])
  site.launch.warnings.forEach(console.warn)
  let verdicts = try verify(Check.all, at: site, over: ranks) { console.print($0.line) }
  let (line, status) = verdicts.summary
  console.print(line)
  return status
}

/// Makes some checks, and leaves nothing behind. Collective.
package func verify(
  _ checks: [Check], at site: Site, over ranks: borrowing Communicator, report: (Verdict) -> Void = { _ in }
) throws -> [Verdict] {
  let limit = StallLimit(seconds: site.isQuick ? 180 : 600, isRoot: ranks.isRoot)
  defer { limit.end() }
  var verdicts: [Verdict] = []
  for check in checks {
    limit.begin(check.name)
    let verdict = try check.verdict(at: site, over: ranks)
    verdicts.append(verdict)
    report(verdict)
  }
  if ranks.isRoot { site.clear() }
  site.directory = nil
  return verdicts
}

/// This program's own file.
private func programPath() -> String {
  var path = [CChar](repeating: 0, count: 4096)
  let count = readlink("/proc/self/exe", &path, path.count)
  return count > 0
    ? String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : "/proc/self/exe"
}
