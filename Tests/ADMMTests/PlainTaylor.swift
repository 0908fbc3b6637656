import ADMM
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Sums

/// Algorithm 1 in the order and with the variables of the paper: every a_l and z_l is stored, each layer's sums have
/// a reduction of their own, and products are three plain loops. What `Taylor` does in another order, tile by tile,
/// must have the same bits.
///
/// It shares with `Taylor` what is tested by itself: the exact sums, the weight systems and the closed forms.
final class PlainTaylor {
  enum Step: Equatable {
    case weights(Int), activations(Int), outputs(Int), lastOutputs, multiplier
  }

  let network: Network
  let settings: TaylorSettings
  /// β_1 … β_L and γ_1 … γ_{L−1}.
  let beta, gamma: [Float]
  private let part: Samples
  private(set) var W: OwnedArray<Matrix<Float>>
  /// a_l over a row of ones.
  private(set) var a: OwnedArray<Matrix<Float>>
  private(set) var z: OwnedArray<Matrix<Float>>
  private(set) var lambda: Matrix<Float>
  private(set) var sweeps = 0
  private(set) var events: [String] = []
  private var sums: OwnedArray<LayerSums>
  private var systems: OwnedArray<WeightSystem>
  private var steps: OwnedArray<ActivationStep>

  private var L: Int { network.L }
  private var n: Int { part.count }

  /// The start values, and from them W_2 … W_L. Collective.
  init(
    _ problem: Problem, _ settings: TaylorSettings, seed: UInt64 = 1, over ranks: borrowing Communicator
  ) throws {
    let (network, d) = (problem.network, problem.network.widths)
    let part = problem.part(of: ranks)
    let (L, n) = (network.L, part.count)
    self.network = network
    self.settings = settings
    (beta, gamma) = (settings.beta.values(L), settings.gamma.values(L - 1))
    W = settings.start == .forward ? network.randomWeights(seed: seed) : network.zeroWeights()
    a = OwnedArray(1..<L) { l in Matrix(rows: paddedRows(d[l] + 1), columns: n) }
    z = OwnedArray(1..<L + 1) { l in Matrix(rows: l < L ? paddedRows(d[l]) : d[l], columns: n) }
    lambda = Matrix(rows: d[L], columns: n)
    let partition = part.partition
    sums = OwnedArray(1..<L + 1) { l in
      LayerSums((l > 1 ? [.gram(l - 1)] : []) + [.outputs(l)], network, partition)
    }
    systems = OwnedArray(1..<L + 1) { l in WeightSystem(size: network.inputs(l)) }
    steps = OwnedArray(1..<L) { l in ActivationStep(from: d[l + 1], to: d[l], hasBias: network.bias) }
    let G = try part.gram(network, over: ranks)
    self.part = part
    try systems[1].take(G.all, ridge: settings.ridge)
    setStart(seed)
    for l in 1...L {
      // The grids by the first chunk, as Taylor has them.
      if self.part.chunks.first == 0 {
        let chunk = 0..<min(partition.chunk, n)
        sums[l].add(a: { inputs($0 + 1).columns(chunk) }, left: { outputs($0).columns(chunk) })
        sums[l].closeChunk()
      }
      _ = try sums[l].reduce(over: ranks)
      if l == 1 {
        try takeSums(1, over: ranks)
      } else {
        try updateWeights(l, over: ranks)
      }
    }
    events = []
  }

  private func setStart(_ seed: UInt64) {
    for l in 1...L {
      let random = Philox(seed: seed, stream: UInt32(l))
      for j in 0..<n {
        for i in 0..<network.widths[l] {
          switch settings.start {
          case .gaussian:
            let (output, activation) = random.normalFloats(i, part.range.lowerBound + j)
            z[l][i, j] = output
            if l < L { a[l][i, j] = activation }
          case .forward:
            z[l][i, j] = plainProduct(weights(l), inputs(l), i, j)
          }
        }
        if l < L { a[l][network.widths[l], j] = 1 }
      }
      if l < L && settings.start == .forward {
        network.activation.apply(a[l].mutableRows(0..<network.widths[l]), outputs(l))
        for j in 0..<n { a[l][network.widths[l], j] = 1 }
      }
    }
  }

  /// What W_l multiplies.
  func inputs(_ l: Int) -> Tile<Float> {
    (l == 1 ? part.a0 : a[l - 1].all).rows(0..<network.inputs(l))
  }

  /// y.
  var targets: Tile<Float> { part.y }

  /// z_l.
  func outputs(_ l: Int) -> Tile<Float> { z[l].rows(0..<network.widths[l]) }

  private func weights(_ l: Int) -> Tile<Float> { W[l].columns(0..<network.inputs(l)) }

