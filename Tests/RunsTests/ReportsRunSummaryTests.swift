import Configuration
import Files
import Foundation
import MPI
import Reports
import Runs
import Testing

private let launch = Launch(
  start: "2026-01-02T03:04:05Z", command: commandLine(["admm-mpi", "configs/a b.toml"]), slurmJob: "17",
  machine: Machine(
    hosts: [Machine.Host(name: "n1", ranks: 2, cores: 8), Machine.Host(name: "n2", ranks: 2, cores: 8)],
    hostOfRank: ["n1", "n1", "n2", "n2"], threads: 1,
    coresOfRank: [Cores](repeating: Cores(0..<8), count: 4)),
  versions: Versions(
    commit: "1a2b3c4", mpi: "Open MPI v4.1.4", blas: "OpenBLAS 0.3.21", blasKernel: "SkylakeX", hdf5: "1.10.8"
  ))

/// 4 ranks, 10 iterations of 5 s.
private func summary() throws -> RunSummary {
  let seconds: [Phase: Double] = [
    .load: 3, .baseline: 6, .start: 2, .solve: 5, .update: 10, .sum: 20, .reduce: 15, .evaluate: 4, .save: 1,
  ]
  let phases = PhaseReport(
    phases: Phase.allCases.map { Spread([Double](repeating: seconds[$0] ?? 0, count: 4)) },
    total: Spread([66, 66, 66, 66]))
  let configuration = try Configuration(
    text: "[data]\ntrain = \"a.csv\"\n[stop]\ntime_limit = \"1m\"\n", file: "configs/x.toml",
    currentDirectory: "/home", settings: [])
  var summary = RunSummary(
    .init(.max_iterations, iterations: 10), launch: launch, settings: .init(configuration),
    problem: .init(layers: [28, 300, 1], parameters: 9001, samples: (train: 100, validation: nil, test: 20)),
    results: .init(
      final: .object(["test_accuracy": .number(0.5)]),
      best: .object(["iteration": 9]),
      baselines: .object(["majority": .object(["test_accuracy": .number(0.75)])]), weightsSHA256: "ab"),
    cost: .init(
      flopsPerIteration: 4e12, sumFlopsPerIteration: 3e12, sgemmGflopsPerRank: 400,
      bytesReducedPerIteration: 1234,
      reductionsPerIteration: 2),
    phases: phases, memory: PeakMemory(max: 100, sum: 400), warnings: ["n1 is \"hot\""])
  summary.resumedAt = [3, 7]
  summary.checkpoints = (2, 0.5)
  return summary
}

extension IterationRecord {
  /// A record in which everything applies.
  fileprivate static var full: IterationRecord {
    var record = IterationRecord(iteration: 1, seconds: 1, notes: ["note"])
    (record.passes, record.objective, record.loss) = (1, 1, 1)
    (record.lambda_max, record.gflops_per_rank) = (1, 1)
    (record.residual_z, record.residual_a, record.residual_output) = (1, 1, 1)
    (record.train_accuracy, record.validation_accuracy, record.test_accuracy) = (1, 1, 1)
    (record.train_rmse, record.validation_rmse, record.test_rmse) = (1, 1, 1)
    return record
  }
}

