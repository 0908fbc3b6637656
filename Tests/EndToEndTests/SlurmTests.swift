import Foundation
import TestSupport
import Testing

/// The batch scripts under a real Slurm, where there is one: `make test-slurm` starts its own.
@Suite(.serialized, .enabled("needs a Slurm with an idle node") { SlurmJob.isPossible })
struct SlurmTests {
  private static let launchers = ["mpirun", "srun"]

  /// Each script trains, gives the words after its name to the program, and gets the bits of any other run.
  @Test(arguments: ["single-node", "multi-node", "requeue"], launchers)
  func scriptsTrain(_ script: String, _ launcher: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 500")
    let job = try SlurmJob(
      script, launcher: launcher, configuration: configuration,
      arguments: ["--set", "training.iterations=2", "--set", "network.hidden=[3, 4]"], in: directory)
    #expect(try job.status() == 0, "\(directory.jobOutput)")
    let result = try directory.result("runs/config-\(job.id)")
    #expect(result.ranks == 2)
    #expect(result.iterations == 2)
    #expect(result.layers == [28, 3, 4, 1])
    #expect(result.warnings == [])
    let alone = try Program.run(
      ranks: nil,
      [configuration, "--set", "training.iterations=2", "--set", "network.hidden=[3, 4]"])
    #expect(alone.status == 0, "\(alone.transcript)")
    #expect(try result.weightsSha256 == directory.result().weightsSha256)
  }

  /// The cores of a task are threads of a rank, and the rank is bound to all of them: else it would warn.
  @Test(
    .enabled("needs two cores") { ProcessInfo.processInfo.activeProcessorCount > 1 }, arguments: launchers)
  func coresOfATaskAreThreads(_ launcher: String) throws {
    let directory = try TemporaryDirectory()
    let job = try SlurmJob(
      "single-node", launcher: launcher, configuration: directory.configuration(data: "synthetic = 500"),
      ["--ntasks=1", "--ntasks-per-node=1", "--cpus-per-task=2"], in: directory)
    #expect(try job.status() == 0, "\(directory.jobOutput)")
    let result = try directory.result("runs/config-\(job.id)")
    #expect(result.ranks == 1)
    #expect(result.threadsPerRank == 2)
    #expect(result.warnings == [])
  }

  @Test(arguments: launchers)
  func tasksOfAnArrayHaveTheirOwnDirectories(_ launcher: String) throws {
    let directory = try TemporaryDirectory()
    let job = try SlurmJob(
      "array", launcher: launcher, configuration: directory.configuration(data: "synthetic = 500"),
      ["--array=2,5"], in: directory)
    #expect(try job.status() == 0, "\(directory.jobOutput)")
    let (two, five) = (
      try directory.result("runs/config-\(job.id)/2"), try directory.result("runs/config-\(job.id)/5")
    )
    #expect(two.seed == 2)
    #expect(five.seed == 5)
    #expect(two.weightsSha256 != five.weightsSha256)
  }

  @Test(arguments: launchers)
  func theStatusIsPassedOn(_ launcher: String) throws {
    let directory = try TemporaryDirectory()
    let job = try SlurmJob(
      "requeue", launcher: launcher,
      configuration: directory.configuration(train: directory.path("absent.csv")),
      in: directory)
    #expect(try job.status() == 66, "\(directory.jobOutput)")
    #expect(try job.field("Restarts") == "0")
  }

  @Test func theScalingStudyRunsOnEachCount() throws {
    let directory = try TemporaryDirectory()
    let job = try SlurmJob(
      "higgs-scaling", configuration: directory.configuration(data: "synthetic = 500"), ["--array=0-1%1"],
      arguments: ["--set", "network.hidden=[3]"], in: directory)
    #expect(try job.status() == 0, "\(directory.jobOutput)")
    let one = try directory.result("runs/config-scaling-\(job.id)/1")
    let two = try directory.result("runs/config-scaling-\(job.id)/2")
    #expect(one.ranks == 1)
    #expect(two.ranks == 2)
    #expect(one.layers == [28, 3, 1])
    #expect(one.weightsSha256 == two.weightsSha256)
  }

  /// srun without PMIx starts processes that know nothing of each other.
  @Test func srunNeedsPMIx() throws {
    let directory = try TemporaryDirectory()
    let words = [Program.path, try directory.configuration(data: "synthetic = 500")]
    let refused = try Program.run(command: ["srun", "--ntasks=2", "--mpi=none"] + words)
    #expect(refused.status == 64, "\(refused.transcript)")
    #expect(refused.errors.split(separator: "admm-mpi: error: ", omittingEmptySubsequences: false).count == 2)
    #expect(refused.errors.contains("srun --mpi=pmix"))
    #expect(directory.bytes("run/run.json").isEmpty)
    let version = try Program.run(command: ["srun", "--ntasks=2", "--mpi=none", Program.path, "--version"])
    #expect(version.status == 0, "\(version.transcript)")
    #expect(version.output.split(separator: "MPI: ", omittingEmptySubsequences: false).count == 2)
    let alone = try Program.run(command: ["srun", "--ntasks=1", "--mpi=none"] + words)
    #expect(alone.status == 0, "\(alone.transcript)")
    let trained = try Program.run(command: ["srun", "--ntasks=2", "--mpi=pmix"] + words)
    #expect(trained.status == 0, "\(trained.transcript)")
    #expect(try directory.result().ranks == 2)
  }
}
