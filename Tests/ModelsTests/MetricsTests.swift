import Datasets
import LinearAlgebra
import MPI
import Models
import Networks
import TestSupport
import Testing

/// Seeded scores and labels of all samples, of which each rank takes its part.
private struct Samples {
  let rows: Int
  /// Column by column.
  let scores: [Float]
  let codes: [Int32]
  let names: [String]

  /// - Parameter steps: how many different values a score may have at the most: few make many ties.
  init(_ count: Int, classes: Int, rows: Int, steps: Int, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var scores: [Float] = []
    var codes: [Int32] = []
    for _ in 0..<count {
      let code = Int32.random(in: 0..<Int32(classes), using: &random)
      codes.append(code)
      for i in 0..<rows {
        let pull: Float = rows == 1 ? Float(code) : (Int(code) == i ? 1 : 0)
        let noise = Float(Int.random(in: 0..<steps, using: &random)) / Float(steps)
        scores.append(2 * pull + 4 * noise - 3)
      }
    }
    self.init(rows: rows, scores: scores, codes: codes, classes: classes)
  }

  init(rows: Int, scores: [Float], codes: [Int32], classes: Int) {
    self.rows = rows
    self.scores = scores
    self.codes = codes
    names = (0..<classes).map { "class \($0)" }
  }

  var count: Int { codes.count }

  /// Evaluates with each rank holding samples `range(rank)`.
  func evaluate(
    _ loss: Loss, over ranks: borrowing Communicator, range: (Int) -> Range<Int>
  ) throws -> Evaluation {
    let range = range(ranks.rank)
    var own = Matrix<Float>(rows: rows, columns: range.count)
    for (k, j) in range.enumerated() {
      for i in 0..<rows { own[i, k] = scores[j * rows + i] }
    }
    return try Evaluation(
      of: own.all, labels: .classes(codes: Array(codes[range]), names: names), loss: loss, over: ranks)
  }

  /// 2 U and P N of a class by comparing every pair.
  func pairs(_ margin: (Int) -> Float, _ k: Int32) -> (twiceU: Int, all: Int) {
    var (twiceU, all) = (0, 0)
    for p in codes.indices where codes[p] == k {
      for n in codes.indices where codes[n] != k {
        all += 1
        let (high, low) = (margin(p), margin(n))
        twiceU += high > low ? 2 : high == low ? 1 : 0
      }
    }
    return (twiceU, all)
  }
}

/// Which samples rank r of R holds: even parts, all on the last, or none on the even ranks.
private func divisions(_ count: Int, _ R: Int) -> [(Int) -> Range<Int>] {
  let odd = R / 2
  return [
    { r in r * count / R..<(r + 1) * count / R },
    { r in r == R - 1 ? 0..<count : 0..<0 },
    { r in
      guard odd > 0 else { return 0..<count }
      return r % 2 == 0 ? 0..<0 : (r / 2) * count / odd..<(r / 2 + 1) * count / odd
    },
  ]
}

@Suite(.serialized) struct MetricsTests {
  @Test("AUC equals the comparison of all pairs, few ties and many", arguments: [1, 2, 3, 10, 1000, 1 << 20])
  func auc(steps: Int) throws {
    try TestWorld.with { ranks in
      let samples = Samples(431, classes: 2, rows: 1, steps: steps, seed: UInt64(steps))
      let (twiceU, all) = samples.pairs({ samples.scores[$0] }, 1)
      for range in divisions(samples.count, ranks.size) {
        let result = try samples.evaluate(.hinge, over: ranks, range: range)
        #expect(result.auc == Double(twiceU) / Double(2 * all))
        #expect(result.samples == 431)
      }
    }
  }

  @Test("AUC of signed zeros, infinities, reversed and perfect scores, one class, NaN")
  func specialScores() throws {
    try TestWorld.with { ranks in
      func auc(_ scores: [Float], _ codes: [Int32]) -> Samples {
        Samples(rows: 1, scores: scores, codes: codes, classes: 2)
      }
      let cases: [(Samples, Double?)] = [
        (auc([-0.0, 0.0], [0, 1]), 0.5), (auc([0.0, -0.0], [0, 1]), 0.5),
        (auc([-.infinity, -1, 0, .infinity], [0, 0, 1, 1]), 1), (auc([3, 2, -1, -2], [0, 0, 1, 1]), 0),
        (auc([Float.leastNonzeroMagnitude, 0, -Float.leastNonzeroMagnitude], [1, 0, 0]), 1),
        (auc([1, 1, 1], [1, 0, 1]), 0.5),
        (auc([1, 2], [1, 1]), nil), (auc([1, 2], [0, 0]), nil), (auc([1, .nan, 0], [1, 0, 0]), nil),
      ]
      for (samples, expected) in cases {
        for range in divisions(samples.count, ranks.size) {
          let result = try samples.evaluate(.hinge, over: ranks, range: range)
          #expect(result.auc == expected, "\(samples.scores)")
        }
      }
    }
  }

