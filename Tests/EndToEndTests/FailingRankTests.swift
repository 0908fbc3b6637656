import Foundation
import TestSupport
import Testing

/// A job of which one rank dies, or meets an error that no other rank knows of, ends at once and says so by its
/// status.
@Suite struct FailingRankTests {
  /// Whether a process may ask for larger stacks, as one of the tests does.
  private static var canHaveLargeStacks: Bool {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(RLIMIT_STACK.rawValue), &limit) == 0 && limit.rlim_max >= 1 << 30
  }

  /// Runs the command that follows a rank's number: on that rank threads have stacks of 1 GiB, and the process has 8
  /// GiB of addresses.
  private static let withFewThreadsOnOneRank = """
    if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = "$0" ]; then ulimit -s 1048576 && ulimit -v 8388608 || exit 99; fi
    exec "$@"
    """

  /// One rank can't start its threads while the others wait for it in a reduction: the job ends with that rank's
  /// status and one message, which names the rank and its host.
  @Test(
    .enabled("needs a hard limit of 1 GiB or more for stacks") { canHaveLargeStacks },
    arguments: [("taylor", 2, 1), ("taylor", 3, 0), ("accelerated", 3, 2)])
  func anErrorOfOneRankEndsTheJob(method: String, ranks: Int, failing: Int) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 2).csv)
    let job = try Program.start(
      command: Program.launcher + [
        "-n", "\(ranks)", "bash", "-c", Self.withFewThreadsOnOneRank, "\(failing)", Program.path,
        directory.configuration(train: train), "--set", "training.method=\(method)", "--set",
        "training.threads_per_rank=16",
      ])
    let ended = job.outcome(within: 10)
    let outcome = try #require(ended, "the job went on for 10 s: \(job.errors)")
    #expect(outcome.status == 74, "\(outcome.transcript)")
    let messages = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("admm-mpi: error") }
    #expect(messages.count == 1, "\(outcome.transcript)")
    let start =
      "admm-mpi: error on rank \(failing) (\(ProcessInfo.processInfo.hostName)), phase start: thread "
    #expect(messages.first?.hasPrefix(start) == true, "\(outcome.transcript)")
    #expect(messages.first?.contains(" of 16 can't be started: ") == true)
    let left = job.descendants(named: "admm-mpi")
    #expect(left.isEmpty)
  }

  /// By the system, or by a fault of its own: then it says where that was.
  @Test(arguments: [2, 3], [(0, SIGKILL), (1, SIGKILL), (1, SIGSEGV), (0, SIGILL)])
  func aRankThatIsKilledEndsTheJob(ranks: Int, victim: (rank: Int, signal: CInt)) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(3_000, seed: 1).csv)
    let job = try Program.start(
      ranks: ranks,
      [
        directory.configuration(train: train), "--set", "training.iterations=100000000", "--set",
        "output.evaluate_every=100",
      ], limit: 90)
    let isTraining = directory.waitForIteration(of: job)
    let (isRunning, output) = (job.isRunning, job.output)
    try #require(isTraining && isRunning, "no iteration within a minute: \(output)")
    let processes = job.descendants(named: "admm-mpi")
    try #require(processes.count == ranks)

    kill(processes[victim.rank], victim.signal)
    let ended = job.outcome(within: 10)
    let outcome = try #require(ended, "the job went on for 10 s")
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("rank \(victim.rank) "), "\(outcome.transcript)")
    if victim.signal != SIGKILL {
      let words =
        "admm-mpi: error on rank \(victim.rank) (\(ProcessInfo.processInfo.hostName)), ended by signal "
      #expect(outcome.errors.contains(words + "\(victim.signal), in phase "), "\(outcome.transcript)")
    }
    let left = job.descendants(named: "admm-mpi")
    #expect(left.isEmpty)
  }
}
