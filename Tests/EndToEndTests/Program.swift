import Foundation
import TestSupport

/// How a program that was started ended, and what it said.
struct Outcome {
  /// The exit status; mpirun passes on that of the rank that failed.
  let status: Int32
  /// Standard output of all ranks.
  let output: String
  /// Standard error of all ranks and of mpirun.
  let errors: String

  /// Whether the time was over before the program was: `timeout` ends with 124, or 137 where only SIGKILL helped.
  var isTimedOut: Bool { status == 124 || status == 137 }
  /// Everything, for the message of a test that fails.
  var transcript: String { "status \(status)\n\(output)\n\(errors)" }
}

/// A program at work in another process.
struct Running: ~Copyable {
  fileprivate let process: Process
  fileprivate let files: TemporaryDirectory

  var isRunning: Bool { process.isRunning }
  /// What it wrote to standard output so far.
  var output: String { files.text("stdout") }
  /// What it wrote to standard error so far.
  var errors: String { files.text("stderr") }

  /// Waits for its end.
  func outcome() -> Outcome {
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: files.text("stdout"), errors: files.text("stderr"))
  }

  /// Waits for its end, but not longer than `seconds`; nil if it goes on.
  func outcome(within seconds: Double) -> Outcome? {
    wait(atMost: seconds) { !process.isRunning } ? outcome() : nil
  }

  /// The processes below this one that run a program called `name`.
  func descendants(named name: String) -> [pid_t] {
    var parents: [pid_t: pid_t] = [:]
    var names: [pid_t: String] = [:]
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      // "PID (NAME) STATE PARENT …"; a name may hold blanks and parentheses.
      guard let pid = pid_t(entry),
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")")
      else { continue }
      names[pid] = String(stat[stat.index(after: open)..<close])
      let rest = stat[stat.index(after: close)...].split(separator: " ")
      parents[pid] = rest.count > 1 ? pid_t(rest[1]) : nil
    }
    return names.keys.filter { pid in
      var ancestor = pid
      while let parent = parents[ancestor], parent > 0 {
        if parent == process.processIdentifier { return names[pid] == name }
        ancestor = parent
      }
      return false
    }.sorted()
  }
}

/// Whether `condition` comes true before `seconds` have passed.
func wait(atMost seconds: Double, until condition: () -> Bool) -> Bool {
  let end = Date(timeIntervalSinceNow: seconds)
  while !condition() {
    guard Date() < end else { return false }
    Thread.sleep(forTimeInterval: 0.02)
  }
  return true
}

/// The project's own programs, as a user starts them.
enum Program {
  /// The directory of Package.swift.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// The program under test, built beside the test bundle.
  static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "admm-mpi").path(percentEncoded: false)

  /// What starts the ranks, in words: `MPIRUN`, which the Makefile sets, or mpirun.
  static let launcher = (environment["MPIRUN"] ?? "mpirun").split(separator: " ").map(String.init)

  /// Runs admm-mpi, under mpirun unless `ranks` is nil, with nothing on standard input.
  ///
  /// - Parameter limit: seconds after which the job is ended and counts as hung.
  static func run(ranks: Int?, _ arguments: [String], limit: Int = 60) throws -> Outcome {
    try start(ranks: ranks, arguments, limit: limit).outcome()
  }

  /// Starts admm-mpi as `run` does and does not wait for it.
  static func start(ranks: Int?, _ arguments: [String], limit: Int = 60) throws -> Running {
    let launch = ranks.map { launcher + ["-n", "\($0)"] } ?? []
    return try start(command: launch + [path] + arguments, limit: limit)
  }

  /// Runs any command that the shell would find.
  static func run(command: [String], limit: Int = 60) throws -> Outcome {
    try start(command: command, limit: limit).outcome()
  }

  /// Starts any command that the shell would find and does not wait for it.
  static func start(command: [String], limit: Int = 60) throws -> Running {
    let files = try TemporaryDirectory()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "--kill-after=10", "\(limit)"] + command
    process.currentDirectoryURL = files.url
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: files.write("stdout", "")))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: files.write("stderr", "")))
    try process.run()
    return Running(process: process, files: files)
  }

  /// The environment that this test process was born with, before MPI added its own to it; and what a job needs in a
  /// container with few cores.
  private static let environment: [String: String] = {
    var environment = [
      "OPENBLAS_NUM_THREADS": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
      "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]
    let bytes = FileManager.default.contents(atPath: "/proc/self/environ") ?? Data()
    for entry in bytes.split(separator: 0) {
      let parts = String(decoding: entry, as: UTF8.self).split(separator: "=", maxSplits: 1)
      if let name = parts.first { environment[String(name)] = parts.count > 1 ? String(parts[1]) : "" }
    }
    precondition(
      environment["OMPI_COMM_WORLD_SIZE"] == nil, "these tests start mpirun: do not run them under it")
    return environment
  }()
}
