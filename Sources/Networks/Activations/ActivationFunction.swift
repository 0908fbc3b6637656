import LinearAlgebra

/// An h: its values, its slopes and its z-update on sixteen numbers at once, and the kernels that are made of them.
///
/// The kernels are requirements with a default each (Kernels/). So the compiler makes every conforming type kernels
/// of its own, with h compiled in, and a call through `any ActivationFunction` costs one indirect call a tile.
protocol ActivationFunction: Sendable {
  associatedtype Hidden: HiddenFunction
  associatedtype Slope: SlopeFunction
  associatedtype Step: EntryStep

  /// The name in configurations and model files.
  var name: String { get }
  /// h.
  var hidden: Hidden { get }
  /// h', read off what the way forward keeps.
  var slope: Slope { get }
  /// The minimiser of γ (a − h(z))² + β (z − m)².
  func step(beta: Float, gamma: Float) -> Step

  // Kernels: see `Activation`, which has them one for one.

  func apply(_ a: MutableTile<Float>, _ z: Tile<Float>, slopes: MutableTile<Float>?)
  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, slopes: MutableTile<Float>?)
  func apply(
    _ a: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>,
    output: (v: UnsafePointer<Float>, b: Float), m: UnsafeMutablePointer<Float>,
    work: UnsafeMutablePointer<Float>, slopes: MutableTile<Float>?)
  func multiplySlope(
    _ result: MutableTile<Float>, _ B: borrowing Panels, _ delta: Tile<Float>, kept: Tile<Float>)
  func addSlopes(_ S: MutableTile<Float>, kept: Tile<Float>, _ x: Tile<Float>, meanwhile: () -> Void)
  func minimise(
    _ z: MutableTile<Float>, _ W: borrowing Panels, _ x: Tile<Float>, a: Activations, beta: Float,
    gamma: Float, residuals: inout LayerResiduals?, work: UnsafeMutablePointer<Float>)
  func minimise(_ z: MutableTile<Float>, m: Tile<Float>, a: Tile<Float>, beta: Float, gamma: Float)
  func updateHidden(
    delta: MutableTile<Float>, m: Tile<Float>, u: MutableTile<Float>, v: MutableTile<Float>, factor: Float
  ) -> (residual: Double, norm: Double)

  // Kernels of `ActivationStep` for few outputs.

  func updateActivations(
    _ a: MutableTile<Float>, z: Tile<Float>, next: Tile<Float>, by weights: FewOutputWeights)
  func recallActivations(
    _ residual: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, z: Tile<Float>,
    next: Tile<Float>, by weights: FewOutputWeights, row: UnsafePointer<Float>)
}

extension ActivationFunction {
  var keepsSlopes: Bool { Hidden.keepsSlopes }
}

/// h for sixteen numbers at once.
protocol HiddenFunction {
  /// Whether h' can't be read off h(z), so that the way back needs it kept.
  static var keepsSlopes: Bool { get }
  /// h(z)
  func h(_ z: Lanes) -> Lanes
  /// h(z) and h'(z); called where slopes are kept.
  func withSlope(_ z: Lanes) -> (h: Lanes, slope: Lanes)
}

extension HiddenFunction {
  static var keepsSlopes: Bool { false }

  func withSlope(_ z: Lanes) -> (h: Lanes, slope: Lanes) {
    preconditionFailure("the slopes of \(Self.self) are read off its values")
  }
}

/// h' for sixteen numbers at once, from what the way forward keeps: h'(z) itself, or h(z) where h' can be read off
/// it.
protocol SlopeFunction: EntryFunction {
  /// h' ∘ x
  func multiply(_ x: Lanes, kept: Lanes) -> Lanes
}

extension SlopeFunction {
  /// h'
  @inline(__always)
  func callAsFunction(_ kept: Lanes) -> Lanes { multiply(Lanes(repeating: 1), kept: kept) }
}

/// The minimiser of γ (a − h(z))² + β (z − m)², sixteen entries at a time.
protocol EntryStep: HiddenFunction {
  func best(_ a: Lanes, _ m: Lanes) -> Lanes
}
