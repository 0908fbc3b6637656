import Definitions
import LinearAlgebra
import MPI
import NetworkSupport
import Networks
import TestSupport
import Testing

@Suite struct NetworkTests {
  @Test func counts() {
    let network = Network(widths: [28, 300, 1], activation: .relu, loss: .hinge, bias: true)
    #expect(network.L == 2)
    #expect(network.inputs(1) == 29 && network.inputs(2) == 301)
    #expect(network.parameterCount == 300 * 29 + 301)
    let bare = Network(widths: [28, 300, 1], activation: .relu, loss: .hinge, bias: false)
    #expect(bare.inputs(1) == 28 && bare.inputs(2) == 300)
    #expect(bare.parameterCount == 300 * 28 + 300)
    let W = bare.zeroWeights()
    #expect(W.indices == 1..<3)
    #expect(W[1].rows == 300 && W[1].columns == 29 && W[2].rows == 1 && W[2].columns == 301)
  }

  /// z_L = W_L h(… h(W_1 a_0)), one number after the other in double precision.
  @Test(arguments: Activation.allCases, [true, false])
  func forwardPass(activation: Activation, bias: Bool) {
    let network = Network(widths: [4, 6, 3, 2], activation: activation, loss: .softmax, bias: bias)
    var W = network.randomWeights(seed: 3)
    for l in 1...3 {
      for i in 0..<network.widths[l] { W[l][i, network.widths[l - 1]] = Float(i) / 4 - 0.5 }
    }
    var random = SeededGenerator(seed: 4)
    let a0 = Matrix<Float>(rows: 5, columns: 30) { i, _ in i == 4 ? 1 : Float(random.normal()) }
    var scores = Matrix<Float>(rows: 2, columns: 30)
    var pass = ForwardPass(network, W, columns: 12)
    // Three calls of different widths: what one leaves must not matter to the next.
    for columns in [0..<12, 12..<17, 17..<29] { pass(scores.mutableColumns(columns), a0.columns(columns)) }
    for n in 0..<29 {
      var x = (0..<4).map { Double(a0[$0, n]) }
      for l in 1...3 {
        let input = x + (bias ? [1] : [])
        var output: [Double] = []
        for i in 0..<network.widths[l] {
          output.append(input.indices.reduce(0) { $0 + Double(W[l][i, $1]) * input[$1] })
        }
        x = l < 3 ? output.map { plain(activation, $0) } : output
      }
      for i in 0..<2 { #expect(abs(Double(scores[i, n]) - x[i]) < 1e-5, "output \(i) of sample \(n)") }
    }
    #expect(scores[0, 29] == 0 && scores[1, 29] == 0, "beyond the tile")
  }

  @Test func randomWeightsHaveHesScaleAndNoBias() {
    let network = Network(widths: [50, 400, 30], activation: .relu, loss: .softmax, bias: true)
    let W = network.randomWeights(seed: 8)
    let again = network.randomWeights(seed: 8)
    let other = network.randomWeights(seed: 9)
    for l in 1...2 {
      let inputs = network.widths[l - 1]
      let tile = W[l].columns(0..<inputs)
      let variance = frobeniusNorm(tile) * frobeniusNorm(tile) / Double(tile.rows * inputs)
      // Five standard deviations of a variance of 12,000 numbers or more.
      #expect(abs(variance * Double(inputs) / 2 - 1) < 5 * (2 / 12_000.0).squareRoot())
      #expect((0..<network.widths[l]).allSatisfy { W[l][$0, inputs] == 0 })
      #expect(Array(W[l].elements) == Array(again[l].elements))
      #expect(Array(W[l].elements) != Array(other[l].elements))
    }
  }
}
