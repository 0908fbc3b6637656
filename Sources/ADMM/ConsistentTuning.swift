/// The numbers that method `consistent` works by and that are no settings: one set for all data. docs/tried.md has
/// what its parts are worth, measured on rows of HIGGS, Fashion-MNIST and digits.
enum ConsistentTuning {
  // The start.

  /// W_1 is this times the random weights of the other methods: the multipliers of the first sweeps then move the
  /// units apart. Chosen, not tuned.
  static let firstWeights: Float = 0.5
  /// The automatic l2 is this over N: a prior that means the same for any number of samples. Without L2 it learns
  /// less on all three data sets, by 3 points on HIGGS; other values are not recorded.
  static let l2 = 90.0

  // β_l = β_{l+1} max(¼, ½ ‖V_{l+1}‖₂ ‖V_{l+1}‖_F / √d_{l+1}): as an error of the outputs of layer l + 1 is to one of
  // layer l. Deep nets need some such rule; for one hidden layer equal penalties do as well.

  /// The ½. Chosen, not tuned.
  static let penaltyScale = 0.5
  /// The ¼: weights near 0, as at the start, must not free a layer from its constraint. Chosen, not tuned.
  static let leastPenaltyRatio = 0.25

  // The common factor of the penalties: the safeguard, a mild gain. Its rates are chosen, not tuned.

  /// When the objective rises.
  static let raise = 1.5
  /// While a residual ‖a_l − h(m_l)‖ / ‖h(m_l)‖ is above `largeResidual`: by half in eight sweeps.
  static let gentleRaise = 1.05
  static let largeResidual = 0.01
  /// Otherwise: slower than it rises, so that it settles where the constraints just hold.
  static let decline = 0.98
  /// Beyond these bounds the penalties would say nothing but that the run is lost, or that there is nothing to hold.
  static let mostScale = 100.0
  static let leastScale = 1e-3

  /// Sweeps between new Gram matrices, at first as many as were made: after 1, 2, 4, 8 sweeps, then every five. They
  /// change ever less, and the proximal term lets old ones serve.
  static let gramInterval = 5
}
