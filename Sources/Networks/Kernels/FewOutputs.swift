import LinearAlgebra

extension ActivationFunction {
  func updateActivations(
    _ a: MutableTile<Float>, z: Tile<Float>, next: Tile<Float>, by weights: FewOutputWeights
  ) {
    switch next.rows {
    case 1: FewOutputs<Hidden, 1>(weights, z: z, next: next, hidden).update(a)
    case 2: FewOutputs<Hidden, 2>(weights, z: z, next: next, hidden).update(a)
    case 3: FewOutputs<Hidden, 3>(weights, z: z, next: next, hidden).update(a)
    case 4: FewOutputs<Hidden, 4>(weights, z: z, next: next, hidden).update(a)
    default: preconditionFailure("\(next.rows) outputs are not few")
    }
  }

  func recallActivations(
    _ residual: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, z: Tile<Float>,
    next: Tile<Float>, by weights: FewOutputWeights, row: UnsafePointer<Float>
  ) {
    FewOutputs<Hidden, 1>(weights, z: z, next: next, hidden).recall(residual, m, row)
  }
}

/// What the a-update for few outputs reads of its `ActivationStep`.
struct FewOutputWeights {
  /// Rows of [V b], and how far from one to the next.
  let weights: UnsafePointer<Float>
  let weightStride: Int
  /// How many numbers a row has.
  let inputs: Int
  /// Columns of Vᵀ (V Vᵀ + rI)⁻¹, and how far from one to the next.
  let step: UnsafePointer<Float>
  let stepStride: Int
  /// Whether z_{l+1} goes below the row of ones of a_l.
  let stacksOutputs: Bool
}

/// The a-update for O outputs, O small: a sample is a few vectors, and all is done to eight of them at a time.
private struct FewOutputs<H: HiddenFunction, let O: Int> {
  private let z: Tile<Float>
  private let next: Tile<Float>
  private let function: H
  /// Rows of [V b], columns of Vᵀ (V Vᵀ + rI)⁻¹: from one to the next.
  private let weights, step: UnsafePointer<Float>
  private let weightStride, stepStride: Int
  /// Rows in whole vectors; below them comes the rest, and the row of ones.
  private let whole, rest: Int
  private let hasTail: Bool
  private let stacksOutputs: Bool
  /// What stands below the last activation: a one, then zeros.
  private let one: Lanes

  private static var group: Int { 8 }

  init(_ weights: FewOutputWeights, z: Tile<Float>, next: Tile<Float>, _ function: H) {
    self.z = z
    self.next = next
    self.function = function
    self.weights = weights.weights
    weightStride = weights.weightStride
    step = weights.step
    stepStride = weights.stepStride
    whole = z.rows & ~(laneCount - 1)
    rest = z.rows - whole
    hasTail = whole < weights.inputs
    stacksOutputs = weights.stacksOutputs
    one = Lanes.zero.first(rest, rest: Lanes(repeating: 1)).first(rest + 1)
  }

  func update(_ a: MutableTile<Float>) {
    let groups = z.columns / Self.group * Self.group
    for j in stride(from: 0, to: groups, by: Self.group) { update(a, j, residuals(j, Self.zero8)) }
    for j in groups..<z.columns { update(a, j, residuals(j, Self.zero1)) }
  }

  func recall(
    _ residual: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ row: UnsafePointer<Float>
  ) {
    let groups = z.columns / Self.group * Self.group
    for j in stride(from: 0, to: groups, by: Self.group) {
      recall(residual + j, m + j, row, j, residuals(j, Self.zero8))
    }
    for j in groups..<z.columns { recall(residual + j, m + j, row, j, residuals(j, Self.zero1)) }
  }

  private static var zero8: InlineArray<O, InlineArray<8, Lanes>> {
    .init(repeating: .init(repeating: .zero))
  }
  private static var zero1: InlineArray<O, InlineArray<1, Lanes>> {
    .init(repeating: .init(repeating: .zero))
  }

