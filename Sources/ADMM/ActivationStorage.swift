import Networks

/// Whether a_l is kept between two visits of a tile.
public enum ActivationStorage: String, CaseIterable, Sendable {
  /// Where that costs less than to compute it twice.
  case automatic = "auto"
  /// Always: 4 (d_l + 1) bytes a sample and hidden layer more.
  case stored
  /// Never: the least memory.
  case recomputed

  /// For a core that does 16 operations in the time of a byte to or from memory: a_l costs `ActivationStep.flops` to
  /// compute and 8 d_l bytes to store and load.
  static let flopsPerByte = 16

  /// Whether to store a_l, by l; the entry for 0 has no meaning.
  package func isStored(_ network: Network) -> [Bool] {
    (0..<network.L).map { l in
      guard l > 0 else { return false }
      return switch self {
      case .stored: true
      case .recomputed: false
      case .automatic:
        ActivationStep.flops(from: network.widths[l + 1], to: network.widths[l])
          > Self.flopsPerByte * 8 * network.widths[l]
      }
    }
  }
}