  @Test("Several classes: accuracy, confusion and the mean of the one-vs-rest AUCs")
  func classes() throws {
    try TestWorld.with { ranks in
      let K = 4
      let samples = Samples(200, classes: K, rows: K, steps: 16, seed: 5)
      var confusion = [[Int]](repeating: [Int](repeating: 0, count: K), count: K)
      for (j, code) in samples.codes.enumerated() {
        let z = samples.scores[j * K..<(j + 1) * K]
        // The first of the largest.
        let decision = z.firstIndex(of: z.reduce(-100, max)).map { $0 - z.startIndex } ?? 0
        confusion[Int(code)][decision] += 1
      }
      let right = (0..<K).reduce(0) { $0 + confusion[$1][$1] }
      #expect(right < 200)
      let areas = (0..<K).map { k in
        let (twiceU, all) = samples.pairs({ samples.scores[$0 * K + k] }, Int32(k))
        return Double(twiceU) / Double(2 * all)
      }
      for range in divisions(samples.count, ranks.size) {
        let result = try samples.evaluate(.hinge, over: ranks, range: range)
        #expect(result.confusion == confusion)
        #expect(result.accuracy == Double(right) / 200)
        #expect(result.auc == areas.reduce(0, +) / Double(K))
        #expect(result.log_loss == nil && result.rmse == nil)
      }
    }
  }