  @inline(__always)
  private func h(_ i: Int, _ j: Int) -> Lanes { function.h(Lanes(at: z.base + (j &* z.stride &+ i))) }

  /// h(z) below the whole vectors, over the row of ones.
  @inline(__always)
  private func tail(_ j: Int) -> Lanes { rest > 0 ? h(whole, j).first(rest, rest: one) : one }

  /// z_{l+1} − b − V h of N columns from the first; the same number in every lane.
  @inline(__always)
  private func residuals<let N: Int>(
    _ first: Int, _ zero: InlineArray<O, InlineArray<N, Lanes>>
  ) -> InlineArray<O, InlineArray<N, Lanes>> {
    var sums = zero
    var i = 0
    while i < whole {
      for j in 0..<N {
        let active = h(i, first &+ j)
        for o in 0..<O {
          sums[o][j] = .multiplyAdd(Lanes(at: weights + (o &* weightStride &+ i)), active, sums[o][j])
        }
      }
      i &+= laneCount
    }
    for j in 0..<N {
      if hasTail {
        let active = tail(first &+ j)
        for o in 0..<O {
          sums[o][j] = .multiplyAdd(Lanes(at: weights + (o &* weightStride &+ whole)), active, sums[o][j])
        }
      }
      for o in 0..<O {
        sums[o][j] = Lanes(repeating: next.base[o &+ (first &+ j) &* next.stride] - sums[o][j].total)
      }
    }
    return sums
  }

  /// a ← h + Vᵀ (V Vᵀ + rI)⁻¹ times the residuals.
  @inline(__always)
  private func update<let N: Int>(
    _ a: MutableTile<Float>, _ first: Int, _ residuals: InlineArray<O, InlineArray<N, Lanes>>
  ) {
    let to = a.base + first * a.stride
    var i = 0
    while i < whole {
      for j in 0..<N {
        var active = h(i, first &+ j)
        for o in 0..<O {
          active = .multiplyAdd(Lanes(at: step + (o &* stepStride &+ i)), residuals[o][j], active)
        }
        active.store(at: to + (j &* a.stride &+ i))
      }
      i &+= laneCount
    }
    for j in 0..<N {
      var active = tail(first &+ j)
      if rest > 0 {
        for o in 0..<O {
          active = .multiplyAdd(Lanes(at: step + (o &* stepStride &+ whole)), residuals[o][j], active)
        }
      }
      if stacksOutputs {
        for o in 0..<O {
          let output = Lanes(repeating: next.base[o &+ (first &+ j) &* next.stride])
          active = active.first(rest &+ 1 &+ o, rest: output)
        }
        active = active.first(rest &+ 1 &+ O)
      }
      active.store(at: to + (j &* a.stride &+ whole))
    }
  }

  /// The residuals of the one output, and m = row · a, without a.
  @inline(__always)
  private func recall<let N: Int>(
    _ residual: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ row: UnsafePointer<Float>,
    _ first: Int, _ residuals: InlineArray<O, InlineArray<N, Lanes>>
  ) {
    var sums = InlineArray<N, Lanes>(repeating: .zero)
    var i = 0
    while i < whole {
      let (u, weight) = (Lanes(at: step + i), Lanes(at: row + i))
      for j in 0..<N {
        sums[j] = .multiplyAdd(weight, .multiplyAdd(u, residuals[0][j], h(i, first &+ j)), sums[j])
      }
      i &+= laneCount
    }
    for j in 0..<N {
      if hasTail {
        var active = tail(first &+ j)
        if rest > 0 { active = .multiplyAdd(Lanes(at: step + whole), residuals[0][j], active) }
        sums[j] = .multiplyAdd(Lanes(at: row + whole), active, sums[j])
      }
      m[j] = sums[j].total
      residual[j] = residuals[0][j][0]
    }
  }
}
