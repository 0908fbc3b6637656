import Basics
import LinearAlgebra
import MPI
import Sums

/// The weight step of Algorithm 1 as a metric: X_l ← X_l (G_l + ρ_l I)⁻¹ with G_l = (1/n) Σ a_{l−1} a_{l−1}ᵀ for all
/// weights at once.
///
/// W_l = z aᵀ (a aᵀ + ρI)⁻¹ is linear in z; for a change δ of the outputs it changes by δ aᵀ (a aᵀ + ρI)⁻¹: a sum
/// over samples, times this matrix. Single precision does, since ρ_l bounds its condition. A layer of few outputs
/// solves with the factor, a row at a time; where there are more, the inverse is computed once and multiplied many
/// times.
package struct GramMetric: ~Copyable {
  private let network: Network
  private var ridge: Double
  /// G_l of the inputs of layer l, l = 1 … L: upper triangles.
  private var grams: Layers<Matrix<Double>>
  /// G_l in single precision, then G_l + ρ_l I factored, and for many outputs inverted.
  private var rounded: Layers<Matrix<Float>>
  private var factors: Layers<Cholesky<Float>>
  private var inverses: Layers<Matrix<Float>>
  /// Room for X_l in the order of products and for the padded result.
  private var panels: Layers<Panels>
  private var results: Layers<Matrix<Float>>
  /// What is added to the diagonal of G_l for all inputs but the bias's 1.
  private var decay: [Double]
  /// Whether the hidden layers' G_l are known.
  private(set) var isSet = false

  /// - Parameter ridge: ρ_l is this times the mean of the diagonal of G_l.
  init(_ network: Network, ridge: Double) {
    let (L, d) = (network.L, network.widths)
    self.network = network
    self.ridge = ridge
    decay = [Double](repeating: 0, count: L + 1)
    func square<Number>(_ l: Int, isNeeded: Bool = true) -> Matrix<Number> {
      Matrix(rows: network.inputs(l), columns: isNeeded ? network.inputs(l) : 0)
    }
    grams = Layers(1..<L + 1) { l in square(l) }
    rounded = Layers(1..<L + 1) { l in square(l) }
    factors = Layers(1..<L + 1) { l in Cholesky(size: network.inputs(l)) }
    inverses = Layers(1..<L + 1) { l in square(l, isNeeded: d[l] >= Panels.fewRows) }
    panels = Layers(1..<L + 1) { l in Panels(rows: d[l], columns: network.inputs(l)) }
    results = Layers(1..<L + 1) { l in Matrix(rows: paddedRows(d[l]), columns: network.inputs(l)) }
  }

  /// With G of the data, which never changes. Collective; two reductions.
  ///
  /// - Throws: `NumericalError`, the same on all ranks, if the data's sums are not finite.
  package static func ofData(
    _ samples: borrowing Samples, _ network: Network, ridge: Double, over ranks: borrowing Communicator
  ) throws -> GramMetric {
    var metric = GramMetric(network, ridge: ridge)
    let G = try samples.gram(network, over: ranks)
    metric.blend(1, G.all, samples: samples.partition.samples, keep: 0)
    try metric.factor(1)
    return metric
  }

  /// Makes room for weights that decay: from here on it is G_l + ρ_l I + decay_l I₀, I₀ without the bias's 1. Local,
  /// the same on every rank.
  ///
  /// The hidden layers' systems follow with the next `setHidden`.
  package mutating func setDecay(_ new: (_ l: Int) -> Double) throws {
    for l in 1...network.L { decay[l] = new(l) }
    try factor(1)
  }

  /// Takes another ridge, and forgets the hidden layers' activations: `setHidden` is to follow. Local, the same on
  /// every rank.
  package mutating func restart(ridge: Double) throws {
    self.ridge = ridge
    isSet = false
    try factor(1)
  }

  /// Takes G of the hidden layers' activations over a batch. Local, the same on every rank.
  ///
  /// - Parameter keep: the share of what is known that is kept, so that batches average out.
  package mutating func setHidden<Rule>(from pass: borrowing Pass<Rule>, samples: Int, keep: Double) throws {
    for l in stride(from: 2, through: network.L, by: 1) {
      blend(l, pass.gram(l - 1), samples: samples, keep: isSet ? keep : 0)
      try factor(l)
    }
    isSet = true
  }

  /// D_l ← X_l (G_l + ρ_l I)⁻¹ for all l; the bias column stays 0 where there is none. Local, the same on every
  /// rank.
  package mutating func multiply(_ D: inout Matrix<Float>, _ X: borrowing Matrix<Float>) {
    for l in 1...network.L {
      let d = network.inputs(l)
      let (to, from) = (network.mutableParameters(l, of: &D), network.parameters(l, of: X).columns(0..<d))
      if panels[l].hasFewRows {
        for j in 0..<d { to.column(j).update(from: from.column(j), count: to.rows) }
        for i in 0..<to.rows { factors[l].solveFromRight(to.base + i, stride: to.stride) }
      } else {
        panels[l].assign(from)
        let result = results[l].mutableRows(0..<to.rows)
        panels[l].multiply(result, inverses[l].all)
        for j in 0..<d { to.column(j).update(from: result.column(j), count: to.rows) }
      }
    }
  }

  /// The Gram matrices of the hidden layers, from which the systems follow. Collective.
  package mutating func archive(_ state: any StateArchive) throws {
    try state("ridge", &ridge)
    try state("is_set", &isSet)
    try state.list("decay", &decay, count: decay.count)
    if isSet { for l in stride(from: 2, through: network.L, by: 1) { try state("gram\(l)", &grams[l]) } }
    guard state.isReading else { return }
    for l in 1...(isSet ? network.L : 1) { try factor(l) }
  }

  private mutating func blend(_ l: Int, _ G: Tile<Double>, samples: Int, keep: Double) {
    let scale = (1 - keep) / Double(samples)
    let to = grams[l].mutableBase
    for k in 0..<grams[l].count { to[k] = (keep == 0 ? 0 : keep * to[k]) + scale * G.base[k] }
  }

  private mutating func factor(_ l: Int) throws {
    let d = grams[l].rows
    let mean = meanDiagonal(grams[l].all)
    // Units that are all dead leave a zero matrix: any positive ridge does.
    let rho = mean > 0 ? ridge * mean : 1
    let to = rounded[l].mutableBase
    for j in 0..<d {
      for i in 0...j { to[i + j * d] = Float(grams[l].base[i + j * d]) }
      if j < network.widths[l - 1] { to[j + j * d] += Float(decay[l]) }
    }
    do { try factors[l].factor(rounded[l].all, ridge: Float(rho), smallestPivot: 0) } catch {
      throw NumericalError.unsolvable(system: "D_\(l)", reason: "\(error)")
    }
    if !panels[l].hasFewRows { factors[l].invert(into: &inverses[l]) }
  }
}
