import Glibc
import MPI

/// How a job was started: when, by what command, where, with what. For the banner and for run.json.
public struct Launch: Sendable {
  /// UTC, as in ISO 8601.
  public let start: String
  /// The command line of rank 0.
  public let command: String
  /// The number of the Slurm job, if it is one.
  public let slurmJob: String?
  public let machine: Machine
  public let versions: Versions

  public init(start: String, command: String, slurmJob: String?, machine: Machine, versions: Versions) {
    self.start = start
    self.command = command
    self.slurmJob = slurmJob
    self.machine = machine
    self.versions = versions
  }

  /// This job. Collective.
  ///
  /// - Parameter threads: how many threads share a rank's work.
  public init(threads: Int, over ranks: borrowing Communicator) throws(MPIError) {
    self.init(
      start: utcNow(), command: commandLine(CommandLine.arguments), slurmJob: slurmJobID(),
      machine: try Machine(threads: threads, over: ranks), versions: Versions.current)
  }
}

/// The time of day in UTC, as in ISO 8601: 2026-07-31T09:30:00Z.
private func utcNow() -> String {
  var now = time(nil)
  var parts = tm()
  gmtime_r(&now, &parts)
  var buffer = [CChar](repeating: 0, count: 32)
  let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func slurmJobID() -> String? {
  getenv("SLURM_JOB_ID").map { String(cString: $0) }
}

/// The command line that a shell splits into these arguments.
package func commandLine(_ arguments: [String]) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%")
  return arguments.map { argument in
    guard argument.isEmpty || !argument.allSatisfy(plain.contains) else { return argument }
    let parts = argument.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: #"'\''"#) + "'"
  }.joined(separator: " ")
}
