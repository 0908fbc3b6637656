import LinearAlgebra
import Sums

/// What δ_l is multiplied by on its way to δ_{l−1}.
package enum BackwardMatrix {
  /// d_{l−1} × d_l; valid until the next one is asked for.
  case matrix(Tile<Float>)
  /// V_l itself, d_l × d_{l−1}, which is to be transposed.
  case transposed(Tile<Float>)
}

/// The rule of the way back: how an error at a network's outputs becomes one at the outputs of every layer. Compiled
/// into `Pass`.
///
/// δ_l has the sign of a gradient: a step along −δ_l lowers the objective. One rule serves all threads of a rank;
/// what it keeps for a thread it finds by the tile's number of the thread.
package protocol BackwardRule: AnyObject {
  /// Whether z_l is needed on the way back, and is to be kept beside a_l.
  static var keepsOutputs: Bool { get }
  /// How many products of V_l's size the way back takes.
  static var productsBack: Int { get }
  /// How many sums of single numbers travel along: Σ ℓ, and the rule's own.
  static func scalars(_ network: Network) -> Int
  /// B_l for the weights of the next pass. Local, the same on every rank.
  func backward(_ l: Int, V: Tile<Float>) throws -> BackwardMatrix
  /// δ_L from z_L, which stands in its place. Returns Σ ℓ(z_L, y) over the tile. Local.
  func setLastDelta(_ tile: PassTile) -> Double
  /// δ_l from δ_{l+1}, l < L. Local.
  func setDelta(_ l: Int, _ tile: PassTile, W: borrowing Panels, B: borrowing Panels)
  /// The share of the decay l2 V_l that belongs to the sum of δ_l a_{l−1}ᵀ.
  func decayShare(_ l: Int) -> Double
  /// Does `body` for a tile. A pass that only measures sums is followed by another: what a rule keeps of its samples
  /// must then be as before.
  func visit(_ tile: PassTile, isMeasuring: Bool, _ body: () -> Void)
  /// The last tile of a pass has been visited.
  func endPass(isMeasuring: Bool)
  /// Takes the totals of the sums of single numbers.
  func read(_ scalars: ExactSum)
  /// What it keeps from pass to pass. Collective.
  func archive(_ state: any StateArchive) throws
}

extension BackwardRule {
  package static var keepsOutputs: Bool { false }
  package static var productsBack: Int { 1 }
  package static func scalars(_ network: Network) -> Int { 1 }

  /// δ_l ← h'(z_l) ∘ B_{l+1} δ_{l+1}
  package func setDelta(_ l: Int, _ tile: PassTile, W: borrowing Panels, B: borrowing Panels) {
    tile.network.activation.multiplySlope(tile.delta(l), B, Tile(tile.delta(l + 1)), kept: tile.kept(l))
  }

  package func decayShare(_ l: Int) -> Double { 1 }
  package func visit(_ tile: PassTile, isMeasuring: Bool, _ body: () -> Void) { body() }
  package func endPass(isMeasuring: Bool) {}
  package func read(_ scalars: ExactSum) {}
  package func archive(_ state: any StateArchive) throws {}
}

/// The chain rule: the sums are the objective's gradient.
///
///     δ_L = ∂ℓ/∂z_L,   δ_{l−1} = h'(z_{l−1}) ∘ V_lᵀ δ_l
package final class ChainRule: BackwardRule {
  package init() {}

  package func backward(_ l: Int, V: Tile<Float>) -> BackwardMatrix { .transposed(V) }

  package func setLastDelta(_ tile: PassTile) -> Double {
    tile.network.loss.derivative(tile.delta(tile.network.L), y: tile.y)
  }
}
