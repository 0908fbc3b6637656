import Foundation
import TestSupport
import Testing

/// A run that was cut short goes on, on whatever number of ranks, to the weights of one that nobody stopped.
@Suite struct ResumeTests {
  /// A method with settings under which its steps are of every kind soon.
  struct Trained: Sendable, CustomTestStringConvertible {
    let method: String
    let settings: [String]

    init(_ method: String, _ settings: String...) { (self.method, self.settings) = (method, settings) }

    var testDescription: String { method + settings.map { " " + $0 }.joined() }
  }

  static let trained = [
    Trained("taylor", "taylor.preset=paper"), Trained("accelerated", "accelerated.block=128"),
    Trained("consistent"),
    Trained("sgd", "sgd.block=64"), Trained("adam", "adam.block=100"), Trained("lbfgs"), Trained("cg"),
    Trained("accelerated", "accelerated.form=momentum", "accelerated.block=2000"), Trained("taylor"),
  ]

  /// The arguments of a run of a small, deep net.
  static func arguments(
    _ directory: borrowing TemporaryDirectory, _ trained: Trained, iterations: Int, more: [String] = []
  ) throws -> [String] {
    let train = try directory.write("train.csv", Samples(2_000, classes: 3, seed: 31).csv)
    let settings =
      [
        "network.hidden=[9, 7]", "network.loss=softmax", "training.chunk=64",
        "training.method=\(trained.method)", "training.iterations=\(iterations)",
      ] + trained.settings + more
    return [try directory.configuration(train: train)] + settings.flatMap { ["--set", $0] }
  }

  /// The fingerprint of the weights that an uninterrupted run leaves in `whole`.
  static func whole(_ directory: borrowing TemporaryDirectory, _ arguments: [String]) throws -> String {
    let outcome = try Program.run(ranks: 2, arguments + ["--output", directory.path("whole")])
    try #require(outcome.status == 0, "\(outcome.transcript)")
    return try directory.result("whole").weightsSha256
  }

  /// Goes on with what lies in `run`, and checks what comes out against the run in `whole`.
  static func expectSameEnd(
    _ directory: borrowing TemporaryDirectory, ranks: Int, weights: String, _ more: [String] = []
  ) throws {
    let outcome = try Program.run(ranks: ranks, ["resume", directory.path("run")] + more)
    try #require(outcome.status == 0, "\(outcome.transcript)")
    #expect(try directory.result().weightsSha256 == weights, "\(outcome.transcript)")
    let (own, whole) = (try directory.log("run"), try directory.log("whole"))
    #expect(own == whole, "the log has a gap or a line twice: \(own.count) of \(whole.count)")
  }

  // MARK: Signals

  /// USR1 and USR2 come ahead of a time limit; INT and TERM from somebody who can wait a moment.
  @Test(arguments: [SIGUSR1, SIGUSR2, SIGINT, SIGTERM], [1, 3])
  func aSignalToOneRankStopsAllWithACheckpoint(signal: Int32, ranks: Int) throws {
    let directory = try TemporaryDirectory()
    let trained = Self.trained[ranks == 1 ? 0 : 1]
    let arguments = try Self.arguments(directory, trained, iterations: 400)
    let weights = try Self.whole(directory, arguments)
    let job = try Program.start(ranks: ranks, arguments, limit: 90)
    let isTraining = directory.waitForIteration(of: job)
    let processes = job.descendants(named: "admm-mpi")
    try #require(isTraining && processes.count == ranks, "\(job.errors)")
    kill(processes[ranks - 1], signal)
    let outcome = job.outcome()
    #expect(outcome.status == 75, "\(outcome.transcript)")
    let result = try directory.result()
    #expect(result.status == "interrupted" && result.exitStatus == 75 && result.iterations < 400)
    try Self.expectSameEnd(directory, ranks: 4 - ranks, weights: weights)
  }

  /// mpirun passes USR1 on, and gives its ranks a moment after INT and TERM: whatever they make of it, the run goes on
  /// to the same bits.
  @Test(arguments: [SIGUSR1, SIGINT, SIGTERM]) func aSignalToTheLauncherLosesNothing(signal: Int32) throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(
      directory, Trained("consistent"), iterations: 400, more: ["checkpoint.every_iterations=1"])
    let weights = try Self.whole(directory, arguments)
    // A test's children have signals blocked.
    let unblocked = [
      "python3", "-c",
      "import os, signal, sys; signal.pthread_sigmask(2, []); os.execvp(sys.argv[1], sys.argv[1:])",
    ]
    let job = try Program.start(
      command: unblocked + Program.launcher + ["-n", "2", Program.path] + arguments, limit: 90)
    let isTraining = directory.waitForIteration(of: job)
    let launchers = job.descendants(
      named: Program.launcher[0].split(separator: "/").last.map(String.init) ?? "")
    let launcher = try #require(launchers.first)
    try #require(isTraining)
    kill(launcher, signal)
    let ended = job.outcome(within: 15)
    let outcome = try #require(ended, "the job went on")
    #expect(outcome.status != 0)
    if signal == SIGUSR1 { #expect(outcome.status == 75, "\(outcome.transcript)") }
    let left = job.descendants(named: "admm-mpi")
    #expect(left.isEmpty)
    let checked = try Program.run(
      ranks: nil, ["evaluate", directory.path("run/model.h5"), directory.path("train.csv")])
    #expect(checked.status == 0, "what was learnt is there: \(checked.transcript)")
    try Self.expectSameEnd(directory, ranks: 3, weights: weights)
  }

