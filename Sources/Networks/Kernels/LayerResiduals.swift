import LinearAlgebra

/// The squared norms of z − m, z, a − h(z) and a over a layer's entries: single precision within a block of
/// the product, double beyond.
package struct LayerResiduals: Sendable {
  package private(set) var outputs = 0.0
  package private(set) var outputNorm = 0.0
  package private(set) var activations = 0.0
  package private(set) var activationNorm = 0.0
  private var partial = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)

  /// All norms 0.
  package init() {}

  @inline(__always)
  mutating func add(m: Lanes, z: Lanes, a: Lanes, h: Lanes, count: Int) {
    let (outputs, activations) = ((z - m).first(count), (a - h).first(count))
    let (z, a) = (z.first(count), a.first(count))
    partial.0 = .multiplyAdd(outputs, outputs, partial.0)
    partial.1 = .multiplyAdd(z, z, partial.1)
    partial.2 = .multiplyAdd(activations, activations, partial.2)
    partial.3 = .multiplyAdd(a, a, partial.3)
  }

  @inline(__always)
  mutating func endBlock() {
    outputs += Double(partial.0.total)
    outputNorm += Double(partial.1.total)
    activations += Double(partial.2.total)
    activationNorm += Double(partial.3.total)
    partial = (.zero, .zero, .zero, .zero)
  }
}
