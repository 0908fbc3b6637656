import Basics

/// The header of an IDX file: two zero bytes, the type, the number of dimensions, and each dimension as a 32-bit
/// big-endian number.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
struct IDXHeader: Equatable {
  /// How one value is stored; multi-byte ones are big-endian.
  enum Kind: UInt8 {
    case uint8 = 0x08
    case int8 = 0x09
    case int16 = 0x0B
    case int32 = 0x0C
    case float = 0x0D
    case double = 0x0E

    /// Bytes a value.
    var size: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16: 2
      case .int32, .float: 4
      case .double: 8
      }
    }

    /// Whether single precision holds every value there may be.
    var isExactInSinglePrecision: Bool { self != .int32 && self != .double }

    /// The value at `p`.
    @inline(__always)
    func value(_ p: UnsafePointer<UInt8>) -> Double {
      switch self {
      case .uint8: Double(p[0])
      case .int8: Double(Int8(bitPattern: p[0]))
      case .int16: Double(Int16(truncatingIfNeeded: bigEndian(p, 2)))
      case .int32: Double(Int32(truncatingIfNeeded: bigEndian(p, 4)))
      case .float: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bigEndian(p, 4))))
      case .double: Double(bitPattern: bigEndian(p, 8))
      }
    }

    /// All values of some bytes, in single precision.
    func floats(_ bytes: UnsafeBufferPointer<UInt8>) -> [Float] {
      let count = bytes.count / size
      return [Float](unsafeUninitializedCapacity: count) { floats, initialized in
        guard let base = bytes.baseAddress else { return }
        for i in 0..<count { floats.initializeElement(at: i, to: Float(value(base + i * size))) }
        initialized = count
      }
    }

    private func bigEndian(_ p: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
      (0..<count).reduce(0) { $0 << 8 | UInt64(p[$1]) }
    }
  }

  let kind: Kind
  /// The dimensions; the first counts the samples.
  let dimensions: [Int]

  /// Bytes of the header.
  var size: Int { 4 + 4 * dimensions.count }
  /// N.
  var samples: Int { dimensions[0] }
  /// The values of one sample.
  var valuesPerSample: Int { dimensions.dropFirst().reduce(1, *) }
  /// Bytes of one sample.
  var sampleSize: Int { valuesPerSample * kind.size }
  /// Bytes of a whole file.
  var fileSize: Int { size + samples * sampleSize }

  /// Whether bytes begin as an IDX file does.
  static func isLikely(_ head: [UInt8]) -> Bool {
    head.count >= 8 && head[0] == 0 && head[1] == 0 && Kind(rawValue: head[2]) != nil
      && (1...8).contains(head[3])
  }

  /// - Throws: a `Failure` of status `badData`.
  init(_ head: [UInt8], path: String) throws {
    guard head.count >= 4, head[0] == 0, head[1] == 0, let kind = Kind(rawValue: head[2]), head[3] > 0 else {
      let magic = head.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      throw Failure(
        .badData,
        "\(path) is not an IDX file: it begins with the bytes \(magic). Copy it again, or set the format.")
    }
    let rank = Int(head[3])
    guard head.count >= 4 + 4 * rank else {
      throw Failure(.badData, "\(path) is truncated: it ends within its header. Copy or download it again.")
    }
    self.kind = kind
    dimensions = (0..<rank).map { i in
      head[4 + 4 * i..<8 + 4 * i].reduce(0) { $0 << 8 | Int($1) }
    }
    // A dimension of 0 must not hide the others' product.
    let bytes = dimensions.reduce(kind.size as Int?) { product, n in
      guard let (next, overflow) = product?.multipliedReportingOverflow(by: max(n, 1)), !overflow else {
        return nil
      }
      return next
    }
    guard let bytes, bytes < 1 << 56 else {
      throw Failure(
        .badData,
        "\(path) is damaged: its header announces \(dimensions) values. Copy or download it again.")
    }
    guard valuesPerSample <= featureLimit else {
      throw Failure(
        .badData,
        "\(path) announces \(grouped(valuesPerSample)) values a sample, and \(grouped(featureLimit)) are the most "
          + "that can be read. Is it damaged?")
    }
  }
}
