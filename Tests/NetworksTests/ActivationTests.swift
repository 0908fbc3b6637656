import Definitions
import Glibc
import LinearAlgebra
import NetworkSupport
import Networks
import TestSupport
import Testing

/// Every activation of the list against its definition, and its kernels against each other.
@Suite struct ActivationTests {
  @Test func everyActivationHasAName() {
    #expect(Set(Activation.allCases.map(\.rawValue)).count == Activation.allCases.count)
    for activation in Activation.allCases {
      #expect(Activation(rawValue: activation.rawValue) == activation)
      #expect(activation.description == activation.rawValue)
    }
    #expect(Activation(rawValue: "softplus") == nil && Activation.relu != .leaky_relu)
  }

  // MARK: Values and slopes

  /// Numbers over the range where something happens, down to the smallest and up to the largest.
  private static let arguments: [Float] =
    (-40_000...40_000).map { Float($0) / 400 }
    + (-150...127).flatMap { k in
      [1, -1].map { Float(sign: .plus, exponent: k, significand: 1.3 * $0) }
    }

  @Test(arguments: Activation.allCases)
  func values(activation: Activation) {
    let (x, plain) = (Self.arguments, plain(activation))
    let z = Matrix<Float>(rows: x.count, x)
    var a = Matrix<Float>(rows: paddedRows(x.count), columns: 1)
    activation.apply(a.mutableRows(0..<x.count), z.all)
    for k in x.indices {
      let expected = plain.h(Double(x[k]))
      let error = abs(Double(a[k, 0]) - expected)
      // Numbers below 2e−36 may count as 0.
      #expect(error <= plain.ulps * Double(Float(expected).ulp) + (plain.ulps > 1 ? 2e-36 : 0), "h(\(x[k]))")
    }
    // In place.
    var other = z.copy()
    activation.apply(other.mutableAll, other.all)
    #expect(other.all.nested == a.rows(0..<x.count).nested)
  }

  /// h'(z) as it multiplies δ and as it enters a sum, for heights below and above a vector's.
  @Test(arguments: Activation.allCases, [3, 7, 8, 35])
  func slopes(activation: Activation, d: Int) {
    var random = SeededGenerator(seed: UInt64(d))
    let (n, plain) = (11, plain(activation))
    let z = Matrix<Float>(rows: d, columns: n) { i, j in
      i + d * j < plain.kinks.count ? Float(plain.kinks[i + d * j]) : Float(4 * random.normal())
    }
    let way = Forward(activation, z)
    for j in 0..<n {
      for i in 0..<d {
        let expected = activation.keepsSlopes ? way.slopes.all.column(j)[i] : way.a.all.column(j)[i]
        #expect(way.kept.all.column(j)[i] == expected)
      }
    }
    let one = Panels(identity: d)
    let ones = Matrix<Float>(rows: d, columns: n) { _, _ in 1 }
    var delta = Matrix<Float>(rows: paddedRows(d), columns: n)
    activation.multiplySlope(delta.mutableRows(0..<d), one, ones.all, kept: way.kept.rows(0..<d))
    for j in 0..<n {
      for i in 0..<d {
        let expected = plain.slope(Double(z[i, j]))
        #expect(abs(Double(delta[i, j]) - expected) <= 1e-6, "h'(\(z[i, j]))")
      }
    }
    // S + h'(z) xᵀ
    let x = Matrix<Float>(rows: 5, columns: n) { _, _ in Float(random.normal()) }
    var S = Matrix<Float>(rows: paddedRows(d), columns: 5) { _, _ in 2 }
    activation.addSlopes(S.mutableRows(0..<d), kept: way.kept.rows(0..<d), x.all) {}
    for i in 0..<d {
      for k in 0..<5 {
        let expected = (0..<n).reduce(2.0) { $0 + plain.slope(Double(z[i, $1])) * Double(x[k, $1]) }
        #expect(abs(Double(S[i, k]) - expected) <= 1e-5, "(\(i), \(k))")
      }
    }
  }

  /// What the way forward leaves: by the kernel of a product, and by the one that takes another product from the
  /// same registers.
  private struct Forward: ~Copyable {
    private(set) var a, slopes: Matrix<Float>
    let kept: Matrix<Float>

    init(_ activation: Activation, _ z: borrowing Matrix<Float>) {
      let (d, n) = (z.rows, z.columns)
      let one = Panels(identity: d)
      a = Matrix(rows: paddedRows(d), columns: n)
      slopes = Matrix(rows: paddedRows(d), columns: n)
      activation.apply(a.mutableRows(0..<d), one, z.all, slopes: slopes.mutableRows(0..<d))
      kept = activation.keepsSlopes ? slopes.copy() : a.copy()
      var given = Matrix<Float>(rows: paddedRows(d), columns: n)
      activation.apply(given.mutableRows(0..<d), z.all)
      #expect(given.rows(0..<d).nested == a.rows(0..<d).nested)
      guard d >= Panels.fewRows else { return }
      // m = vᵀ a + 0.5
      var v = Matrix<Float>(rows: paddedRows(d), columns: 1)
      for i in 0..<d { v[i, 0] = Float(i % 7) - 3 }
      var other = Matrix<Float>(rows: paddedRows(d), columns: n)
      var otherSlopes = slopes.copy()
      otherSlopes.fill(7)
      var m = Matrix<Float>(rows: n, columns: 1)
      var work = Matrix<Float>(rows: laneCount, columns: n)
      activation.apply(
        other.mutableRows(0..<d), one, z.all, output: (v.base, 0.5), m: m.mutableBase, work: work.mutableBase,
        slopes: otherSlopes.mutableRows(0..<d))
      #expect(other.rows(0..<d).nested == a.rows(0..<d).nested)
      if activation.keepsSlopes { #expect(otherSlopes.rows(0..<d).nested == slopes.rows(0..<d).nested) }
      for j in 0..<n {
        let expected = (0..<d).reduce(0.5) { $0 + Double(v[$1, 0]) * Double(a[$1, j]) }
        #expect(abs(Double(m[j, 0]) - expected) <= 1e-4 * max(1, abs(expected)), "m of sample \(j)")
      }
    }
  }

