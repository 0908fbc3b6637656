/// The numbers that method `accelerated` works by and that are no settings: one set for all data. docs/tried.md has
/// what others gave, by validation rows or several seeds of HIGGS's sample and of Fashion-MNIST.
enum AcceleratedTuning {
  // What is automatic.

  /// l2 is this over N. 67 costs 0.2 points on HIGGS and 90 costs 0.4; 1e-3 for any N overfits small data.
  static let l2 = 50.0
  /// A block holds one of so many parts of the samples at least, rounded up to a power of two of chunks: with HIGGS's
  /// sample of 45,000 a block of 1,024. Chosen, not tuned.
  static let blocks = 44
  /// Or this many: fewer say little of a Gram matrix of some hundred inputs. Chosen, not tuned.
  static let leastBlock = 256
  /// And not more at the start, so that a pass over ten million samples is a thousand steps. Chosen, not tuned.
  static let mostBlock = 8192

  // The average w̄ ← w̄ + (c + 1)/(t + c + 1) (w − w̄).

  /// c. With 8 or 16 runs end where they do with 4, and take longer to 64 %.
  static let averaging = 4

  // When batches grow.

  /// The passes whose mean objective is held against that of as many before: a batch's is noisy, and four are smooth
  /// enough.
  static let stallPasses = 4
  /// A decrease by less than this share is a stall. With the passes above worth 0.3 points on HIGGS.
  static let leastDecrease = 0.01
  /// Batches grow only while more than this share of the loss of outputs 0 is left: on Fashion-MNIST, which a
  /// network can learn by heart, growing costs 0.1 to 0.2 points.
  static let noisyPart = 0.5
  /// Fewer batches a pass than this are not worth their noise: a step then takes all samples. Chosen, not tuned.
  static let fewestBatches = 4
  /// The first sweep visits one of so many parts of the samples, so that the log shows the first thresholds. Chosen,
  /// not tuned.
  static let firstSweepParts = 16
  /// Or at least so many batches.
  static let firstSweepBatches = 4

  // What is no noise of batches.

  /// An objective so many times another has diverged: a batch's noise on the data sets of docs/results.md stays
  /// below 1.2.
  static let divergence = 1.5
  /// Below this share of the loss of outputs 0 multiples of the objective are noise: nothing diverges there. Chosen,
  /// not tuned.
  static let smallPart = 0.1
  /// The share of a batch's objective in the recent mean: about ten batches. Chosen, not tuned.
  static let recentShare = 0.1
  /// The recent mean is raised by this when a divergence was undone, so that the next batch is judged more mildly, and
  /// a mean that was too low does not undo every step. Chosen, not tuned.
  static let leniency = 1.1
  /// Where η is this part of what it was, after twenty halvings, another will not mend anything. Chosen, not tuned.
  static let leastStep = 1e-6

  // When Gram matrices are refreshed: they change ever less.

  /// Steps on batches between refreshes, at most, and at first `gramGrowth` times as many as were made: after 1, 4,
  /// 16, 64 steps. After 1, 4, 32 or 2, 6, 40 or 1, 3, 9, 40 they end alike.
  static let gramInterval = 64
  static let gramGrowth = 3
  /// The share of the known matrices that a batch's keep: two batches then average out, and start weights are soon
  /// forgotten. Chosen, not tuned.
  static let gramMemory = 0.5
  /// Quasi-Newton steps between refreshes; a pass costs half as much again with them.
  static let wholeGramInterval = 5
}
