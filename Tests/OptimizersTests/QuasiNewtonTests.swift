import Basics
import Glibc
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import Optimizers
import Sums
import TestSupport
import Testing

/// The pieces of a quasi-Newton method: its memory, its line search, and the metric that it begins with.
@Suite(.serialized) struct QuasiNewtonTests {
  /// A function of one number, and its slope; infinite where it is not defined.
  struct Line: CustomStringConvertible, Sendable {
    let description: String
    let value, slope: @Sendable (Double) -> Double
  }

  static let lines = [
    Line(description: "(x − 3)²", value: { ($0 - 3) * ($0 - 3) }, slope: { 2 * ($0 - 3) }),
    Line(description: "(x − 3)⁴ − x", value: { pow($0 - 3, 4) - $0 }, slope: { 4 * pow($0 - 3, 3) - 1 }),
    Line(
      description: "−log x + x from 10⁻³", value: { -log($0 + 1e-3) + $0 }, slope: { -1 / ($0 + 1e-3) + 1 }),
    Line(
      description: "−x / (x² + 2), Moré & Thuente's first", value: { -$0 / ($0 * $0 + 2) },
      slope: { ($0 * $0 - 2) / (($0 * $0 + 2) * ($0 * $0 + 2)) }),
    Line(
      description: "Moré & Thuente's second, steeper", value: { pow($0 + 0.1, 5) - 2 * pow($0 + 0.1, 4) },
      slope: { 5 * pow($0 + 0.1, 4) - 8 * pow($0 + 0.1, 3) }),
    Line(
      description: "waves: sin 5x / 5 − x / 2 + x² / 50", value: { -sin(5 * $0) / 5 - $0 / 2 + $0 * $0 / 50 },
      slope: { -cos(5 * $0) - 0.5 + $0 / 25 }),
    Line(
      description: "a wall at 1", value: { $0 < 1 ? -log(1 - $0) - 3 * $0 : .infinity },
      slope: { $0 < 1 ? 1 / (1 - $0) - 3 : .nan }),
    Line(
      description: "NaN beyond 2", value: { $0 < 2 ? ($0 - 1.9) * ($0 - 1.9) : .nan },
      slope: { 2 * ($0 - 1.9) }),
  ]

  /// What the search finds satisfies the strong Wolfe conditions, and is the last point that it looked at; far too
  /// short and far too long first steps included.
  @Test(arguments: lines, [1e-3, 0.1, 1, 10, 1000])
  func aStepSatisfiesTheWolfeConditions(_ line: Line, first: Double) throws {
    for curvature in [0.9, 0.1] {
      let start = LinePoint(step: 0, value: line.value(0), slope: line.slope(0))
      var (last, count) = (0.0, 0)
      let found = wolfeSearch(from: start, first: first, curvature: curvature, evaluations: 40) { step in
        (last, count) = (step, count + 1)
        return (line.value(step), line.slope(step))
      }
      let point = try #require(found, "\(line), from \(first), curvature \(curvature)")
      #expect(point.step == last && point.value == line.value(last) && point.slope == line.slope(last))
      #expect(point.step > 0 && count <= 40)
      #expect(point.value <= start.value + 1e-4 * point.step * start.slope, "\(line) at \(point.step)")
      #expect(abs(point.slope) <= curvature * -start.slope, "\(line) at \(point.step)")
    }
  }