  /// One sweep, with a call before and after each of its steps. Collective.
  func sweep(
    over ranks: borrowing Communicator, _ watch: (Step, _ isDone: Bool) throws -> Void = { _, _ in }
  ) throws {
    for l in 1..<L {
      try watch(.weights(l), false)
      try updateWeights(l, over: ranks)
      try watch(.weights(l), true)
      updateActivations(l)
      try watch(.activations(l), true)
      let m = products(l)
      network.activation.minimise(
        z[l].mutableRows(0..<network.widths[l]), m: m.rows(0..<network.widths[l]),
        a: a[l].rows(0..<network.widths[l]), beta: beta[l - 1], gamma: gamma[l - 1])
      try watch(.outputs(l), true)
    }
    try watch(.weights(L), false)
    try updateWeights(L, over: ranks)
    try watch(.weights(L), true)
    let m = products(L)
    var scratch = Matrix<Double>(rows: 4 * network.widths[L], columns: 1)
    network.loss.minimise(
      z[L].mutableAll, m: m.rows(0..<network.widths[L]), y: part.y, lambda: lambda.all,
      beta: beta[L - 1], scratch: scratch.mutableElements)
    try watch(.lastOutputs, true)
    if settings.multiplier == .last && sweeps >= settings.warmStart {
      let step = settings.dualStep * beta[L - 1]
      for j in 0..<n {
        for i in 0..<network.widths[L] { lambda[i, j] += step * (z[L][i, j] - m[i, j]) }
      }
    }
    try watch(.multiplier, true)
    sweeps += 1
  }

  private func takeSums(_ l: Int, over ranks: borrowing Communicator) throws {
    try sums[l].take(
      part.partition, over: ranks, a: { inputs($0 + 1).columns($1) },
      z: { outputs($0).columns($1) })
  }

  private func updateWeights(_ l: Int, over ranks: borrowing Communicator) throws {
    try takeSums(l, over: ranks)
    var solved = Matrix(copying: sums[l].total(.outputs(l)))
    if l > 1 { try systems[l].take(sums[l].total(.gram(l - 1)), ridge: settings.ridge) }
    systems[l].solveFromRight(&solved)
    if let event = systems[l].event { events.append("W_\(l): \(event)") }
    for j in 0..<solved.columns { for i in 0..<solved.rows { W[l][i, j] = Float(solved[i, j]) } }
    if l > 1 {
      try steps[l - 1].prepare(W: weights(l), r: Double(gamma[l - 2]) / Double(beta[l - 1]))
    }
  }

  private func updateActivations(_ l: Int) {
    let (d, outputs) = (network.widths[l], network.widths[l + 1])
    let (U, P) = (steps[l].ofOutputs.all, steps[l].ofActivations.all)
    let W = weights(l + 1)
    network.activation.apply(a[l].mutableRows(0..<d), self.outputs(l))
    for j in 0..<n {
      a[l][d, j] = 1
      let column = a[l].columns(j..<j + 1)
      let residual = Matrix<Float>(rows: outputs, columns: 1) { o, _ in
        outputs > d
          ? (network.bias ? z[l + 1][o, j] - W.column(d)[o] : z[l + 1][o, j])
          : z[l + 1][o, j] - plainProduct(W, column.rows(0..<W.columns), o, 0)
      }
      let active = (0..<d).map { i -> Float in
        let start = outputs > d ? plainProduct(P.rows(0..<d), column.rows(0..<d), i, 0) : a[l][i, j]
        // Few outputs are one chain whatever the width.
        return outputs <= min(d, 4)
          ? plainChain(start, outputs) { (U.column($0)[i], residual[$0, 0]) }
          : plainProduct(U.rows(0..<d), residual.all, i, 0, start: start)
      }
      for i in 0..<d { a[l][i, j] = active[i] }
    }
  }

  /// m = W_l a_{l−1}, padded.
  private func products(_ l: Int) -> Matrix<Float> {
    Matrix(rows: paddedRows(network.widths[l]), columns: n) { i, j in
      i < network.widths[l] ? plainProduct(weights(l), inputs(l), i, j) : 0
    }
  }
}

/// start + Σ_k x_k y_k as one chain of fused multiply-adds.
func plainChain(_ start: Float, _ count: Int, _ factors: (Int) -> (Float, Float)) -> Float {
  (0..<count).reduce(start) { sum, k in
    let (x, y) = factors(k)
    return fmaf(x, y, sum)
  }
}

/// Entry (i, j) of A B, in the order of additions that `Panels` promises: one chain, or sixteen for a matrix of few
/// rows.
func plainProduct(_ A: Tile<Float>, _ B: Tile<Float>, _ i: Int, _ j: Int, start: Float? = nil) -> Float {
  func factors(_ k: Int) -> (Float, Float) { (A.column(k)[i], B.column(j)[k]) }
  if A.rows >= Panels.fewRows { return plainChain(start ?? 0, A.columns, factors) }
  var lanes = [Float](repeating: 0, count: 16)
  for k in 0..<A.columns { lanes[k % 16] = fmaf(factors(k).0, factors(k).1, lanes[k % 16]) }
  while lanes.count > 1 { lanes = (0..<lanes.count / 2).map { lanes[$0] + lanes[$0 + lanes.count / 2] } }
  return start.map { $0 + lanes[0] } ?? lanes[0]
}
