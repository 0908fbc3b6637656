import Basics
import Configuration
import Files
import MPI
import Networks
import Reports
import Runs

extension Check {
  /// A checkpoint of every method, written by all ranks: training goes on from it to the same bits, on all ranks and on
  /// each rank alone.
  ///
  /// - Parameter spoil: what happens to the file before it is read.
  package static func checkpoints(_ spoil: @escaping @Sendable (_ path: String) throws -> Void = { _ in })
    -> Check
  {
    let advice =
      "Runs could not go on after an interruption: see \"shared file\" and \"same bits\" first, else report it."
    return Check(name: "checkpoints", advice: advice, isOfFiles: true) { site, ranks in
      guard let directory = site.directory else { return noDirectory }
      let training = SmallTraining(isQuick: site.isQuick)
      let alone = try Communicator.alone()
      var faults = Faults()
      for method in Configuration.methods {
        let (settings, path) = (method.init(), "\(directory)/\(method.name).h5")
        let (count, range) = (training.count, training.samples(of: ranks).range)
        let straight = try training.weights(settings, over: ranks) { writer in
          try writer.write(to: PendingFile(path), samples: count, range: range, over: ranks)
        }
        let fault = ranks.isRoot ? faultOf { try spoil(path) } : nil
        faults.expect(fault == nil, fault ?? "")
        try ranks.barrier()
        let resumed = try training.weights(
          settings, from: CheckpointFile(path, range: range, over: ranks), over: ranks)
        faults.expect(
          resumed == straight,
          "\(method.name) goes on to the weights \(brief(resumed)), and without a stop comes to \(brief(straight))"
        )
        var lone = ""
        let loneFault = faultOf {
          lone = try training.weights(
            settings, from: CheckpointFile(path, range: 0..<count, over: alone), over: alone)
        }
        faults.expect(loneFault == nil, loneFault ?? "")
        faults.expect(
          lone == straight, "\(method.name) goes on to other weights on this rank alone, \(brief(lone))")
      }
      return Finding(
        faults.first,
        else:
          "\(Configuration.methods.count) methods go on from theirs to the same bits, on \(onRanks(ranks.size))"
      )
    }
  }

  /// Rank 0 starts a small run of one rank, kills it, has another go on, and a third do it without a stop.
  ///
  /// - Parameter program: what is started.
  package static func killAndResume(program: String? = nil) -> Check {
    let advice =
      "A run that is killed here may be lost. Start the program alone on this host (admm-mpi verify without mpirun) and "
      + "read what it says."
    return Check(name: "kill and resume", advice: advice, isOfFiles: true) { site, ranks in
      guard let directory = site.directory else { return noDirectory }
      var detail = ""
      let fault =
        ranks.isRoot
        ? faultOf { detail = try KilledRun(program ?? site.program, in: directory).outcome() } : nil
      // The others are idle meanwhile.
      try ranks.barrier()
      return Finding(fault, else: detail)
    }
  }
}

/// A small run in processes of its own.
private struct KilledRun {
  private let program: String
  private let directory: String
  private let configuration: String

  init(_ program: String, in directory: String) throws {
    (self.program, self.directory) = (program, directory)
    configuration = "\(directory)/killed.toml"
    let text = """
      [data]
      synthetic = 3000
      synthetic_features = 12
      synthetic_classes = 3

      [network]
      hidden = [20, 9]

      [training]
      method = "taylor"

      [checkpoint]
      every_iterations = 1

      """
    try PendingFile(configuration).write(Array(text.utf8))
  }

  /// What came of it. Throws what is wrong.
  func outcome() throws -> String {
    for iterations in [40, 160, 640] {
      // It is killed once it has the checkpoints; where it is too quick for that, a longer one may not be.
      guard let reached = try killed(iterations) else { continue }
      try finish("killed", iterations, ["--resume"])
      try finish("whole", iterations, [])
      let (own, whole) = (try weights("killed"), try weights("whole"))
      guard own == whole else {
        throw Failure(
          .numericalFailure,
          "the run that was killed ends with the weights \(brief(own)), and another with \(brief(whole)).")
      }
      return "killed after \(reached) of \(iterations) iterations, went on to the same bits"
    }
    throw Failure(.numericalFailure, "the run ended before it could be killed.")
  }

  private func arguments(_ name: String, _ iterations: Int) -> [String] {
    [
      configuration, "--quiet", "--output", "\(directory)/\(name)", "--set",
      "training.iterations=\(iterations)",
      "--set", "output.overwrite=true",
    ]
  }

  /// Starts a run and kills it after its third checkpoint; how many there were, or nil where it was done before.
  private func killed(_ iterations: Int) throws -> Int? {
    let child = try Child(program, arguments("killed", iterations), log: "\(directory)/killed.log")
    var newest = 0
    let isOver = child.wait(atMost: 60) {
      newest = Checkpoints.numbers(in: "\(directory)/killed").first ?? 0
      return newest >= 3
    }
    let end = child.kill()
    if end == .killed && newest >= 3 { return newest }
    guard end == .ended(0) else { throw child.failure(isOver ? "\(end)" : "no checkpoint within 60 s") }
    return nil
  }

  private func finish(_ name: String, _ iterations: Int, _ more: [String]) throws {
    let child = try Child(program, arguments(name, iterations) + more, log: "\(directory)/\(name).log")
    _ = child.wait(atMost: 60) { false }
    let end = child.kill()
    guard end == .ended(0) else { throw child.failure(end == .killed ? "no end within 60 s" : "\(end)") }
  }

  /// The digest in run.json.
  private func weights(_ name: String) throws -> String {
    let text = try contents(of: "\(directory)/\(name)/run.json")
    guard let digest = recordedValue("weights_sha256", in: text) else {
      throw Failure(.inputOutput, "run.json of the run \(name) has no weights_sha256.")
    }
    return digest
  }
}
