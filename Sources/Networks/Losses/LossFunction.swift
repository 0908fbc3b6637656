import LinearAlgebra

/// An ℓ: what it says of classes, and its kernels, as `Loss` documents them one for one.
///
/// The kernels of entry-wise and of joint losses have defaults, which are compiled for each conforming type: a call
/// through `any LossFunction` costs one indirect call a tile.
protocol LossFunction: Sendable {
  /// The name in configurations and model files.
  var name: String { get }
  var isJoint: Bool { get }
  var hasProbabilities: Bool { get }
  var isForRegression: Bool { get }
  var classTargets: (own: Float, other: Float) { get }
  var largestCurvature: Double { get }
  func atZero(outputs: Int) -> Double
  func margin(_ z: UnsafePointer<Float>, of k: Int, outputs: Int) -> Float
  func logProbability(_ z: UnsafePointer<Float>, of c: Int, outputs: Int) -> Double

  func value(_ z: Tile<Float>, _ y: Tile<Float>) -> Double
  func derivative(_ delta: MutableTile<Float>, _ y: Tile<Float>) -> Double
  func minimise(
    _ z: MutableTile<Float>, _ m: Tile<Float>, _ y: Tile<Float>, _ lambda: Tile<Float>, _ beta: Float,
    _ scratch: UnsafeMutableBufferPointer<Double>)
}

extension LossFunction {
  var isJoint: Bool { false }
  var hasProbabilities: Bool { false }
  var isForRegression: Bool { false }
  var classTargets: (own: Float, other: Float) { (1, -1) }

  /// The output itself where classes have theirs independently; of two classes, what it is above the other.
  func margin(_ z: UnsafePointer<Float>, of k: Int, outputs: Int) -> Float {
    switch outputs {
    case 1: k == 1 ? z[0] : -z[0]
    case 2: z[1] - z[0]
    default: z[k]
    }
  }

  func logProbability(_ z: UnsafePointer<Float>, of c: Int, outputs: Int) -> Double {
    preconditionFailure("\(name) has no probabilities")
  }
}

/// A loss that is a sum over entries.
protocol EntryLoss: LossFunction {
  /// ℓ, in double precision.
  func value(_ z: Double, _ y: Double) -> Double
  /// argmin over z of ℓ(z, y) + λ z + β (z − m)².
  func step(_ m: Float, _ y: Float, _ lambda: Float, _ beta: Float) -> Float
}

// Entry by entry, what lies in one piece is one long column.
extension EntryLoss {
  func value(_ z: Tile<Float>, _ y: Tile<Float>) -> Double {
    var sum = 0.0
    for j in 0..<z.columns {
      let (z, y, rows) = (z.column(j), y.column(j), z.rows)
      for i in 0..<rows { sum += value(Double(z[i]), Double(y[i])) }
    }
    return sum
  }

  func minimise(
    _ z: MutableTile<Float>, _ m: Tile<Float>, _ y: Tile<Float>, _ lambda: Tile<Float>, _ beta: Float,
    _ scratch: UnsafeMutableBufferPointer<Double>
  ) {
    if z.columns > 1 && z.isOnePiece && m.isOnePiece && y.isOnePiece && lambda.isOnePiece {
      return minimise(z.asColumn, m.asColumn, y.asColumn, lambda.asColumn, beta, scratch)
    }
    for j in 0..<z.columns {
      let (z, m, y, lambda, rows) = (z.column(j), m.column(j), y.column(j), lambda.column(j), z.rows)
      for i in 0..<rows { z[i] = step(m[i], y[i], lambda[i], beta) }
    }
  }
}

/// A loss that is a sum over entries and has a derivative of a few operations.
protocol PiecewiseLoss: EntryLoss {
  /// ℓ and ℓ'.
  func slope(_ z: Float, _ y: Float) -> (value: Float, slope: Float)
}

extension PiecewiseLoss {
  func derivative(_ delta: MutableTile<Float>, _ y: Tile<Float>) -> Double {
    if delta.columns > 1 && delta.isOnePiece && y.isOnePiece { return derivative(delta.asColumn, y.asColumn) }
    var sum = 0.0
    for j in 0..<delta.columns {
      let (z, y) = (delta.column(j), y.column(j))
      for i in 0..<delta.rows {
        let (value, slope) = slope(z[i], y[i])
        z[i] = slope
        sum += Double(value)
      }
    }
    return sum
  }
}

/// A loss that couples the outputs of a sample, one a class. Its kernels take a column of so many rows.
protocol JointLoss: LossFunction {
  func value(_ z: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double
  func derivative(_ z: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, _ rows: Int) -> Double
  func minimise(
    _ z: UnsafeMutablePointer<Float>, _ m: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ lambda: UnsafePointer<Float>, _ beta: Double, _ rows: Int, _ scratch: UnsafeMutableBufferPointer<Double>
  )
}

extension JointLoss {
  var isJoint: Bool { true }
  var classTargets: (own: Float, other: Float) { (1, 0) }

  func value(_ z: Tile<Float>, _ y: Tile<Float>) -> Double {
    var sum = 0.0
    for j in 0..<z.columns { sum += value(z.column(j), y.column(j), z.rows) }
    return sum
  }

  func derivative(_ delta: MutableTile<Float>, _ y: Tile<Float>) -> Double {
    var sum = 0.0
    for j in 0..<delta.columns { sum += derivative(delta.column(j), y.column(j), delta.rows) }
    return sum
  }

  func minimise(
    _ z: MutableTile<Float>, _ m: Tile<Float>, _ y: Tile<Float>, _ lambda: Tile<Float>, _ beta: Float,
    _ scratch: UnsafeMutableBufferPointer<Double>
  ) {
    for j in 0..<z.columns {
      minimise(z.column(j), m.column(j), y.column(j), lambda.column(j), Double(beta), z.rows, scratch)
    }
  }
}
