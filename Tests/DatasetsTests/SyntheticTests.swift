import Datasets
import MPI
import Sums
import TestSupport
import Testing

/// The bits of samples and their labels, one after the other.
private struct Bits: Equatable {
  var features: [UInt32] = []
  var codes: [Int32] = []
  var targets: [UInt32] = []

  init() {}

  init(_ dataset: borrowing Dataset) { append(dataset) }

  mutating func append(_ dataset: borrowing Dataset) {
    features += dataset.features.elements.map(\.bitPattern)
    switch dataset.labels {
    case .classes(let codes, _): self.codes += codes
    case .targets(let targets): self.targets += targets.map(\.bitPattern)
    case .none: Issue.record("no labels")
    }
  }

  func prefix(_ samples: Int, features d: Int) -> Bits {
    var part = Bits()
    part.features = Array(features.prefix(samples * (d + 1)))
    part.codes = Array(codes.prefix(samples))
    part.targets = Array(targets.prefix(samples))
    return part
  }
}

@Suite(.serialized) struct SyntheticTests {
  private let higgs = Synthetic(features: 28, noise: 0.6, seed: 1)

  /// All samples of a part on a rank alone.
  private func alone(
    _ source: Synthetic, _ samples: Int, part: Synthetic.Part = .training,
    task: LearningTask = .classification
  ) -> Dataset {
    source.samples(part, task: task, partition: Partition(samples: samples, ranks: 1), rank: 0)
  }

  // MARK: The same samples on any number of ranks

  @Test(arguments: [
    (Synthetic(features: 28, noise: 0.6, seed: 1), LearningTask.classification),
    (Synthetic(features: 5, classes: 4, noise: 0, seed: 1 << 40), .classification),
    (Synthetic(features: 1, noise: 2, seed: 3), .regression),
  ])
  func partitionsShareOutTheSameSamples(_ source: Synthetic, _ task: LearningTask) {
    let samples = 200
    let whole = Bits(alone(source, samples, task: task))
    for ranks in [2, 3, 7] {
      for chunk in [nil, 1, 64] {
        let partition = Partition(samples: samples, ranks: ranks, chunk: chunk)
        var parts = Bits()
        for rank in 0..<ranks {
          let part = source.samples(.training, task: task, partition: partition, rank: rank)
          #expect(part.partition == partition && part.range == partition.range(of: rank))
          parts.append(part)
        }
        #expect(parts == whole, "\(ranks) ranks, chunk \(chunk ?? 0)")
      }
    }
    let shorter = Bits(alone(source, 77, task: task))
    #expect(shorter == whole.prefix(77, features: source.features))
  }

  @Test func eachRankMakesItsPartOfTheWhole() throws {
    try TestWorld.with { ranks in
      let partition = Partition(samples: 300, ranks: ranks.size)
      let own = Bits(higgs.samples(.test, task: .classification, partition: partition, rank: ranks.rank))
      let parts = (features: try ranks.gather(own.features.map(Int.init)), codes: try ranks.gather(own.codes))
      let whole = Bits(alone(higgs, 300, part: .test))
      #expect(Array(parts.features.joined()) == whole.features.map(Int.init))
      #expect(Array(parts.codes.joined()) == whole.codes)
    }
  }

  @Test func aRankMayHaveNoSample() {
    let partition = Partition(samples: 2, ranks: 5)
    let ranges = (0..<5).map { rank in
      higgs.samples(.training, task: .classification, partition: partition, rank: rank).range.count
    }
    #expect(ranges.reduce(0, +) == 2 && ranges.contains(0))
  }

  @Test func theLastRowIsOnesAndProgressIsTold() {
    var told: [Double] = []
    let dataset = higgs.samples(
      .training, task: .classification, partition: Partition(samples: 10_000, ranks: 1), rank: 0
    ) { told.append($0) }
    #expect((0..<10_000).allSatisfy { dataset.features[28, $0] == 1 })
    #expect(told.count > 1 && told == told.sorted() && told.allSatisfy { (0..<1).contains($0) })
    #expect(dataset.featureNames.first == "x1" && dataset.featureNames.last == "x28")
  }

  // MARK: Against NumPy

  private struct Request: Encodable {
    let seed: UInt64
    let stream: Int
    let features: Int
    let scores: Int
    let noise: Double
    let numbers: [Int]
  }

  private struct Answer: Decodable {
    let features: [[Double]]
    let scores: [[Double]]
    let clean: [[Double]]
  }

  private func numpy(
    _ source: Synthetic, _ part: Synthetic.Part, scores: Int, _ numbers: Range<Int>
  ) throws -> Answer {
    try Python.run(
      script: "Tests/DatasetsTests/synthetic.py",
      input: Request(
        seed: source.seed, stream: part == .training ? 2 : 3, features: source.features, scores: scores,
        noise: source.noise, numbers: Array(numbers)))
  }

