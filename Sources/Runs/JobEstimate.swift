import Basics
import Configuration
import MPI
import Networks
import Reports

/// The bytes of a rank beside its arrays: libraries, messages, files.
private let libraryBytes = 200.0 * 1024 * 1024

/// What a job will need.
struct JobEstimate {
  /// The bytes of a rank; nil where nobody knows the number of samples.
  let bytes: Double?
  /// The bytes of a rank's arrays, or of a sample's.
  private let arrays: Double
  /// The seconds of an iteration; nil where nobody knows.
  private let iteration: Double?
  private let iterations: Int

  /// - Parameter ranks: of the job.
  init(
    _ configuration: Configuration, _ prospect: Prospect, ranks: Int, threads: Int, speed: IterationSpeed?
  ) {
    var own = configuration
    own.training.threadsPerRank = threads
    iterations = configuration.training.iterations
    func bytes(_ samples: Int, _ others: Int) -> Double {
      own.predictedBytes(prospect.network, training: samples, all: samples + others)
    }
    guard let samples = prospect.training else {
      self.bytes = nil
      arrays = bytes(1, 0) - bytes(0, 0)
      iteration = nil
      return
    }
    let share = largestShare(of: samples, ranks: ranks)
    arrays = bytes(share, largestShare(of: prospect.others, ranks: ranks))
    self.bytes = 1.1 * arrays + libraryBytes
    iteration = speed.map { $0.fixed + $0.aSample * Double(share) / Double(threads) }
  }

  /// The seconds of all iterations.
  var seconds: Double? { iteration.map { $0 * Double(iterations) } }

  /// Twice the time of the iterations and ten minutes, in steps of ten minutes, as Slurm writes it.
  var time: String? {
    guard let seconds, seconds < 1e9 else { return nil }
    let minutes = 10 * Int((2 * seconds / 600).rounded(.up)) + 10
    let (days, hours) = (minutes / 1440, minutes / 60 % 24)
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return (days > 0 ? "\(days)-" : "") + "\(two(hours)):\(two(minutes % 60)):00"
  }

  /// How many seconds before its end a job must hear of it, to finish an iteration and save: two minutes or more, whole
  /// ones.
  var notice: Int { 60 * Int(max(2, min((1 + 2 * (iteration ?? 0) / 60).rounded(.up), 1000))) }

  /// What it is based on, to be read in a comment.
  var lines: [String] {
    let memory =
      bytes == nil
      ? "about \(amount(arrays)) a sample, but only a full read of the data tells how many there are: set --mem."
      : "about \(amount(arrays)) of arrays a rank; --mem has a tenth more, and \(amount(libraryBytes)) for libraries."
    guard let iteration, let seconds else { return ["Memory: \(memory)", "Time: not known."] }
    return [
      "Memory: \(memory)",
      "Time: \(duration(iteration)) an iteration, \(duration(seconds)) for \(grouped(iterations)), measured on one "
        + "thread and \(grouped(IterationSpeed.samples.many)) made-up samples where",
      "this was made. Reading the data, evaluations and the network come on top.",
    ]
  }
}
