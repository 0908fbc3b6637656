import LinearAlgebra

// The way back where every constraint has a multiplier: a_l, z_l, u_l and v_l of sixteen entries at a time.

extension ActivationFunction {
  func updateHidden(
    delta: MutableTile<Float>, m: Tile<Float>, u: MutableTile<Float>, v: MutableTile<Float>, factor: Float
  ) -> (residual: Double, norm: Double) {
    checkPadding(delta)
    checkPadding(u)
    checkPadding(v)
    let (step, factor) = (step(beta: 1, gamma: 1), Lanes(repeating: factor))
    var (residuals, norms) = (Lanes.zero, Lanes.zero)
    let rows = delta.rows
    for j in 0..<delta.columns {
      let (delta, m, u, v) = (delta.column(j), m.column(j), u.column(j), v.column(j))
      for i in stride(from: 0, to: rows, by: laneCount) {
        let count = rows - i
        let (output, oldU, oldV) = (Lanes(at: m + i), factor * Lanes(at: u + i), Lanes(at: v + i))
        // Below the last row of v stand zeros, which W_{l+1} multiplies.
        let newV = Lanes(at: delta + i).first(count)
        let active = step.h(output)
        // a + v = h(m) − (old v) + 2 (new v),  z ← argmin ‖a + v − h(z)‖² + ‖z − (m − u)‖²
        let z = step.best(active + (newV + newV - oldV), output - oldU)
        // u ← u + z − m
        let newU = oldU + (z - output)
        newV.store(at: v + i)
        newU.store(at: u + i)
        // δ = m − (z + u)
        (output - (z + newU)).store(at: delta + i)
        // a − h(m) = (new v) − (old v)
        let residual = (newV - oldV).first(count)
        let known = active.first(count)
        residuals = .multiplyAdd(residual, residual, residuals)
        norms = .multiplyAdd(known, known, norms)
      }
    }
    return (Double(residuals.total), Double(norms.total))
  }
}