  /// Two and more classes, a regression; odd and even numbers of features; samples whose numbers need more than 32
  /// bits.
  @Test(
    .enabled("\(Python.howToInstall)") { Python.isAvailable },
    arguments: [
      (Synthetic(features: 28, noise: 0.6, seed: 1), Synthetic.Part.training, LearningTask.classification, 0),
      (Synthetic(features: 28, noise: 0.6, seed: 1), .test, .classification, 4_000_000_007),
      (Synthetic(features: 7, classes: 5, noise: 0.3, seed: 1 << 40 + 9), .training, .classification, 9),
      (Synthetic(features: 3, noise: 1.5, seed: 7), .test, .regression, 2),
    ])
  func samplesAreThoseOfTheDefinition(
    _ source: Synthetic, _ part: Synthetic.Part, _ task: LearningTask, _ rank: Int
  ) throws {
    // A partition of 2^40 samples of which a rank owns 64.
    let partition = Partition(samples: 1 << 40, ranks: 1 << 34, chunk: 64)
    let dataset = source.samples(part, task: task, partition: partition, rank: rank)
    try #require(dataset.range == 64 * rank..<64 * rank + 64)
    let scores = task == .regression || source.classes == 2 ? 1 : source.classes
    let answer = try numpy(source, part, scores: scores, dataset.range)
    for i in 0..<64 {
      for j in 0..<source.features {
        #expect(abs(Double(dataset.features[j, i]) - answer.features[i][j]) < 1e-6, "(\(j), \(i))")
      }
      let s = answer.scores[i]
      switch dataset.labels {
      case .targets(let targets): #expect(abs(Double(targets[i]) - s[0]) < 1e-6 * max(abs(s[0]), 1))
      case .classes(let codes, let names):
        #expect(names == (0..<source.classes).map(String.init))
        let largest = s.indices.max { s[$0] < s[$1] } ?? 0
        #expect(Int(codes[i]) == (scores == 1 ? (s[0] > 0 ? 1 : 0) : largest), "sample \(i): \(s)")
      case .none: Issue.record("no labels")
      }
    }
  }

  /// With noise 0.6 the best possible decision, that of the scores without noise, is right for 82 % of the samples.
  @Test(.enabled("\(Python.howToInstall)") { Python.isAvailable }, arguments: [1, 2, 3])
  func theNoiseLeavesSomethingToLearn(seed: UInt64) throws {
    let n = 5_000
    let source = Synthetic(features: 28, noise: 0.6, seed: seed)
    let answer = try numpy(source, .test, scores: 1, 0..<n)
    let right = (0..<n).count { (answer.scores[$0][0] > 0) == (answer.clean[$0][0] > 0) }
    #expect((0.80...0.85).contains(Double(right) / Double(n)), "\(right)")
  }

  // MARK: Distribution
  //
  // Bounds are five standard deviations of the statistic. The numbers are seeded: a test either always passes or
  // never.

  private let n = 20_000

  private func correlation(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / Double(x.count)
  }

  private func rows(_ dataset: borrowing Dataset) -> [[Double]] {
    (0..<dataset.featureCount).map { j in
      (0..<dataset.range.count).map { Double(dataset.features[j, $0]) }
    }
  }

  private func codes(_ dataset: borrowing Dataset) -> [Int] {
    if case .classes(let codes, _) = dataset.labels { codes.map(Int.init) } else { [] }
  }

  @Test(arguments: Synthetic.Part.allCases) func featuresAreNormalAndIndependent(_ part: Synthetic.Part) {
    let x = rows(alone(higgs, n, part: part))
    let root = Double(n).squareRoot()
    for j in 0..<28 {
      #expect(abs(x[j].reduce(0, +)) / Double(n) < 5 / root)
      #expect(abs(correlation(x[j], x[j]) - 1) < 5 * 2.0.squareRoot() / root)
      for k in 0..<j { #expect(abs(correlation(x[j], x[k])) < 5 / root, "\(j), \(k)") }
    }
  }

  @Test func partsAndSeedsHaveNothingInCommon() {
    let x = rows(alone(higgs, n))
    let others = [
      rows(alone(higgs, n, part: .test)),
      rows(alone(Synthetic(features: 28, noise: 0.6, seed: 2), n)),
      rows(alone(Synthetic(features: 28, noise: 0.6, seed: 1 | 1 << 32), n)),
    ]
    for y in others {
      for j in 0..<28 {
        #expect(abs(correlation(x[j], y[j])) < 5 / Double(n).squareRoot())
      }
      let samples = Set((0..<n).map { i in x.map { $0[i] } })
      #expect(!(0..<n).contains { i in samples.contains(y.map { $0[i] }) })
    }
  }

  /// The median that balances them comes from 16,384 samples: its own error adds to that of the count.
  @Test(arguments: [1, 2, 3, 4]) func twoClassesAreBalanced(seed: UInt64) {
    let ones = codes(alone(Synthetic(features: 28, noise: 0.6, seed: seed), n)).reduce(0, +)
    let deviation = 0.5 * (1 / Double(n) + 1 / 16_384).squareRoot()
    #expect(abs(Double(ones) / Double(n) - 0.5) < 5 * deviation)
  }

  @Test func ofManyClassesEachOccurs() {
    let codes = codes(alone(Synthetic(features: 10, classes: 10, noise: 0.1, seed: 1), n))
    for k in 0..<10 { #expect((n / 40...n / 4).contains(codes.count { $0 == k }), "class \(k)") }
  }

  /// Teacher and noise are uncorrelated, so their variances add: 1 and noise².
  @Test(arguments: [0, 0.6, 3]) func targetsHaveTheVarianceOfTeacherAndNoise(noise: Double) {
    let source = Synthetic(features: 28, noise: noise, seed: 1)
    guard case .targets(let targets) = alone(source, n, task: .regression).labels else {
      Issue.record("no targets")
      return
    }
    let values = targets.map { Double($0) }
    let mean = values.reduce(0, +) / Double(n)
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(n)
    #expect(abs(variance / (1 + noise * noise) - 1) < 0.06)
  }
}
