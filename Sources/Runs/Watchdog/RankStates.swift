import Basics
import Files
import Glibc
import Reports

/// What a rank says of itself now and then, while others may be waiting for it.
package struct RankState: Equatable, Sendable {
  /// What its main thread does.
  package enum Work: String, Sendable {
    /// It waits for others, in a call to MPI.
    case waiting
    /// It uses a processor.
    case computing
    /// It does neither: it waits for a disk, or for whoever reads its output.
    case blocked
  }

  package var work: Work
  /// Where that is.
  package var phase: Int
  package var iteration: Int
  /// Since when nothing has changed, in seconds.
  package var idle: Double
  /// Grows with each word of the rank: it is alive.
  package var beat: Int

  package init(_ work: Work, phase: Int, iteration: Int, idle: Double, beat: Int) {
    self.work = work
    self.phase = phase
    self.iteration = iteration
    self.idle = idle
    self.beat = beat
  }

  /// "phase update of iteration 12".
  var place: String { Progress.State(phase: phase, iteration: iteration, isInMPI: work == .waiting).place }
}

/// A small file in the run directory with a line for each rank, which that rank alone writes: what a rank was last
/// doing is known though it says nothing any more, on all hosts that have the directory.
///
/// Each use opens and closes the file, so that a network file system shows it to other hosts.
package struct RankStates: Sendable {
  /// The file in the run directory.
  package static let name = ".admm-mpi.ranks"
  /// Bytes of a line.
  private static let width = 96

  private let path: String
  /// Tells this job's lines from those of another.
  private let job: String
  private let ranks: Int

  package init(in directory: String, job: String, ranks: Int) {
    path = directory + "/" + Self.name
    self.job = job
    self.ranks = ranks
  }

  /// Writes a rank's line. Local; rank 0 makes the file where there is none.
  ///
  /// - Returns: whether it could.
  package func write(_ state: RankState, of rank: Int) -> Bool {
    let fields = [
      "rank \(rank)", state.work.rawValue, "phase \(state.phase)", "iteration \(state.iteration)",
      "idle \(fixed(state.idle, 1))", "beat \(state.beat)", "job \(job)",
    ]
    let line = pad(fields.joined(separator: " "), to: Self.width - 1, .left) + "\n"
    let file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (rank == 0 ? O_CREAT : 0), 0o666)
    guard file >= 0 else { return false }
    let count = pwrite(file, line, Self.width, rank * Self.width)
    return close(file) == 0 && count == Self.width
  }

  /// All ranks' lines; nil for ranks that this job has none of. Local.
  ///
  /// - Returns: nil where the file can't be read.
  package func read() -> [RankState?]? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: ranks * Self.width)
    guard pread(file, &bytes, bytes.count, 0) > 0 else { return nil }
    return (0..<ranks).map { rank in
      state(String(decoding: bytes[rank * Self.width..<(rank + 1) * Self.width], as: UTF8.self), rank)
    }
  }

  /// Takes the file away. Local.
  package func remove() { unlink(path) }

  private func state(_ line: String, _ rank: Int) -> RankState? {
    let words = line.split { $0 == " " || $0 == "\n" }.map(String.init)
    guard words.count == 13, words[1] == "\(rank)", words[12] == job,
      let work = RankState.Work(rawValue: words[2]), let phase = Int(words[4]), let iteration = Int(words[6]),
      let idle = Double(words[8]), let beat = Int(words[10])
    else { return nil }
    return RankState(work, phase: phase, iteration: iteration, idle: idle, beat: beat)
  }
}