@Suite struct ReportsRunSummaryTests {
  @Test func runJSONSaysWhatHappened() throws {
    let text = try summary().json.document
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["status"] as? String == "max_iterations")
    #expect(object["exit_status"] as? Int == 0)
    #expect(object["layers"] as? [Int] == [28, 300, 1])
    #expect(object["samples"] as? [String: Int] == ["train": 100, "test": 20])
    #expect(object["command"] as? String == "admm-mpi 'configs/a b.toml'")
    #expect(object["warnings"] as? [String] == ["n1 is \"hot\""])
    let seconds = try #require(object["seconds"] as? [String: Double])
    #expect(
      seconds == [
        "load": 3, "baseline": 6, "train": 52, "evaluate": 4, "save": 1, "total": 66, "per_iteration": 5,
      ])
    // 4e12 operations in 5 s on 4 ranks.
    let speed = try #require(object["gflops_per_rank"] as? Double)
    #expect(abs(speed - 200) < 1e-9)
    let config = try #require(object["config"] as? [String: [String: Any]])
    #expect(config["data"]?["train"] as? String == "/home/configs/a.csv")
    #expect(config["stop"]?["time_limit"] as? Double == 60)
    #expect(config["network"]?["hidden"] as? [Int] == [64, 64, 64])
    #expect((object["config_sha256"] as? String)?.count == 64)
  }

  /// The record by which the manual is judged leaves nothing out: a new quantity must be set there, and so have its
  /// row.
  @Test func theFullRecordHasEverything() {
    for member in Mirror(reflecting: IterationRecord.full).children {
      let value = Mirror(reflecting: member.value)
      #expect(value.displayStyle != .optional || !value.children.isEmpty, "\(member.label ?? "") is not set")
    }
  }

  /// docs/run-directory.md has a row for each key of run.json and of a line of iterations.jsonl, and none else.
  @Test func theManualHasExactlyTheKeys() throws {
    let manual = try String(
      contentsOf: URL(filePath: #filePath).appending(path: "../../../docs/run-directory.md").standardized,
      encoding: .utf8)
    func keys(_ section: String) throws -> [String] {
      let rows = try #require(manual.split(separator: "## ").first { $0.hasPrefix(section) })
        .split(separator: "\n").filter { $0.hasPrefix("| `") }
      return rows.flatMap { row in
        row.split(separator: "|")[0].matches(of: #/`(\w+)`/#).map { String($0.1) }
      }
    }
    guard case .object(let run) = try summary().json, case .object(let line) = IterationRecord.full.json
    else {
      Issue.record("not objects")
      return
    }
    for (section, members) in [("run.json", run), ("iterations.jsonl", line)] {
      let (described, written) = (try keys(section), members.map(\.key))
      let different = Set(described).symmetricDifference(written).sorted()
      #expect(described.count == written.count && different.isEmpty, "\(section): \(different)")
    }
    #expect(try keys("On the console") == Phase.allCases.map(\.name))
  }

  @Test func aRunWithoutIterationsIsStillJSON() throws {
    var none = try summary()
    none.outcome = .init(.diverged, exitStatus: .numericalFailure, iterations: 0)
    let text = none.json.document
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["gflops_per_rank"] is NSNull)
    #expect(object["exit_status"] as? Int == 70)
  }

  @Test func theBannerSaysEverythingInAlignedLines() {
    let banner = Banner(
      launch, data: [("train", "a.csv, 100 samples")], widths: [28, 300, 1],
      traits: ["relu", "hinge", "bias"],
      parameters: 9001, method: "taylor, seed 1", memory: Spread([0x1p30, 0x1.8p31]), directory: "runs/x")
    #expect(
      banner.lines == [
        "admm-mpi \(Versions.program) (commit 1a2b3c4, Swift \(Versions.swift))",
        "  started  2026-01-02T03:04:05Z, Slurm job 17",
        "  command  admm-mpi 'configs/a b.toml'",
        "  ranks    4 ranks × 1 thread on 2 hosts: n[1-2] × 2",
        "  MPI      Open MPI v4.1.4",
        "  BLAS     OpenBLAS 0.3.21, kernel SkylakeX, 1 thread a call",
        "  HDF5     1.10.8",
        "  train    a.csv, 100 samples",
        "  network  28-300-1, relu, hinge, bias, 9,001 parameters",
        "  method   taylor, seed 1",
        "  memory   1 GiB to 3 GiB a rank, 2 GiB on average",
        "  results  runs/x",
      ])
  }

  @Test func theLibrariesOfThisProcess() {
    let versions = Versions.current
    #expect(!versions.mpi.isEmpty && !versions.blasKernel.isEmpty)
    #expect(versions.blas.hasPrefix("OpenBLAS"))
    #expect(versions.hdf5.split(separator: ".").count == 3)
    #expect(!versions.commit.isEmpty)
  }

  @Test(arguments: [
    (["admm-mpi", "a.toml", "--set", "x.y=1"], "admm-mpi a.toml --set x.y=1"),
    (["a", "it's", ""], #"a 'it'\''s' ''"#),
  ])
  func commandLinesAreQuotedForAShell(arguments: [String], line: String) {
    #expect(commandLine(arguments) == line)
  }
}
