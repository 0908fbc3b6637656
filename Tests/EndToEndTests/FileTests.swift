import Foundation
import TestSupport
import Testing

/// Nothing that a user owns is lost, whatever is asked for.
@Suite struct FileTests {
  /// Two jobs in one directory: the second is refused with the first's host and process, also if it may overwrite. A
  /// job that was killed holds nothing.
  @Test(arguments: [nil, 2])
  func aDirectoryHasOneRunAtATime(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 41).csv)
    let configuration = try directory.configuration(train: train)
    let first = try Program.start(
      ranks: ranks,
      [configuration, "--set", "training.iterations=100000000", "--set", "output.evaluate_every=100"])
    let isTraining = directory.waitForIteration(of: first)
    let (isRunning, output) = (first.isRunning, first.output)
    try #require(isTraining && isRunning, "no iteration: \(output)")
    let processes = first.descendants(named: "admm-mpi")
    for overwrite in ["true", "false"] {
      let second = try Program.run(ranks: ranks, [configuration, "--set", "output.overwrite=\(overwrite)"])
      #expect(second.status == 74, "\(second.transcript)")
      let holders = processes.filter {
        second.errors.contains("is in use by process \($0) on \(ProcessInfo.processInfo.hostName)")
      }
      #expect(holders.count == 1, "\(second.transcript)")
    }
    #expect(!directory.bytes("run/iterations.jsonl").isEmpty)
    for process in processes { kill(process, SIGKILL) }
    _ = first.outcome(within: 20)
    let third = try Program.run(ranks: ranks, [configuration])
    #expect(third.status == 0, "\(third.transcript)")
    let left = try FileManager.default.contentsOfDirectory(atPath: directory.path("run")).sorted()
    #expect(left == ["config.toml", "iterations.jsonl", "model.h5", "run.json"])
  }

  /// A job that is killed while it writes its model leaves a part of it, which the next job in the directory removes.
  @Test(arguments: [nil, 2])
  func whatAKilledJobWasWritingIsRemoved(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(
      data: "synthetic = 64\nsynthetic_test = 8")
    let run = directory.path("run")
    let unfinished = {
      ((try? FileManager.default.contentsOfDirectory(atPath: run)) ?? [])
        .filter { $0.hasSuffix(".part") }
    }
    // 7 MB: some time to be killed in; should one be too quick all the same, the next is not.
    let large = ["--set", "training.method=sgd", "--set", "training.iterations=1", "--set"]
    var output = ""
    for _ in 0..<10 where unfinished().isEmpty {
      let job = try Program.start(ranks: ranks, [configuration] + large + ["network.hidden=[1500,1200]"])
      var processes: [pid_t] = []
      while job.isRunning && (unfinished().isEmpty || processes.isEmpty) {
        if processes.count < ranks ?? 1 { processes = job.descendants(named: "admm-mpi") }
        usleep(200)
      }
      for process in processes { kill(process, SIGKILL) }
      output += job.outcome().transcript
    }
    try #require(!unfinished().isEmpty, "not killed in time: \(output)")
    let next = try Program.run(ranks: ranks, [configuration])
    #expect(next.status == 0, "\(next.transcript)")
    let left = try FileManager.default.contentsOfDirectory(atPath: directory.path("run")).sorted()
    #expect(left == ["config.toml", "iterations.jsonl", "model.h5", "run.json"])
  }

  /// A run that can't read its data leaves what a former one left.
  @Test func aFormerRunOutlivesARunThatFails() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 42).csv)
    let configuration = try directory.configuration(train: train)
    try #require(try Program.run(ranks: 2, [configuration]).status == 0)
    let former = ["run.json", "iterations.jsonl", "model.h5"].map { directory.bytes("run/\($0)") }
    try directory.write("train.csv", Samples(300, seed: 42).csv + "1,x,2\n")
    for more in [[], ["--set", "data.train=\(directory.path("none.csv"))"]] {
      let outcome = try Program.run(ranks: 2, [configuration] + more)
      #expect(outcome.status == 65 || outcome.status == 66, "\(outcome.transcript)")
      let now = ["run.json", "iterations.jsonl", "model.h5"].map { directory.bytes("run/\($0)") }
      #expect(!former.contains(Data()) && now == former)
    }
  }

  /// Input and output are one file, under one name or two.
  @Test func anInputIsNotOverwritten() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(300, seed: 43).csv)
    try #require(try Program.run(ranks: nil, [directory.configuration(train: train)]).status == 0)
    let model = directory.path("run/model.h5")
    try FileManager.default.linkItem(atPath: train, toPath: directory.path("hard.csv"))
    try FileManager.default.createSymbolicLink(atPath: directory.path("soft.h5"), withDestinationPath: model)
    let (data, weights) = (directory.bytes("train.csv"), directory.bytes("run/model.h5"))
    for arguments in [
      ["predict", model, train, "--output", train, "--force"],
      ["predict", model, train, "--output", directory.path("hard.csv"), "--force"],
      ["predict", model, train, "--output", directory.path("soft.h5"), "--force"],
      ["convert", train, directory.path("hard.csv"), "--force"],
      ["evaluate", model, train, "--json", train],
      ["evaluate", model, train, "--json", directory.path("soft.h5")],
      ["bench", directory.path("config.toml"), "--seconds", "0.01", "--json", train],
    ] {
      let outcome = try Program.run(ranks: 2, arguments)
      #expect(outcome.status == 74, "\(outcome.transcript)")
      #expect(outcome.errors.contains("is not replaced"), "\(outcome.transcript)")
    }
    #expect(directory.bytes("train.csv") == data && directory.bytes("run/model.h5") == weights)
  }

  /// What is given for a model, and isn't one, is called by its name.
  @Test func aConfigurationIsNoModel() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(30, seed: 44).csv)
    let configuration = try directory.configuration(train: train)
    for command in [["evaluate", configuration, train], ["predict", configuration, train, "-o", "p.csv"]] {
      let outcome = try Program.run(ranks: 2, command)
      #expect(outcome.status == 65)
      #expect(
        outcome.errors.hasPrefix(
          "admm-mpi: error: \(configuration) is not a model but a text, such as a configuration. "
            + "Name the model.h5 that a run leaves.\n"))
    }
  }

  // MARK: Full disks

  /// The model does not fit: found out before training.
  @Test(.enabled("needs the right to mount") { Disk.canMount }, arguments: [nil, 3])
  func aDiskThatIsTooSmallIsSaidBeforeTraining(ranks: Int?) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 2000\nsynthetic_test = 200")
    try Disk.with(kilobytes: 32) { disk in
      let outcome = try Program.run(
        ranks: ranks, [configuration, "--set", "network.hidden=[300]", "--output", disk + "/o"])
      #expect(outcome.status == 74 && !outcome.isTimedOut, "\(outcome.transcript)")
      #expect(outcome.errors.contains("Make room, or choose another output.directory."))
      #expect(!outcome.output.contains("iter"))
    }
  }

  /// The disk fills while data are converted, at any place: in the first array, in the last, with the last byte.
  @Test(.enabled("needs the right to mount") { Disk.canMount }, arguments: [nil, 3], [4, 8, 64, 100, 120])
  func aDiskThatFillsEndsAConversion(ranks: Int?, kilobytes: Int) throws {
    let directory = try TemporaryDirectory()
    // 1,000 samples of 28 features and a label: 116,000 bytes and HDF5's own.
    let row = (1...28).map { "0.\($0)" }.joined(separator: ",")
    let data = try directory.write("d.csv", (0..<1_000).map { "\($0 % 2),\(row)\n" }.joined())
    try Disk.with(kilobytes: kilobytes) { disk in
      let outcome = try Program.run(ranks: ranks, ["convert", data, disk + "/d.h5"], limit: 30)
      #expect(outcome.status == (kilobytes < 120 ? 74 : 0) && !outcome.isTimedOut, "\(outcome.transcript)")
      let left = try FileManager.default.contentsOfDirectory(atPath: disk)
      #expect(left == (outcome.status == 0 ? ["d.h5"] : []))
      if outcome.status != 0 { #expect(outcome.errors.contains("/d.h5 can't be written")) }
    }
  }

  // MARK: Ranks that round differently

  private static let kernelOfRank = """
    if [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 0 ]; then export OPENBLAS_CORETYPE=Haswell
    else export OPENBLAS_CORETYPE="$0"; fi
    exec "$@"
    """

  /// The kernels' weights differ in their last bits: it is said once, and what is saved is what was evaluated.
  @Test(
    .enabled("needs a processor with AVX-512") {
      ((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "").contains("avx512f")
    }, arguments: ["accelerated", "consistent"])
  func ranksWithOtherKernelsTakeTheWeightsOfTheFirst(method: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = try directory.configuration(data: "synthetic = 3000\nsynthetic_test = 1000")
    let outcome = try Program.run(
      command: Program.launcher + [
        "-n", "3", "bash", "-c", Self.kernelOfRank, "SkylakeX", Program.path, configuration, "--set",
        "training.method=\(method)", "--set", "network.hidden=[40,20]", "--set", "training.iterations=6",
      ])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    let warnings = outcome.errors.split(separator: "\n").filter { $0.contains("weights differ") }
    #expect(warnings.count == 1, "\(outcome.transcript)")
    #expect(
      warnings.first?.contains("Haswell") == true && warnings.first?.contains("OPENBLAS_CORETYPE") == true)
  }
}
