import Basics
import Configuration
import Files
import Foundation
import HDF5
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Reports
import Runs
import Sums
import TestSupport
import Testing

/// Checkpoints on the disk, and what decides when they are written.
@Suite(.serialized) struct CheckpointTests {
  /// Writes each kind of value once and reads it back. Collective.
  private func visit(
    _ state: any StateArchive, _ numbers: inout [Double], _ whole: inout Int, _ none: inout Int?,
    _ text: inout String, _ flag: inout Bool, _ matrix: inout Matrix<Float>, _ z: MutableTile<Float>
  ) throws {
    try state("numbers", &numbers)
    try state.within("group") {
      try state("whole", &whole)
      try state("none", &none)
    }
    try state("text", &text)
    try state("flag", &flag)
    try state("matrix", &matrix)
    try state.bySample("z", z)
  }

  @Test func whatIsWrittenIsRead() throws {
    try TestWorld.with { ranks in
      let directory = ranks.isRoot ? try TemporaryDirectory() : nil
      let path = try ranks.broadcast(directory?.path("checkpoint.h5") ?? "")
      let partition = Partition(samples: 103, ranks: ranks.size, chunk: 10)
      let range = partition.range(of: ranks.rank)
      var numbers = [1.5, -.infinity, 0x1p-300], whole = -7, none = Int?.none
      var text = "α\nβ", flag = true
      var matrix = Matrix<Float>(rows: 2, columns: 3) { Float($0) + 0.1 * Float($1) }
      var z = Matrix<Float>(rows: 8, columns: range.count) { i, j in Float(i + 10 * (range.lowerBound + j)) }
      let writer = CheckpointWriter()
      try visit(writer, &numbers, &whole, &none, &text, &flag, &matrix, z.mutableRows(0..<5))
      try writer.write(to: PendingFile(path), samples: 103, range: range, over: ranks)

      let file = try CheckpointFile(path, range: range, over: ranks)
      (numbers, whole, none, text, flag) = ([], 0, 3, "", false)
      matrix.fill(0)
      z.fill(-1)
      try visit(file, &numbers, &whole, &none, &text, &flag, &matrix, z.mutableRows(0..<5))
      #expect(numbers == [1.5, -.infinity, 0x1p-300] && whole == -7 && none == nil)
      #expect(text == "α\nβ" && flag && matrix[1, 2] == Float(1) + 0.1 * Float(2))
      for j in 0..<range.count {
        for i in 0..<8 { #expect(z[i, j] == (i < 5 ? Float(i + 10 * (range.lowerBound + j)) : -1)) }
      }
      // What does not fit is named.
      var other = Matrix<Float>(rows: 2, columns: 2)
      let failure = #expect(throws: Failure.self) { try file("matrix", &other) }
      #expect(failure?.message.contains("matrix has 6 numbers") == true && failure?.status == .badData)
      let missing = #expect(throws: Failure.self) { try file.within("group") { try file("flag", &flag) } }
      #expect(missing?.message.contains("group.flag is not there") == true)
      try ranks.barrier()
      _ = directory
    }
  }

  /// Whatever bit is flipped and wherever the file is cut, it is noticed.
  @Test func everyDamageIsFound() throws {
    try TestWorld.with { ranks in
      let directory = ranks.isRoot ? try TemporaryDirectory() : nil
      let path = try ranks.broadcast(directory?.path("checkpoint.h5") ?? "")
      let partition = Partition(samples: 90_000, ranks: ranks.size, chunk: 1000)
      let range = partition.range(of: ranks.rank)
      var z = Matrix<Float>(rows: 5, columns: range.count) { i, j in Float(i) - Float(j) }
      let writer = CheckpointWriter()
      var w = (0..<1000).map { Double($0) }
      try writer("w", &w)
      writer.bySample("z", z.mutableAll)
      try writer.write(to: PendingFile(path), samples: 90_000, range: range, over: ranks)
      _ = try CheckpointFile(path, range: range, over: ranks)
      let whole = ranks.isRoot ? try Data(contentsOf: URL(filePath: path)) : Data()
      let length = try ranks.max(whole.count)
      #expect(length > 1 << 20, "more than a block")
      var random = SeededGenerator(seed: 9)
      for round in 0..<120 {
        let place = Int.random(in: 0..<length, using: &random)
        if ranks.isRoot {
          var damaged = whole
          if round < 100 { damaged[place] ^= 1 << UInt8(round % 8) } else { damaged = damaged.prefix(place) }
          try damaged.write(to: URL(filePath: path))
        }
        try ranks.barrier()
        let failure = #expect(throws: Failure.self) {
          _ = try CheckpointFile(path, range: range, over: ranks)
        }
        #expect(
          failure?.status == .badData && failure?.isShared == true,
          "\(round): \(place), \(failure?.message ?? "")")
        try ranks.barrier()
      }
      _ = directory
    }
  }

  /// Every number of a record that may be missing is in its state.
  @Test func aRecordKeepsAllItsNumbers() throws {
    var record = IterationRecord(iteration: 12, seconds: 1.25, notes: ["one", "two"])
    var count = 0
    for (i, column) in IterationRecord.columns.enumerated() where column.key != "seconds" {
      set(column.key, of: &record, to: Double(i) + 0.5)
      count += 1
    }
    #expect(count == Mirror(reflecting: record).children.count - 3, "a field without a column")
    let archive = MemoryArchive()
    try record.archive(archive)
    var read = IterationRecord(iteration: 0)
    try read.archive(MemoryArchive(reading: archive))
    #expect(read == record)
    var none = IterationRecord?.none
    let empty = MemoryArchive()
    try none.archive(empty)
    var other: IterationRecord? = record
    try other.archive(MemoryArchive(reading: empty))
    #expect(other == nil)
  }

  private func set(_ key: String, of record: inout IterationRecord, to value: Double) {
    let fields: [String: WritableKeyPath<IterationRecord, Double?>] = [
      "passes": \.passes, "objective": \.objective, "loss": \.loss, "residual_z": \.residual_z,
      "residual_a": \.residual_a, "residual_output": \.residual_output, "lambda_max": \.lambda_max,
      "train_accuracy": \.train_accuracy, "validation_accuracy": \.validation_accuracy,
      "test_accuracy": \.test_accuracy, "train_rmse": \.train_rmse, "validation_rmse": \.validation_rmse,
      "test_rmse": \.test_rmse, "gflops_per_rank": \.gflops_per_rank,
    ]
    if let field = fields[key] { record[keyPath: field] = value } else { Issue.record("\(key) is new") }
  }

  // MARK: Time

  @Test func aRunEndsWhileThereIsTimeForItsEnd() {
    var now = 100.0
    let clock = RunClock(seconds: 60, interval: nil, checkpoint: 4, isRoot: true) { now }
    let notices = Notices()
    clock.join(notices)
    clock.noteSweep(5)
    clock.noteEvaluation(2)
    func ends(_ time: Double) -> RunStatus? {
      now = time
      share(notices)
      return RunClock.earlyEnd(notices)
    }
    // Two sweeps, three evaluations, one and a half checkpoints, half a second: 22.5 s before the end at 160.
    #expect(ends(137) == nil)
    #expect(ends(138) == .time_limit)
    #expect(!RunClock.isCheckpointDue(notices))
  }

  @Test func checkpointsTakeAHundredthOfTheTimeAtMost() {
    var now = 0.0
    let clock = RunClock(seconds: nil, interval: 60, checkpoint: 0.1, isRoot: true) { now }
    let notices = Notices()
    clock.join(notices)
    func isDue(_ time: Double) -> Bool {
      now = time
      share(notices)
      return RunClock.isCheckpointDue(notices)
    }
    #expect(!isDue(59) && isDue(61))
    clock.noteCheckpoint(3)
    #expect(!isDue(61 + 299) && isDue(61 + 301))
    #expect(RunClock.earlyEnd(notices) == nil)
    // Other ranks leave that to rank 0.
    let other = RunClock(seconds: 0, interval: 1, checkpoint: 0, isRoot: false) { now }
    other.join(notices)
    #expect(!isDue(5000) && RunClock.earlyEnd(notices) == nil)
  }

  /// What a reduction on one rank does.
  private func share(_ notices: Notices) {
    var words = [Int64](repeating: -1, count: Notices.count)
    notices.write(to: &words)
    notices.read(from: words)
  }

  @Test func savingTakesAHundredthOfTheTime() {
    var now = 0.0
    var budget = SavingBudget { now }
    #expect(budget.isDue, "the first time")
    budget.spend { now += 0.5 }
    #expect(!budget.isDue)
    now = 49
    #expect(!budget.isDue)
    now = 51
    #expect(budget.isDue)
  }

  @Test(arguments: [
    ("5:00\n", 300.0), ("59", 59), ("1:02:03", 3723), ("2-00:00:01", 172_801), ("UNLIMITED", nil),
    ("INVALID", nil),
    ("", nil), ("1-", nil),
  ])
  func slurmsTimes(text: String, expected: Double?) { #expect(seconds(ofSlurm: text) == expected) }

  // MARK: Which run

  @Test func anotherRunIsRefusedByWhatDiffers() throws {
    func configuration(_ text: String) throws -> Configuration {
      try Configuration(text: "[data]\ntrain = \"a.csv\"\n" + text, file: "x.toml", currentDirectory: "/x")
    }
    let network = Network(widths: [3, 5, 1], activation: .relu, loss: .logistic, bias: true)
    let data = DataFingerprint(sets: [1, 2, 3])
    let own = RunIdentity(network, data, try configuration("[network]\nhidden = [5]"))
    func refusal(_ text: String, _ other: DataFingerprint = DataFingerprint(sets: [1, 2, 3])) throws
      -> String?
    {
      let theirs = RunIdentity(network, other, try configuration(text))
      do { try own.check(theirs, method: "accelerated", path: "c.h5") } catch let failure as Failure {
        #expect(failure.status == .badConfiguration && failure.isShared)
        return failure.message
      }
      return nil
    }
    let free = "[training]\niterations = 7\nthreads_per_rank = 3\n[stop]\npatience = 3\n[taylor]\nbeta = 3\n"
    #expect(try refusal("[network]\nhidden = [5]") == nil)
    #expect(
      try refusal(
        "[network]\nhidden = [5]\n\(free)".replacing(
          "[training]\n", with: "[training]\nmethod = \"accelerated\"\n")) == nil)
    #expect(try refusal("[network]\nhidden = [6]")?.contains("network.hidden is [5], it was [6]") == true)
    #expect(
      try refusal("[network]\nhidden = [5]\n[training]\nseed = 4")?.contains("training.seed is 1, it was 4")
        == true)
    #expect(
      try refusal("[network]\nhidden = [5]\n[accelerated]\nl2 = 4")?.contains(
        "accelerated.l2 is \"auto\", it was 4") == true)
    #expect(
      try refusal("[network]\nhidden = [5]", DataFingerprint(sets: [1, 5, 3]))?.contains(
        "the validation set holds other samples") == true)
  }

  @Test func theEndThatRunJSONTells() {
    let text = """
      {
        "status": "time_limit",
        "exit_status": 75,
        "iterations": 12,
        "start": "2026-11-27T17:50:18Z",
      """
    let end = RecordedEnd(text)
    #expect(end?.status == .time_limit && end?.exitStatus == .stoppedEarly && end?.iterations == 12)
    #expect(RecordedEnd("") == nil && RecordedEnd("{\n\"status\": \"x\"\n") == nil)
  }
}