  // MARK: The update of z_l

  /// The same bits for an entry whatever its neighbours: alone, in a tile of another shape, behind a product.
  @Test(arguments: Activation.allCases, [0.3, 1, 30])
  func anUpdateDependsOnItsEntryAlone(activation: Activation, ratio: Double) {
    var random = SeededGenerator(seed: 4)
    let (d, n, gamma) = (37, 9, Float(ratio))
    let a = Matrix<Float>(rows: d, columns: n) { _, _ in Float(random.normal()) }
    let m = Matrix<Float>(rows: d, columns: n) { _, _ in Float(2 * random.normal()) }
    var whole = Matrix<Float>(rows: paddedRows(d), columns: n)
    activation.minimise(whole.mutableRows(0..<d), m: m.all, a: a.all, beta: 1, gamma: gamma)
    for j in 0..<n {
      for i in 0..<d {
        var alone = Matrix<Float>(rows: laneCount, columns: 1)
        activation.minimise(
          alone.mutableRows(0..<1), m: m.columns(j..<j + 1).rows(i..<i + 1),
          a: a.columns(j..<j + 1).rows(i..<i + 1), beta: 1, gamma: gamma)
        #expect(alone[0, 0] == whole[i, j], "(\(i), \(j))")
      }
    }
    for rows in [d, 5] {
      var product = Matrix<Float>(rows: paddedRows(rows), columns: n)
      var work = Matrix<Float>(rows: laneCount, columns: n)
      var residuals: LayerResiduals? = LayerResiduals()
      activation.minimise(
        product.mutableRows(0..<rows), Panels(identity: rows), m.rows(0..<rows), a: .stored(a.rows(0..<rows)),
        beta: 1, gamma: gamma, residuals: &residuals, work: work.mutableBase)
      #expect(product.rows(0..<rows).nested == whole.rows(0..<rows).nested)
      let squares = (0..<n).reduce(0.0) { sum, j in
        (0..<rows).reduce(sum) { $0 + pow(Double(a[$1, j]) - plain(activation, Double(whole[$1, j])), 2) }
      }
      #expect(abs((residuals?.activations ?? 0) - squares) <= 1e-4 * squares)
    }
  }

  /// δ, u and v of a layer whose constraints have multipliers, one number after the other.
  @Test(arguments: Activation.allCases, [3, 20])
  func multipliers(activation: Activation, d: Int) {
    var random = SeededGenerator(seed: 6)
    let (n, plain) = (7, plain(activation))
    func numbers(_ rows: Int, _ scale: Double) -> Matrix<Float> {
      Matrix(rows: rows, columns: n) { i, _ in i < d ? Float(scale * random.normal()) : 0 }
    }
    let padded = paddedRows(d + 1)
    let newV = numbers(padded, 0.2)
    let m = numbers(d, 1)
    let oldU = numbers(padded, 0.2)
    let oldV = numbers(padded, 0.2)
    var delta = newV.copy()
    var u = oldU.copy()
    var v = oldV.copy()
    let (residual, norm) = activation.updateHidden(
      delta: delta.mutableRows(0..<d), m: m.all, u: u.mutableRows(0..<d), v: v.mutableRows(0..<d + 1),
      factor: 0.5)
    var (residuals, norms) = (0.0, 0.0)
    for j in 0..<n {
      #expect(v[d, j] == 0, "the row of zeros")
      for i in 0..<d {
        let (output, known) = (Double(m[i, j]), plain.h(Double(m[i, j])))
        let z = Double(u[i, j]) - 0.5 * Double(oldU[i, j]) + output
        #expect(v[i, j] == newV[i, j])
        #expect(abs(Double(delta[i, j]) - (output - z - Double(u[i, j]))) < 1e-5)
        // z minimises (a + v − h(z))² + (z − (m − u))².
        let (goal, center) = (
          known + 2 * Double(newV[i, j]) - Double(oldV[i, j]), output - 0.5 * Double(oldU[i, j])
        )
        func value(_ z: Double) -> Double { pow(goal - plain.h(z), 2) + pow(z - center, 2) }
        let lowest = (-4000...4000).reduce(value(center)) { min($0, value(center + Double($1) / 1000)) }
        #expect(value(z) <= lowest + 1e-6, "z = \(z) for \(goal) and \(center)")
        residuals += pow(Double(newV[i, j]) - Double(oldV[i, j]), 2)
        norms += known * known
      }
    }
    #expect(abs(residual - residuals) <= 1e-5 * residuals && abs(norm - norms) <= 1e-5 * norms)
  }
}

extension Panels {
  /// I, d × d.
  fileprivate init(identity d: Int) {
    self.init(rows: d, columns: d)
    // By name: a temporary would be gone before its entries are read.
    let identity = Matrix<Float>(rows: d, columns: d) { $0 == $1 ? 1 : 0 }
    assign(identity.all)
  }
}
