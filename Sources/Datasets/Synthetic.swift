import LinearAlgebra
import MPI
import Sums

/// Made-up samples: normal features, labelled by a random network, the teacher, whose outputs are blurred by noise.
///
///     x_j ~ N(0, 1), j = 1 … d                                      features
///     ℓ_k = v_k · U x,  g_k = v_k · |U x|                           32 ReLUs in 16 pairs: of each u_i and of −u_i
///     s_k = ½ ℓ_k / sd ℓ_k + √¾ g_k / sd g_k + noise · e_k − m_k    scores; e_k ~ N(0, 1), m_k the median of the rest
///
/// Of two classes the second is the one with s > 0, of more the largest s_k decides; the target of a regression is
/// s. A linear model sees nothing of the even functions g_k: it explains a quarter of the variance that is not
/// noise.
///
/// Every number is a function of the seed and the sample's number, drawn by `Philox`: any rank makes any sample,
/// with the same bits.
public struct Synthetic: Sendable, Equatable {
  /// One of two sets of samples that have the teacher in common and nothing else.
  public enum Part: UInt32, Sendable, CaseIterable {
    /// What a network learns from.
    case training
    /// What it is tested on.
    case test
  }

  /// d.
  public var features: Int
  /// How many classes there are, named "0", "1", …; not used for a regression.
  public var classes: Int
  /// The standard deviation of the noise, in units of that of the teacher's output.
  public var noise: Double
  /// Decides teacher, features and noise.
  public var seed: UInt64

  /// - Precondition: features ≥ 1, classes ≥ 2, noise ≥ 0.
  public init(features: Int, classes: Int = 2, noise: Double, seed: UInt64) {
    precondition(
      features >= 1 && classes >= 2 && noise >= 0, "\(features) features, \(classes) classes, noise \(noise)")
    self.features = features
    self.classes = classes
    self.noise = noise
    self.seed = seed
  }

  /// Makes the samples that `rank` owns, in place: no other array grows with their number than those of the result.
  ///
  /// Local. d + K normal deviates and 16 (d + K) multiply-adds a sample, K the number of scores. Sample n is the
  /// same in every partition, however many samples that has.
  ///
  /// - Parameters:
  ///   - task: whether the labels are classes or the score itself.
  ///   - progress: told the fraction of its own samples that this rank has made.
  public func samples(
    _ part: Part, task: LearningTask, partition: Partition, rank: Int, progress: (Double) -> Void = { _ in }
  ) -> Dataset {
    let range = partition.range(of: rank)
    var matrix = Matrix<Float>(rows: features + 1, columns: range.count)
    let isRegression = task == .regression
    var codes = [Int32](repeating: 0, count: isRegression ? 0 : range.count)
    var targets = [Float](repeating: 0, count: isRegression ? range.count : 0)

    let scores = isRegression || classes == 2 ? 1 : classes
    var teacher = Teacher(self, outputs: scores)
    let draw = Draw(self, .samples(part))
    var s = Matrix<Double>(rows: scores, columns: 1)
    var noises = Matrix<Double>(rows: scores, columns: 1)
    for i in 0..<range.count {
      let n = range.lowerBound + i
      let x = matrix.mutableBase + i * (features + 1)
      draw.features(of: n, into: x)
      x[features] = 1
      teacher.score(x, into: s.mutableBase)
      draw.noises(of: n, scores, into: noises.mutableBase)
      for k in 0..<scores { s.mutableBase[k] += noise * noises.base[k] }
      if isRegression { targets[i] = Float(s.base[0]) } else { codes[i] = label(s.base, scores) }
      if i % 4096 == 0 { progress(Double(i) / Double(range.count)) }
    }
    return Dataset(
      partition: partition, range: range, features: matrix,
      labels: isRegression
        ? .targets(targets) : .classes(codes: codes, names: (0..<classes).map { "\($0)" }),
      featureNames: (1...features).map { "x\($0)" })
  }

  private func label(_ s: UnsafePointer<Double>, _ scores: Int) -> Int32 {
    if scores == 1 { return s[0] > 0 ? 1 : 0 }
    var best = 0
    for k in 1..<scores where s[k] > s[best] { best = k }
    return Int32(best)
  }
}

/// What random numbers are for; the streams differ from all others of the program.
private enum Stream {
  case teacher
  /// The samples that the teacher is standardised over.
  case scale
  case samples(Synthetic.Part)

  /// "syn" and a number.
  var number: UInt32 {
    let index: UInt32 =
      switch self {
      case .teacher: 0
      case .scale: 1
      case .samples(let part): 2 + part.rawValue
      }
    return 0x7379_6E00 + index
  }
}

/// The random numbers of samples: the two of counter (i, n) are features 2i + 1 and 2i + 2 of sample n; its noises
/// follow in pairs.
private struct Draw {
  private let random: Philox
  private let features: Int
  /// How many counters a sample's features take.
  private var rows: Int { (features + 1) / 2 }

