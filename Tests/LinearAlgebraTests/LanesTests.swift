import Glibc
import LinearAlgebra
import Testing

/// Functions of sixteen numbers at once, against the C library in double precision.
@Suite struct LanesTests {
  /// The largest distance of `function` from `exact` over some arguments, in units of the last place of the exact
  /// value.
  private func largestError(
    _ arguments: [Float], _ function: (Lanes) -> Lanes, _ exact: (Double) -> Double
  ) -> (error: Double, at: Float) {
    var largest = (error: 0.0, at: Float(0))
    for first in stride(from: 0, to: arguments.count, by: 16) {
      var x = Lanes(repeating: arguments[first])
      for k in 0..<min(16, arguments.count - first) { x[k] = arguments[first + k] }
      let values = function(x)
      for k in 0..<16 {
        let expected = exact(Double(x[k]))
        let error = abs(Double(values[k]) - expected) / Double(Float(expected).ulp)
        // A NaN is no small error.
        if !(error <= largest.error) { largest = (error.isNaN ? .infinity : error, x[k]) }
      }
    }
    return largest
  }

  /// Numbers over the range, and their neighbours in it.
  private func grid(_ range: ClosedRange<Float>, steps: Int) -> [Float] {
    (0...steps).flatMap { k -> [Float] in
      let x = range.lowerBound + (range.upperBound - range.lowerBound) * (Float(k) / Float(steps))
      return [x.nextDown, x, x.nextUp]
    }
    .filter(range.contains)
  }

  /// Powers of two down to the smallest number, and what lies between them.
  private let powers = (0..<149).flatMap { k -> [Float] in
    let power = Float(sign: .plus, exponent: -k, significand: 1)
    return [power, power * 0.75, power.nextDown]
  }

  @Test func exponentialOfWhatIsNotPositive() {
    let arguments = grid(-87...0, steps: 40_000) + powers.map { -$0 } + [-0.0, 0]
    let found = largestError(arguments, { .expOfNegative($0) }, exp)
    #expect(found.error <= 4, "\(found.error) units at \(found.at)")
    #expect(Lanes.expOfNegative(.zero) == Lanes(repeating: 1))
    for x: Float in [Float(-87).nextDown, -88, -200, -1e10, -Float.greatestFiniteMagnitude, -Float.infinity] {
      #expect(Lanes.expOfNegative(Lanes(repeating: x)) == .zero, "at \(x)")
    }
  }

  @Test func logarithmOfOnePlusWhatIsInTheUnitInterval() {
    let found = largestError(grid(0...1, steps: 40_000) + powers, { .logOfOnePlus($0) }, log1p)
    #expect(found.error <= 4, "\(found.error) units at \(found.at)")
    #expect(Lanes.logOfOnePlus(.zero) == .zero)
  }
}
