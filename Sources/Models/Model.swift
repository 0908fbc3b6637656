import Basics
import Datasets
import Files
import LinearAlgebra
import Networks
import Reports

/// A trained network with all that it takes to apply it to other samples: what model.h5 holds.
public struct Model: ~Copyable {
  /// What the network's outputs stand for.
  public enum Meaning: Sendable, Equatable {
    /// One output for two classes, positive for the second; else one a class, of which the largest decides.
    case classes([String])
    /// One output t; the prediction is mean + scale · t.
    case target(mean: Float, scale: Float)
  }

  /// How the weights came about.
  public struct Provenance: Sendable, Equatable {
    /// The version of this program that wrote the model.
    public var program: String
    /// Of the resolved configuration.
    public var configurationSHA256: String
    public var seed: UInt64
    /// The training method, such as `taylor`.
    public var method: String
    /// The iteration that the weights are from.
    public var iteration: Int

    public init(
      program: String = Versions.program, configurationSHA256: String, seed: UInt64, method: String,
      iteration: Int
    ) {
      self.program = program
      self.configurationSHA256 = configurationSHA256
      self.seed = seed
      self.method = method
      self.iteration = iteration
    }
  }

  public let network: Network
  /// W_l for each layer, d_l × (d_{l−1} + 1), the bias in the last column.
  public let W: Layers<Matrix<Float>>
  /// What was done to the features; nil for nothing.
  public let standardization: Standardization?
  public let meaning: Meaning
  /// d_0 names.
  public let featureNames: [String]
  /// What the training set's file itself called its columns.
  public let columns: ColumnNames
  public let provenance: Provenance
  /// Whether what was read had a checksum, which held; true of a model that was not read.
  public let isSealed: Bool

  /// - Precondition: the shapes of W are those of the network, and names and standardisation have d_0 entries.
  public init(
    network: Network, W: consuming Layers<Matrix<Float>>, standardization: Standardization?,
    meaning: Meaning, featureNames: [String], columns: ColumnNames = ColumnNames(), provenance: Provenance,
    isSealed: Bool = true
  ) {
    precondition(W.indices == 1..<network.L + 1, "layers \(W.indices) for widths \(network.widths)")
    for l in 1...network.L {
      precondition(
        W[l].rows == network.widths[l] && W[l].columns == network.widths[l - 1] + 1,
        "W_\(l) is \(W[l].rows) × \(W[l].columns) for widths \(network.widths)")
    }
    precondition(
      featureNames.count == network.widths[0]
        && standardization?.mean.count ?? network.widths[0] == network.widths[0],
      "\(featureNames.count) names and \(standardization?.mean.count ?? 0) means for \(network.widths[0]) features"
    )
    self.network = network
    self.W = W
    self.standardization = standardization
    self.meaning = meaning
    self.featureNames = featureNames
    self.columns = columns
    self.provenance = provenance
    self.isSealed = isSealed
  }

  /// The names of the classes; nil for a regression.
  public var classNames: [String]? {
    if case .classes(let names) = meaning { names } else { nil }
  }

  /// SHA-256 over the weights: W_1, …, W_L row by row, as 32-bit floating-point numbers, lowest byte first.
  ///
  /// Equal digests mean equal bits, whatever machine or number of ranks they come from.
  public var weightsSHA256: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((1...network.L).reduce(0) { $0 + 4 * W[$1].count })
    for l in 1...network.L {
      for weight in W[l].rowMajor {
        withUnsafeBytes(of: weight.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return sha256Hex(bytes)
  }

  /// Refuses a data set with another number of features.
  ///
  /// - Throws: a shared `Failure` that names both files.
  public func checkFeatures(_ count: Int, of dataPath: String, modelPath: String) throws {
    guard count == network.widths[0] else {
      throw Failure(
        .badData,
        "\(modelPath) was trained on \(network.widths[0]) features a sample, \(dataPath) has \(count). "
          + "Give it data with the same columns, or set the label column.", isShared: true)
    }
  }
}

extension Matrix<Float> {
  /// The entries row by row, as a file has them.
  var rowMajor: [Float] {
    var entries: [Float] = []
    entries.reserveCapacity(count)
    for i in 0..<rows {
      for j in 0..<columns { entries.append(base[i + j * rows]) }
    }
    return entries
  }
}