  /// No such step: a function that only rises despite its slope, one that is nowhere finite, one that falls for
  /// ever.
  @Test func whereThereIsNoStepTheSearchEnds() {
    let start = LinePoint(step: 0, value: 0, slope: -1)
    var count = 0
    let rising = wolfeSearch(from: start, first: 1) { step in
      count += 1
      return (step, 1)
    }
    #expect(rising == nil && count <= 20)
    #expect(wolfeSearch(from: start, first: 1) { _ in (.infinity, .nan) } == nil)
    #expect(wolfeSearch(from: start, first: 1) { (-$0, -1) } == nil)
    let failure = #expect(throws: Failure.self) {
      _ = try wolfeSearch(from: start, first: 1) { _ in throw Failure(.numericalFailure, "") }
    }
    #expect(failure?.status == .numericalFailure)
  }

  private func column(_ x: [Double]) -> Matrix<Float> {
    Matrix(rows: x.count, columns: 1) { i, _ in Float(x[i]) }
  }

  private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

  /// The direction against the full matrix of the BFGS formula, H ← (I − s yᵀ/c) H (I − y sᵀ/c) + s sᵀ/c, c = yᵀs,
  /// that starts from a scaled H₀; when the memory is full, from the pairs that it still has.
  @Test(arguments: [1, 2, 3, 5, 8], [false, true])
  func theDirectionIsThatOfTheBFGSFormula(pairs: Int, hasMetric: Bool) {
    let (d, capacity) = (7, 5)
    var random = SeededGenerator(seed: UInt64(60 + pairs))
    func normals() -> [Double] { (0..<d).map { _ in Double(Float(random.normal())) } }
    let scales = (0..<d).map { hasMetric ? 0.5 + Double($0) : 1 }
    var memory = QuasiNewton(count: d, capacity: capacity)
    let knowsNothing = memory.isEmpty
    #expect(knowsNothing)
    let zero = column([Double](repeating: 0, count: d))
    var known: [(s: [Double], y: [Double])] = []
    for _ in 0..<pairs {
      let s = normals()
      // Enough of s for a positive curvature.
      let y = zip(s, normals()).map { Double(Float(2 * $0 + 0.3 * $1)) }
      memory.add(column(s), minus: zero, column(y), minus: zero)
      known.append((s, y))
      // Negative curvature is not remembered.
      memory.add(column(s), minus: zero, column(y.map { -$0 }), minus: zero)
    }
    let knowsSomething = !memory.isEmpty
    #expect(knowsSomething)
    known = known.suffix(capacity)
    let last = known[known.count - 1]
    let scale = dot(last.s, last.y) / dot(last.y, zip(scales, last.y).map { $0 * $1 })
    var H = (0..<d).map { i in (0..<d).map { $0 == i ? scale * scales[i] : 0 } }
    for (s, y) in known {
      let c = dot(s, y)
      let Hy = H.map { dot($0, y) }
      let yHy = dot(y, Hy)
      for i in 0..<d {
        for j in 0..<d { H[i][j] += (1 + yHy / c) * s[i] * s[j] / c - (Hy[i] * s[j] + s[i] * Hy[j]) / c }
      }
    }
    let g = normals()
    var direction = column(g)
    memory.direction(&direction, column(g)) { result, x in
      for k in 0..<d { result[k, 0] = Float(scales[k]) * x[k, 0] }
    }
    let own = direction.elements.map(Double.init)
    let distance = relativeDistance([own], [H.map { -dot($0, g) }])
    #expect(distance < 1e-5, "off by \(distance)")
    memory.clear()
    let hasForgotten = memory.isEmpty
    #expect(hasForgotten)
    memory.direction(&direction, column(g)) { result, x in result.assign(x) }
    #expect(direction.elements.map(Double.init) == g.map { -$0 })
  }

  /// A convex quadratic of d numbers: with exact steps along its directions the gradient is gone after d of them.
  @Test func aQuadraticIsMinimisedInAsManySteps() {
    let d = 6
    let curvatures = (0..<d).map { Float(1 + 2 * $0) }
    var w = Matrix<Float>(rows: d, columns: 1) { i, _ in Float(i) - 2.3 }
    var g = Matrix<Float>(rows: d, columns: 1) { i, _ in curvatures[i] * w[i, 0] }
    var direction = Matrix<Float>(rows: d, columns: 1)
    var memory = QuasiNewton(count: d, capacity: d)
    let start = g.dot(g)
    for step in 0..<d {
      memory.direction(&direction, g) { result, x in result.assign(x) }
      let slope = g.dot(direction)
      #expect(slope < 0, "step \(step)")
      let curved = Matrix<Float>(rows: d, columns: 1) { i, _ in curvatures[i] * direction[i, 0] }
      let formerW = w.copy()
      let formerG = g.copy()
      w.add(Float(-slope / direction.dot(curved)), direction)
      for k in 0..<d { g[k, 0] = curvatures[k] * w[k, 0] }
      memory.add(w, minus: formerW, g, minus: formerG)
      if step < 2 { #expect(g.dot(g) > 1e-4 * start) }
    }
    #expect(g.dot(g) < 1e-9 * start, "\(start) became \(g.dot(g))")
  }

  /// X (G + ρ I)⁻¹ for all layers, of whole passes and blended over batches, against elimination in double
  /// precision.
  @Test(arguments: [true, false], [[5, 19, 7, 3], [4, 2], [6, 1, 1]])
  func theMetricIsAPlainSolve(bias: Bool, widths: [Int]) throws {
    let network = Network(widths: widths, activation: .leaky_relu, loss: .square, bias: bias)
    let problem = Problem(network, samples: 120, seed: 66, chunk: 8)
    let ridge = 0.2
    var random = SeededGenerator(seed: 67)
    let X = Matrix<Float>(rows: network.flatCount, columns: 1) { _, _ in Float(random.normal()) }
    let w = network.flat(network.randomWeights(seed: 5))
    try TestWorld.with { ranks in
      let part = problem.part(of: ranks)
      var pass = try Pass.make(network, ChainRule(), part.partition, threads: 1)
      var D = network.flatZeros()
      var g = network.flatZeros()
      var metric = try GramMetric.ofData(part, network, ridge: ridge, over: ranks)
      var grams: [[[Double]]] = []
      // Of what is known nothing is kept the first time, however much is asked for; then a quarter.
      for index in 0..<3 {
        let batch = Batch(count: 3, index: index, pass: 0, seed: 1)
        _ = try pass.evaluate(&g, at: w, over: batch, of: part, l2: 0, hasGrams: true, ranks)
        try metric.setHidden(from: pass, samples: batch.samples(of: part.partition), keep: 0.25)
        let keep = index == 0 ? 0 : 0.25
        for l in 1..<network.L {
          let d = network.inputs(l + 1)
          let samples = Double(batch.samples(of: part.partition))
          let G = pass.gram(l)
          let new = (0..<d).map { i in (0..<d).map { G.column(max(i, $0))[min(i, $0)] / samples } }
          if index == 0 { grams.append(new) }
          for i in 0..<d {
            for j in 0..<d { grams[l - 1][i][j] = keep * grams[l - 1][i][j] + (1 - keep) * new[i][j] }
          }
        }
      }
      metric.multiply(&D, X)
      for l in 1...network.L {
        let d = network.inputs(l)
        let inputs = problem.features + [[Double](repeating: 1, count: problem.samples)]
        var G =
          l > 1
          ? grams[l - 2]
          : (0..<d).map { i in (0..<d).map { dot(inputs[i], inputs[$0]) / Double(problem.samples) } }
        let rho = ridge * (0..<d).reduce(0) { $0 + G[$1][$1] } / Double(d)
        for i in 0..<d { G[i][i] += rho }
        let (from, to) = (network.parameters(l, of: X).nested, network.parameters(l, of: D).nested)
        for i in 0..<network.widths[l] {
          let expected = plainSolve(G, from[i].prefix(d).map(Double.init))
          let distance = relativeDistance([to[i].prefix(d).map(Double.init)], [expected])
          #expect(distance < 1e-5, "row \(i) of layer \(l) is off by \(distance)")
          if !bias { #expect(to[i][d] == 0) }
        }
      }
    }
  }
}