  /// A second INT ends a run at once, even one whose iterations take for ever.
  @Test func aSecondInterruptEndsAtOnce() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(
      directory, Trained("taylor"), iterations: 100_000,
      more: ["data.synthetic=400_000", "network.hidden=[400, 400]", "output.evaluate_every=1000"])
    let config = try directory.configuration(data: "synthetic = 400_000\nsynthetic_features = 100")
    let job = try Program.start(ranks: nil, [config] + arguments.dropFirst(), limit: 90)
    let isTraining = wait(atMost: 60) { !job.isRunning || directory.text("run/run.json").contains("running") }
    let processes = job.descendants(named: "admm-mpi")
    let process = try #require(processes.first)
    try #require(isTraining)
    kill(process, SIGINT)
    Thread.sleep(forTimeInterval: 0.1)
    kill(process, SIGINT)
    let outcome = job.outcome(within: 2)
    let ended = try #require(outcome, "it went on")
    #expect(ended.status == 130, "\(ended.transcript)")
  }

  // MARK: Time

  /// The limit holds between evaluations, and what was learnt is saved.
  @Test(arguments: ["taylor", "accelerated", "consistent", "sgd"])
  func aTimeLimitHoldsBetweenEvaluations(method: String) throws {
    let directory = try TemporaryDirectory()
    let more = ["output.evaluate_every=1000000", "stop.time_limit=5"]
    let arguments = try Self.arguments(directory, Trained(method), iterations: 100_000_000, more: more)
    let begin = Date()
    let outcome = try Program.run(ranks: 2, arguments)
    let seconds = -begin.timeIntervalSinceNow
    #expect(outcome.status == 75, "\(outcome.transcript)")
    #expect(seconds < 30, "\(seconds) s")
    let result = try directory.result()
    #expect(result.status == "time_limit" && result.iterations > 0)
    #expect(result.final.trainAccuracy ?? 0 > 0.2)
    let evaluated = try Program.run(
      ranks: nil, ["evaluate", directory.path("run/model.h5"), directory.path("train.csv")])
    #expect(evaluated.status == 0, "\(evaluated.transcript)")
  }

  // MARK: What can't go on

  @Test func aFinishedRunSaysSo() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(directory, Trained("lbfgs"), iterations: 4)
    let first = try Program.run(ranks: 2, arguments)
    try #require(first.status == 0, "\(first.transcript)")
    let model = directory.bytes("run/model.h5")
    for again in [["resume", directory.path("run")], arguments + ["--resume"]] {
      let outcome = try Program.run(ranks: 2, again)
      #expect(
        outcome.status == 0 && outcome.output.contains("is finished: max_iterations after 4 iterations"))
    }
    // More iterations need a checkpoint.
    let more = try Program.run(ranks: 2, ["resume", directory.path("run"), "--set", "training.iterations=9"])
    #expect(more.status == 78 && more.errors.contains("checkpoint.at_end"), "\(more.transcript)")
    #expect(directory.bytes("run/model.h5") == model, "nothing is lost")
  }

  @Test func moreIterationsAfterTheEnd() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(
      directory, Trained("accelerated", "accelerated.block=128"), iterations: 12)
    let weights = try Self.whole(directory, arguments)
    let first = try Program.run(
      ranks: 3, arguments + ["--set", "training.iterations=5", "--set", "checkpoint.at_end=true"])
    try #require(first.status == 0, "\(first.transcript)")
    try Self.expectSameEnd(directory, ranks: 1, weights: weights, ["--set", "training.iterations=12"])
  }

  @Test func anotherRunIsRefused() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(directory, Trained("sgd"), iterations: 4)
    let first = try Program.run(ranks: 2, arguments + ["--set", "checkpoint.at_end=true"])
    try #require(first.status == 0, "\(first.transcript)")
    func refusal(_ setting: String, _ words: String) throws {
      let run = ["resume", directory.path("run"), "--set", "training.iterations=9", "--set", setting]
      for ranks in [1, 3] {
        let outcome = try Program.run(ranks: ranks, run)
        #expect(outcome.status == 78 && outcome.errors.contains(words), "\(outcome.transcript)")
      }
    }
    try refusal("network.hidden=[9, 8]", "network.hidden is [9, 8], it was [9, 7]")
    try refusal("training.seed=5", "training.seed is 5, it was 1")
    try refusal("sgd.rate=0.5", "sgd.rate is 0.5")
    let other = try directory.write("other.csv", Samples(2_000, classes: 3, seed: 32).csv)
    try refusal("data.train=\(other)", "the train set holds other samples: data.train is")
    // The same samples in another place are the same data.
    let copy = try directory.write("copy.csv", Samples(2_000, classes: 3, seed: 31).csv)
    let moved = try Program.run(
      ranks: 2,
      ["resume", directory.path("run"), "--set", "training.iterations=5", "--set", "data.train=\(copy)"])
    #expect(moved.status == 0, "\(moved.transcript)")
  }

  /// A run that dies before its first checkpoint begins anew; its directory needs no `overwrite`.
  @Test func aRunWithoutACheckpointBeginsAnew() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(
      directory, Trained("adam"), iterations: 400, more: ["output.overwrite=false"])
    let weights = try Self.whole(directory, arguments)
    let job = try Program.start(ranks: 2, arguments + ["--resume"], limit: 90)
    _ = directory.waitForIteration(of: job)
    let processes = job.descendants(named: "admm-mpi")
    let process = try #require(processes.first)
    kill(process, SIGKILL)
    _ = job.outcome()
    #expect(directory.text("run/run.json").contains("\"status\": \"running\""))
    let second = try Program.run(ranks: 2, arguments)
    #expect(second.status == 74, "without --resume it is not touched: \(second.transcript)")
    let third = try Program.run(ranks: 1, arguments + ["--resume"])
    try #require(third.status == 0, "\(third.transcript)")
    #expect(try directory.result().weightsSha256 == weights)
  }

  // MARK: Damage

  /// The checkpoint before a damaged one is taken; where all are, nothing is done.
  @Test func aDamagedCheckpointIsPassedOver() throws {
    let directory = try TemporaryDirectory()
    let arguments = try Self.arguments(directory, Trained("taylor"), iterations: 9)
    let weights = try Self.whole(directory, arguments)
    let first = try Program.run(
      ranks: 2,
      arguments + [
        "--set", "training.iterations=5", "--set", "checkpoint.every_iterations=1", "--set",
        "checkpoint.at_end=true",
      ])
    try #require(first.status == 0, "\(first.transcript)")
    let kept = directory.url.appending(path: "kept")
    try FileManager.default.copyItem(at: directory.url.appending(path: "run"), to: kept)
    var newest = directory.bytes("run/checkpoints/checkpoint-5.h5")
    newest[newest.count / 2] ^= 4
    try directory.write("run/checkpoints/checkpoint-5.h5", newest)
    let outcome = try Program.run(
      ranks: 3, ["resume", directory.path("run"), "--set", "training.iterations=9"])
    #expect(outcome.status == 0, "\(outcome.transcript)")
    #expect(outcome.errors.contains("checkpoint-5.h5 is damaged"), "\(outcome.errors)")
    #expect(outcome.output.contains("goes on after iteration 4"))
    #expect(try directory.result().weightsSha256 == weights)
    #expect(try directory.log("run") == directory.log("whole"))

    try FileManager.default.removeItem(at: directory.url.appending(path: "run"))
    try FileManager.default.moveItem(at: kept, to: directory.url.appending(path: "run"))
    for name in ["checkpoint-4.h5", "checkpoint-5.h5"] {
      try directory.write("run/checkpoints/\(name)", directory.bytes("run/checkpoints/\(name)").dropLast(70))
    }
    let none = try Program.run(ranks: 3, ["resume", directory.path("run"), "--set", "training.iterations=9"])
    #expect(none.status == 65 && none.errors.contains("none of the checkpoints"), "\(none.transcript)")
    #expect(directory.bytes("run/model.h5") == directory.bytes("run/model.h5"))
  }
}

extension TemporaryDirectory {
  /// The iterations of a run's log with what they came to, without times.
  func log(_ directory: String) throws -> [String] {
    try text("\(directory)/iterations.jsonl").split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      var values = try #require(object as? [String: Any])
      values["seconds"] = nil
      values["gflops_per_rank"] = nil
      let data = try JSONSerialization.data(withJSONObject: values, options: [.sortedKeys])
      return String(decoding: data, as: UTF8.self)
    }
  }
}
