import Foundation
import TestSupport
import Testing

/// Processes that a launcher of another MPI has started: each would be a job of its own.
@Suite struct LauncherTests {
  /// Two processes at once, each with the variables of one of two ranks.
  private func pair(_ size: String, _ rank: String, _ words: [String]) throws -> [Outcome] {
    let first = try Program.start(command: ["env", "\(size)=2", "\(rank)=0", Program.path] + words)
    let second = try Program.start(command: ["env", "\(size)=2", "\(rank)=1", Program.path] + words)
    return [first.outcome(), second.outcome()]
  }

  /// As Hydra and srun tell their processes, MPICH's launcher and Slurm's.
  private static let launchers = [("PMI_SIZE", "PMI_RANK"), ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")]

  @Test(arguments: launchers)
  func oneOfThemSaysWhatIsWrong(_ size: String, _ rank: String) throws {
    let directory = try TemporaryDirectory()
    let outcomes = try pair(size, rank, [directory.configuration(data: "synthetic = 200")])
    #expect(outcomes.map(\.status) == [64, 64], "\(outcomes.map(\.transcript))")
    #expect(outcomes[0].errors.contains("srun --mpi=pmix"))
    #expect(outcomes[0].errors.contains("ADMM_SINGLETON=1"))
    #expect(outcomes[1].errors.isEmpty)
    #expect(outcomes.map(\.output) == ["", ""])
    #expect(!FileManager.default.fileExists(atPath: directory.path("run")))
  }

  /// Where it is meant, each works for itself.
  @Test(arguments: launchers)
  func itMayBeMeant(_ size: String, _ rank: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 200")
    let outcome = try Program.run(
      command: ["env", "\(size)=2", "\(rank)=1", "ADMM_SINGLETON=1", Program.path, configuration])
    #expect(outcome.status == 0, "\(outcome.transcript)")
    #expect(try directory.result().ranks == 1)
  }

  /// Help and the version are told under any launcher, once.
  @Test(arguments: [["--help"], ["--version"], ["help", "train"], ["slurm", "--help"]])
  func helpIsTold(_ words: [String]) throws {
    for (size, rank) in Self.launchers {
      let outcomes = try pair(size, rank, words)
      #expect(outcomes.map(\.status) == [0, 0], "\(outcomes.map(\.transcript))")
      #expect(outcomes[0].output.contains("admm-mpi"))
      #expect(outcomes[1].output.isEmpty)
    }
    let together = try Program.run(ranks: 2, words)
    #expect(together.status == 0, "\(together.transcript)")
    #expect(try together.output == Program.run(ranks: nil, words).output)
  }

  private static let other: String? = {
    let own = (try? Program.run(ranks: nil, ["--version"]).output.contains("Open MPI")) ?? true
    let name = own ? "mpirun.mpich" : "mpirun.openmpi"
    return (try? Program.run(command: [name, "--version"]).status) == 0 ? name : nil
  }()

  /// The other library's launcher itself, where it is installed.
  @Test(.enabled("needs Open MPI's and MPICH's launchers") { other != nil })
  func theOtherLibrarysLauncher() throws {
    let directory = try TemporaryDirectory()
    let launcher = try #require(Self.other)
    let outcome = try Program.run(
      command: [launcher, "-n", "2", Program.path, directory.configuration(data: "synthetic = 200")])
    #expect(outcome.status == 64, "\(outcome.transcript)")
    #expect(outcome.errors.components(separatedBy: "admm-mpi: error: ").count == 2, "\(outcome.transcript)")
    #expect(!FileManager.default.fileExists(atPath: directory.path("run")))
  }
}
