import Basics
import Configuration
import Files
import MPI
import Models
import Reports
import Runs

/// The files that a comparison leaves.
enum StudyFiles {
  static let table = "table.txt"
  static let json = "table.json"
  static let series = "series.jsonl"
  static let tables = [table, json, series]
  static let all =
    tables + StudyAxis.allCases.flatMap { axis in ["svg", "gp", "dat"].map { "\(axis.rawValue).\($0)" } }
}

/// What a comparison says and leaves: the same on every rank.
struct StudyReport {
  private let request: CompareRequest
  private let contenders: [Contender]
  private let launch: Launch
  let measure: StudyMeasure
  private let directory: RunDirectory
  /// The widest name in the table.
  private let nameWidth: Int

  init(
    _ request: CompareRequest, _ contenders: [Contender], _ launch: Launch, _ measure: StudyMeasure,
    _ directory: RunDirectory
  ) {
    self.request = request
    self.contenders = contenders
    self.launch = launch
    self.measure = measure
    self.directory = directory
    nameWidth = contenders.map(\.name.count).max() ?? 0
  }

  /// What is said before the runs, and at the head of table.txt: how the job was started, the data, a line a
  /// configuration.
  func heading(_ data: borrowing TrainingData) -> [String] {
    var rows = data.rows(contenders[0].configuration)
    let list = request.seeds.prefix(12).map { "\($0)" }.joined(separator: ", ")
    let split =
      data.sampleCounts.validation == nil ? "" : "; the validation set is drawn by \(request.seeds[0])"
    rows.append(("seeds", "\(request.seeds.count): \(list)\(request.seeds.count > 12 ? ", …" : "")\(split)"))
    rows.append(("results", directory.path))
    var table = TextTable(
      ["", "method", "network", "iterations", "file"], [.left, .left, .left, .right, .left])
    for contender in contenders {
      let configuration = contender.configuration
      table.add([
        contender.name, configuration.methodSummary,
        network(of: configuration, data), "\(configuration.training.iterations)", contender.file,
      ])
    }
    return launch.heading(rows) + [""] + table.lines + [""]
  }

  private func network(of configuration: Configuration, _ data: borrowing TrainingData) -> String {
    let loss = configuration.loss(for: data.labels)
    let outputs = Scoring.outputs(data.labels, loss: loss)
    let widths = configuration.network(features: data.samples.featureCount, outputs: outputs).widths
    return widths.map(String.init).joined(separator: "-") + ", \(configuration.network.activation), \(loss)"
  }

  /// What is said after a run.
  func line(_ contender: Contender, _ run: StudyRun) -> String {
    func number(_ record: IterationRecord) -> String { measure.text(measure.value(record)) }
    return "\(pad(contender.name, to: nameWidth, .left))  seed \(run.seed.map { "\($0)" } ?? "–"): "
      + "\(measure.title) \(number(run.last)), best \(number(run.best)); "
      + "\(brief(StudyAxis.passes.value(run.last))) passes, \(duration(run.last.seconds))"
      + (run.status.map { "; \($0.rawValue)" } ?? "")
  }

  /// Writes table.txt, table.json and the plots, and says where. Collective.
  func write(
    _ study: Study, _ data: borrowing TrainingData, _ console: Console, over ranks: borrowing Communicator
  ) throws {
    let text = heading(data) + study.lines
    try directory.write(StudyFiles.table, text.joined(separator: "\n") + "\n", over: ranks)
    let json = json(study, data, warnings: console.warnings)
    try directory.write(StudyFiles.json, json.document, over: ranks)
    let plots = try plot(study, console, over: ranks)
    console.print(["", "results: \(directory.path) (\((StudyFiles.tables + plots).joined(separator: ", ")))"])
  }

  /// table.json.
  private func json(_ study: Study, _ data: borrowing TrainingData, warnings: [String]) -> JSON {
    let samples = data.sampleCounts
    func entry(_ entry: StudyEntry, _ contender: Contender?) -> JSON {
      let configuration = contender.map {
        [JSON.Member("file", .string($0.file)), JSON.Member("config", $0.configuration.json)]
      }
      return .object(entry.members(study) + (configuration ?? []))
    }
    return .object([
      "start": .string(launch.start), "command": .string(launch.command),
      "slurm_job_id": launch.slurmJob.map { .string($0) },
      "ranks": .integer(launch.machine.ranks), "threads_per_rank": .integer(launch.machine.threads),
      "hosts": launch.machine.hostsJSON, "warnings": .array(warnings.map { .string($0) }),
      "versions": launch.versions.json,
      "samples": .object([
        "train": .integer(samples.train), "validation": samples.validation.map { .integer($0) },
        "test": samples.test.map { .integer($0) },
      ]),
      "seeds": .array(request.seeds.map { .verbatim("\($0)") }),
      "measure": .string(measure.key), "unit": .string(measure.isAccuracy ? "percent" : "target"),
      "entries": .array(
        study.entries.enumerated().map { i, one in entry(one, i < contenders.count ? contenders[i] : nil) }),
    ])
  }

  /// Writes data and script of each plot and has rank 0 draw them, where gnuplot is. Collective.
  ///
  /// - Returns: the figures that were drawn; meaningful on rank 0.
  private func plot(_ study: Study, _ console: Console, over ranks: borrowing Communicator) throws -> [String]
  {
    let plots = StudyAxis.allCases.compactMap { StudyPlot(study, $0) }
    for plot in plots {
      try directory.write("\(plot.stem).dat", plot.data, over: ranks)
      try directory.write("\(plot.stem).gp", plot.script, over: ranks)
    }
    var drawn: [String] = []
    guard ranks.isRoot else { return drawn }
    for plot in plots {
      if let problem = problem(drawing: plot) {
        console.warn("\(problem), so there is no plot; the scripts and their data are in \(directory.path).")
        break
      }
      drawn.append("\(plot.stem).svg")
    }
    return drawn
  }

  /// Has gnuplot draw a figure. Local.
  ///
  /// - Returns: what went wrong, or nil.
  private func problem(drawing plot: StudyPlot) -> String? {
    do {
      try directory.pending("\(plot.stem).svg").write { figure in
        if let problem = runGnuplot("\(plot.stem).gp", in: directory.path, output: figure.path) {
          throw Failure(.inputOutput, problem)
        }
      }
      return nil
    } catch {
      return "\(error)"
    }
  }
}