  init(_ source: Synthetic, _ stream: Stream) {
    random = Philox(seed: source.seed, stream: stream.number)
    features = source.features
  }

  /// The d features of sample n.
  func features(of n: Int, into x: UnsafeMutablePointer<Float>) {
    for i in 0..<rows {
      let (even, odd) = random.normals(i, n)
      x[2 * i] = Float(even)
      if 2 * i + 1 < features { x[2 * i + 1] = Float(odd) }
    }
  }

  /// The noises of sample n, one a score.
  func noises(of n: Int, _ count: Int, into e: UnsafeMutablePointer<Double>) {
    for i in 0..<(count + 1) / 2 {
      let (even, odd) = random.normals(rows + i, n)
      e[2 * i] = even
      if 2 * i + 1 < count { e[2 * i + 1] = odd }
    }
  }
}

/// The network that labels the samples. The entries of U and of v_k are normal deviates.
private struct Teacher: ~Copyable {
  /// How many entries v_k has.
  private static let pairs = 16
  /// How many samples g_k is standardised over, and m_k found from.
  private static let trials = 16_384

  private let features: Int
  private let outputs: Int
  /// pairs × d.
  private var U: Matrix<Double>
  /// pairs × K: what u_i counts for in each score, and what |u_i| does.
  private var linear, even: Matrix<Double>
  /// m_k.
  private var medians: [Double]
  /// U x of a sample.
  private var hidden = Matrix<Double>(rows: pairs, columns: 1)

  /// The teacher of so many scores. Local; the same on every rank.
  init(_ source: Synthetic, outputs: Int) {
    features = source.features
    self.outputs = outputs
    U = Matrix(rows: Self.pairs, columns: features)
    linear = Matrix(rows: Self.pairs, columns: outputs)
    even = Matrix(rows: Self.pairs, columns: outputs)
    medians = [Double](repeating: 0, count: outputs)
    let random = Philox(seed: source.seed, stream: Stream.teacher.number)
    for i in 0..<Self.pairs {
      for j in 0..<features { U[i, j] = random.normal(i, j) }
      for k in 0..<outputs { even[i, k] = random.normal(i, features + k) }
    }
    standardize(Draw(source, .scale), noise: source.noise)
  }

  private mutating func standardize(_ draw: Draw, noise: Double) {
    var s = Matrix<Double>(rows: outputs, columns: Self.trials)
    // linear is still 0: these are the g_k.
    score(draw, into: &s)
    for k in 0..<outputs {
      let g = (0..<Self.trials).map { s[k, $0] }
      let mean = g.reduce(0, +) / Double(Self.trials)
      let variance = g.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.trials)
      // Of ℓ_k = (Uᵀ v_k) · x: the length of that vector.
      let length = (0..<features).reduce(0) { sum, j in
        let entry = (0..<Self.pairs).reduce(0) { $0 + U[$1, j] * even[$1, k] }
        return sum + entry * entry
      }
      for i in 0..<Self.pairs {
        linear[i, k] = 0.5 * even[i, k] / length.squareRoot()
        even[i, k] *= (0.75 / variance).squareRoot()
      }
    }
    score(draw, into: &s)
    var e = Matrix<Double>(rows: outputs, columns: 1)
    for n in 0..<Self.trials {
      draw.noises(of: n, outputs, into: e.mutableBase)
      for k in 0..<outputs { s[k, n] += noise * e[k, 0] }
    }
    for k in 0..<outputs {
      let sorted = (0..<Self.trials).map { s[k, $0] }.sorted()
      medians[k] = (sorted[Self.trials / 2 - 1] + sorted[Self.trials / 2]) / 2
    }
  }

  /// The scores of the trials, one a column.
  private mutating func score(_ draw: Draw, into s: inout Matrix<Double>) {
    var x = Matrix<Float>(rows: features, columns: 1)
    for n in 0..<s.columns {
      draw.features(of: n, into: x.mutableBase)
      score(x.base, into: s.mutableBase + n * outputs)
    }
  }

  /// The scores of one sample, without noise. Plain sums in a fixed order, whose bits no BLAS decides.
  mutating func score(_ x: UnsafePointer<Float>, into s: UnsafeMutablePointer<Double>) {
    let u = hidden.mutableBase
    for i in 0..<Self.pairs { u[i] = 0 }
    for j in 0..<features {
      let column = U.base + j * Self.pairs
      let value = Double(x[j])
      for i in 0..<Self.pairs { u[i] += column[i] * value }
    }
    for k in 0..<outputs {
      let (a, b) = (linear.base + k * Self.pairs, even.base + k * Self.pairs)
      var sum = 0.0
      for i in 0..<Self.pairs { sum += a[i] * u[i] + b[i] * abs(u[i]) }
      s[k] = sum - medians[k]
    }
  }
}
