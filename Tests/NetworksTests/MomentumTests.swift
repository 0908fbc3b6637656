import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Steps with momentum against their formulae, one number at a time in double precision.
@Suite struct MomentumTests {
  /// In units of the step (η in s), in those of the gradient (η in r), and both; with and without looking ahead.
  @Test(arguments: [(1, 1), (0.25, 1), (1, 0.25), (0.5, 0.1)] as [(Float, Float)], [true, false])
  func stepsAreThoseOfAPlainLoop(factors: (scale: Float, rate: Float), looksAhead: Bool) {
    let (count, mu) = (37, Float(0.875))
    var random = SeededGenerator(seed: 81)
    var w = Matrix<Float>(rows: count, columns: 1) { _, _ in Float(random.normal()) }
    var M = Matrix<Float>(rows: count, columns: 1)
    var (plainW, plainM) = (w.elements.map(Double.init), [Double](repeating: 0, count: count))
    for _ in 0..<5 {
      let d = Matrix<Float>(rows: count, columns: 1) { _, _ in Float(random.normal()) }
      let before = Array(d.elements)
      momentumStep(
        &w, &M, d, mu: mu, scale: factors.scale, rate: factors.rate, looksAhead: looksAhead)
      #expect(Array(d.elements) == before, "the direction is read alone")
      for k in 0..<count {
        let step = Double(factors.scale) * Double(before[k])
        plainM[k] = Double(mu) * plainM[k] + step
        plainW[k] -= Double(factors.rate) * (looksAhead ? Double(mu) * plainM[k] + step : plainM[k])
      }
    }
    #expect(relativeDistance([w.elements.map(Double.init)], [plainW]) < 1e-6)
    #expect(relativeDistance([M.elements.map(Double.init)], [plainM]) < 1e-6)
  }

  /// Without momentum a step is −r s d, whether it looks ahead or not.
  @Test(arguments: [true, false]) func withoutMomentumItIsTheDirection(looksAhead: Bool) {
    var w = Matrix<Float>(rows: 4, columns: 1) { i, _ in Float(i) }
    var M = Matrix<Float>(rows: 4, columns: 1) { _, _ in 100 }
    let d = Matrix<Float>(rows: 4, columns: 1) { i, _ in Float(2 - i) }
    momentumStep(&w, &M, d, mu: 0, scale: 0.5, rate: 0.25, looksAhead: looksAhead)
    #expect(Array(w.elements) == [-0.25, 0.875, 2, 3.125])
    #expect(Array(M.elements) == [1, 0.5, 0, -0.5], "what M was is forgotten")
  }
}