  @Test("Joint losses rank by margin, and two outputs agree with one")
  func margins() throws {
    try TestWorld.with { ranks in
      let one = Samples(150, classes: 2, rows: 1, steps: 8, seed: 9)
      // Exactly representable: the difference of the two outputs is the one output.
      let two = Samples(
        rows: 2, scores: one.scores.flatMap { [1 - $0 / 2, 1 + $0 / 2] }, codes: one.codes, classes: 2)
      for range in divisions(one.count, ranks.size) {
        let expected = try one.evaluate(.logistic, over: ranks, range: range)
        for loss in [Loss.softmax, .multiclass_hinge] {
          let result = try two.evaluate(loss, over: ranks, range: range)
          #expect(result.auc == expected.auc && result.accuracy == expected.accuracy)
          #expect(result.confusion == expected.confusion)
        }
        let softmax = try #require(try two.evaluate(.softmax, over: ranks, range: range).log_loss)
        #expect(abs(softmax - (expected.log_loss ?? .nan)) < 1e-14)
      }
      let K = 3
      let many = Samples(90, classes: K, rows: K, steps: 8, seed: 11)
      let areas = (0..<K).map { k in
        let (twiceU, all) = many.pairs(
          { j in
            let others = (0..<K).filter { $0 != k }.map { many.scores[j * K + $0] }
            return many.scores[j * K + k] - max(others[0], others[1])
          }, Int32(k))
        return Double(twiceU) / Double(2 * all)
      }
      let result = try many.evaluate(.multiclass_hinge, over: ranks) { _ in 0..<0 }
      #expect(result.samples == 0 && result.auc == nil && result.accuracy == nil)
      for range in divisions(many.count, ranks.size) {
        #expect(
          try many.evaluate(.multiclass_hinge, over: ranks, range: range).auc == areas.reduce(0, +)
            / Double(K))
      }
    }
  }

  @Test("Log-loss: known values, and logits that overflow where they are taken as they are")
  func logLoss() throws {
    try TestWorld.with { ranks in
      let log2 = 0.693_147_180_559_945_3
      let log3 = 1.098_612_288_668_109_8
      let cases: [(loss: Loss, rows: Int, scores: [Float], codes: [Int32], expected: Double?)] = [
        (.logistic, 1, [0, 0], [0, 1], log2),
        (.logistic, 1, [1000, -1000], [0, 1], 1000),
        (.logistic, 1, [1000, -1000], [1, 0], 0),
        (.logistic, 1, [1e38], [0], Double(Float(1e38))),
        (.softmax, 3, [0, 0, 0], [1], log3),
        (.softmax, 3, [1000, 0, -1000], [2], 2000),
        (.softmax, 3, [1000, 0, -1000], [0], 0),
        // σ(0) = 1/2 for the first, nearly 1 for the others: p = 1/2 / (1/2 + 1 + 1).
        (.logistic, 3, [0, 500, 500], [0], 1.609_437_912_434_100_3),
        // All three far below: e^(−1000) each, so 1/3.
        (.logistic, 3, [-1000, -1000, -1000], [0], log3),
        (.logistic, 1, [.nan], [0], nil),
        (.softmax, 3, [.infinity, .infinity, 0], [0], nil),
        (.hinge, 1, [0, 0], [0, 1], nil),
      ]
      for (loss, rows, scores, codes, expected) in cases {
        let samples = Samples(rows: rows, scores: scores, codes: codes, classes: max(rows, 2))
        for range in divisions(samples.count, ranks.size) {
          let result = try samples.evaluate(loss, over: ranks, range: range).log_loss
          #expect((result == nil) == (expected == nil), "\(loss) \(scores)")
          if let expected, let result {
            #expect(abs(result - expected) <= 1e-15 * expected, "\(loss) \(scores)")
          }
        }
      }
    }
  }

  @Test("Regression: errors in the data's unit, the same bits for any division")
  func regression() throws {
    try TestWorld.with { ranks in
      var random = SeededGenerator(seed: 3)
      let targets = (0..<300).map { _ in Float(100 + random.normal()) }
      let predictions = targets.map { $0 + Float(random.normal()) / 8 }
      // Locally, in extended precision.
      let errors = zip(predictions, targets).map { Float80($0) - Float80($1) }
      let mean = targets.reduce(0) { $0 + Float80($1) } / 300
      let squares = errors.reduce(0) { $0 + $1 * $1 }
      let spread = targets.reduce(0) { $0 + (Float80($1) - mean) * (Float80($1) - mean) }
      let expected = (
        rmse: Double(2 * (squares / 300).squareRoot()),
        mae: Double(2 * errors.reduce(0) { $0 + abs($1) } / 300),
        r2: Double(1 - squares / spread)
      )
      var results: [Evaluation] = []
      for range in divisions(300, ranks.size) {
        let own = range(ranks.rank)
        var scores = Matrix<Float>(rows: 1, columns: own.count)
        for (k, j) in own.enumerated() { scores[0, k] = predictions[j] }
        let result = try Evaluation(
          of: scores.all, labels: .targets(Array(targets[own])), loss: .square, unit: 2, over: ranks)
        #expect(abs((result.rmse ?? .nan) - expected.rmse) <= 4 * expected.rmse.ulp)
        #expect(abs((result.mae ?? .nan) - expected.mae) <= 4 * expected.mae.ulp)
        #expect(abs((result.r2 ?? .nan) - expected.r2) <= 1e-14)
        #expect(result.accuracy == nil && result.auc == nil)
        results.append(result)
      }
      #expect(results.allSatisfy { $0 == results[0] })
      let constant = Matrix<Float>(rows: 1, columns: 2)
      let flat = try Evaluation(of: constant.all, labels: .targets([1, 1]), loss: .square, over: ranks)
      #expect(flat.r2 == nil && flat.rmse == 1 && flat.mae == 1)
    }
  }

  @Test("The constant answer: the training set's most frequent class, its mean target")
  func constantAnswer() throws {
    try TestWorld.with { ranks in
      let names = ["a", "b", "c"]
      let isRoot = ranks.isRoot
      // On all ranks together b leads in training; in the test set two of seven are b.
      let training: [Int32] = isRoot ? [0, 1, 1, 2] : []
      let test: [Int32] = isRoot ? [0, 0, 0, 0, 1, 1, 2] : []
      let result = try Evaluation(
        ofConstantFrom: .classes(codes: training, names: names), on: .classes(codes: test, names: names),
        over: ranks)
      #expect(result.accuracy == 2.0 / 7 && result.samples == 7)
      #expect(result.confusion == [[0, 4, 0], [0, 2, 0], [0, 1, 0]])
      let mean = try Evaluation(
        ofConstantFrom: .targets(isRoot ? [1, 3] : []), on: .targets(isRoot ? [2, 4] : []), unit: 10,
        over: ranks)
      #expect(mean.mae == 10 && mean.rmse == 200.squareRoot() && mean.r2 == -1)
    }
  }
}
