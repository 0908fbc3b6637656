import LinearAlgebra

/// The squared norms of z − m, z, a − h(z) and a over a layer's entries: single precision within a block, double
/// beyond.
package struct LayerResiduals: Sendable {
  package private(set) var outputs = 0.0
  package private(set) var outputNorm = 0.0
  package private(set) var activations = 0.0
  package private(set) var activationNorm = 0.0
  private var block = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)

  /// All norms 0.
  package init() {}

  @inline(__always)
  mutating func add(m: Lanes, z: Lanes, a: Lanes, h: Lanes, count: Int) {
    let (outputs, activations) = ((z - m).first(count), (a - h).first(count))
    let (z, a) = (z.first(count), a.first(count))
    block.0 = .multiplyAdd(outputs, outputs, block.0)
    block.1 = .multiplyAdd(z, z, block.1)
    block.2 = .multiplyAdd(activations, activations, block.2)
    block.3 = .multiplyAdd(a, a, block.3)
  }

  @inline(__always)
  mutating func endBlock() {
    outputs += Double(block.0.total)
    outputNorm += Double(block.1.total)
    activations += Double(block.2.total)
    activationNorm += Double(block.3.total)
    block = (.zero, .zero, .zero, .zero)
  }
}
