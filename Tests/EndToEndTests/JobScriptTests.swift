import Foundation
import TestSupport
import Testing

/// Batch scripts that the program writes.
@Suite struct JobScriptTests {
  /// What `admm-mpi slurm` prints.
  private func script(_ arguments: [String]) throws -> [String] {
    let outcome = try Program.run(ranks: nil, ["slurm"] + arguments)
    try #require(outcome.status == 0, "\(outcome.transcript)")
    return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The value of a line `#SBATCH --name=value`.
  private func option(_ name: String, _ script: [String]) -> String? {
    let start = "#SBATCH --\(name)="
    return script.first { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
  }

  /// The scripts in jobs/ are what their heads say that they were made by, but for the measured time.
  @Test(arguments: ["single-node", "multi-node", "array", "requeue"])
  func scriptsOfJobs(_ name: String) throws {
    let file = try Document("jobs/\(name).slurm")
    let command = try #require(file.commands.first?.arguments)
    let outcome = try Program.run(
      command: ["env", "-C", Program.root.path(percentEncoded: false), Program.path] + command)
    #expect(outcome.status == 0, "\(outcome.transcript)")
    // A slow machine asks for a longer notice.
    func comparable(_ line: String) -> String {
      for start in ["# Time: ", "#SBATCH --signal=B:USR1@"] where line.hasPrefix(start) { return start }
      return line.replacing(Program.path, with: ".build/release/admm-mpi")
    }
    let printed = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(printed.map(comparable) == file.lines.map(comparable))
    #expect(file.lines.contains { $0.hasPrefix("# Time: ") })
  }

  /// bash takes what is written, whatever the names.
  @Test func theShellReadsIt() throws {
    let directory = try TemporaryDirectory()
    let config = try directory.configuration(data: "synthetic = 500")
    let odd = try directory.write("it's $(odd).toml", directory.text("config.toml"))
    for options in [
      [], ["--array", "1-3", "--requeue", "--launcher", "srun", "--partition", "p", "--account", "a"],
    ] {
      for file in [config, odd] {
        let lines = try script([file, "--set", "network.hidden=[3, 4]"] + options)
        let path = try directory.write("job.slurm", lines.joined(separator: "\n"))
        let read = try Program.run(command: ["bash", "-n", path])
        #expect(read.status == 0, "\(read.transcript)")
        let shown = try Program.run(
          command: ["bash", "-c", #"eval "$(grep ^config= "$1")"; printf %s "$config""#, "bash", path])
        #expect(shown.output == file)
        #expect(lines.contains { $0.contains("--set 'network.hidden=[3, 4]'") })
      }
    }
  }

  /// Memory that a run's peak stays below, and time that it keeps.
  @Test func theEstimateHolds() throws {
    let directory = try TemporaryDirectory()
    let config = try directory.configuration(data: "synthetic = 50_000")
    let lines = try script([config, "--tasks-per-node", "2"])
    let outcome = try Program.run(ranks: 2, [config])
    #expect(outcome.status == 0, "\(outcome.transcript)")
    let memory = try #require(option("mem", lines)?.dropLast()).description
    let sum = try directory.result().peakRssBytes.sum
    #expect((Int(memory) ?? 0) << 20 > sum)
    #expect((Int(memory) ?? 0) << 20 < 10 * sum)
    #expect(option("time", lines) == "00:20:00")
    #expect(option("ntasks", lines) == "2")
    #expect(option("signal", lines) == "B:USR1@120")
    let twice = try script([
      config, "--nodes", "3", "--tasks-per-node", "2", "--time", "1-12", "--cpus-per-task", "4",
    ])
    #expect(option("ntasks", twice) == "6")
    #expect(option("time", twice) == "1-12")
    #expect(option("cpus-per-task", twice) == "4")
  }

  /// The arrays of a rank grow with the samples that it has: twice the nodes, half of them.
  @Test func theMemoryFollowsTheSamples() throws {
    let directory = try TemporaryDirectory()
    let config = try directory.configuration(data: "synthetic = 40_000_000")
    func memory(_ nodes: Int) throws -> Int {
      let lines = try script([config, "--nodes", "\(nodes)", "--tasks-per-node", "1", "--time", "60"])
      return Int(try #require(option("mem", lines)).dropLast()) ?? 0
    }
    let (one, two) = (try memory(1) - 200, try memory(2) - 200)
    // 28 features and a one; z_1 in rows of 16, z_2, λ and y: numbers of 4 bytes, and one tenth more.
    #expect(abs(Double(one) / (1.1 * 4 * (29 + 16 + 3) * 40e6 / 1_048_576) - 1) < 0.05)
    #expect(abs(Double(one) / Double(two) - 2) < 0.1)
  }

  @Test(arguments: [
    (["--time", "soon"], "--time"), (["--array", "all"], "--array"), (["--nodes", "0"], "--nodes"),
    (["--partition", "a b"], "--partition"), (["--account", "$(id)"], "--account"),
    (["--launcher", "ssh"], "--launcher"), (["--tasks-per-node", "0"], "--tasks-per-node"),
  ])
  func wrongOptions(_ options: [String], _ named: String) throws {
    let directory = try TemporaryDirectory()
    let config = try directory.configuration(data: "synthetic = 500")
    let outcome = try Program.run(ranks: nil, ["slurm", config] + options)
    #expect(outcome.status == 64, "\(outcome.transcript)")
    #expect(outcome.errors.contains(named), "\(outcome.transcript)")
    #expect(outcome.output.isEmpty)
  }

  @Test func wrongConfigurations() throws {
    let directory = try TemporaryDirectory()
    let absent = try Program.run(
      ranks: nil, ["slurm", directory.configuration(train: directory.path("absent.csv"))])
    #expect(absent.status == 66, "\(absent.transcript)")
    let noFile = try Program.run(ranks: nil, ["slurm", directory.path("absent.toml")])
    #expect(noFile.status == 66, "\(noFile.transcript)")
  }
}
