import Basics
import Files
import MPI
import Settings

/// The header of an IDX file: two zero bytes, the type, the number of dimensions, and each dimension as a 32-bit big-endian number.
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
    let (bytes, isTooLarge) = dimensions.reduce((kind.size, false)) { product, n in
      let (next, overflow) = product.0.multipliedReportingOverflow(by: n)
      return (next, product.1 || overflow)
    }
    guard !isTooLarge && bytes < 1 << 56 else {
      throw Failure(.badData, "\(path) is damaged: its header announces \(dimensions) values.")
    }
  }
}

/// The images' file and the labels' file of an IDX data set.
struct IDXFiles {
  let images: IDXHeader
  let imagesPath: String
  let labels: IDXHeader?
  let labelsPath: String
  /// Whether one of the files is compressed, so that rank 0 has to read both.
  let isStream: Bool

  /// Rank 0 reads the headers, all get them. Collective.
  init(_ source: Source, _ inspection: Inspection, over ranks: borrowing Communicator) throws {
    let imagesPath = source.path
    let images = try ranks.agree { () -> IDXHeader in
      let header = try IDXHeader(inspection.head, path: imagesPath)
      guard header.dimensions.count >= 2 else {
        throw Failure(
          .badData,
          "\(imagesPath) has one dimension: these are labels, or numbers, not samples of several features.")
      }
      guard header.samples > 0 && header.valuesPerSample > 0 else {
        throw Failure(.badData, "\(imagesPath) holds no samples: its dimensions are \(header.dimensions).")
      }
      if !inspection.isCompressed {
        try Self.checkSize(header, is: inspection.fileSize, path: imagesPath)
      }
      return header
    }
    self.images = images
    self.imagesPath = imagesPath
    guard source.labelColumn != .none else {
      labels = nil
      labelsPath = ""
      isStream = inspection.isCompressed
      return
    }
    let labelsPath = try ranks.agree { try source.labelsPath ?? Self.labelsPath(for: imagesPath) }
    var labelSource = source
    labelSource.path = labelsPath
    labelSource.format = .idx
    let inspected = try Inspection(labelSource, over: ranks)
    labels = try ranks.agree {
      let header = try IDXHeader(inspected.head, path: labelsPath)
      guard header.valuesPerSample == 1 else {
        throw Failure(
          .badData, "\(labelsPath) has \(header.valuesPerSample) values a sample. A label is one number.")
      }
      guard header.samples == images.samples else {
        throw Failure(
          .badData,
          "\(labelsPath) has \(header.samples) labels for the \(images.samples) samples of \(imagesPath). "
            + "Name the labels that belong to them.")
      }
      if !inspected.isCompressed { try Self.checkSize(header, is: inspected.fileSize, path: labelsPath) }
      return header
    }
    self.labelsPath = labelsPath
    isStream = inspection.isCompressed || inspected.isCompressed
  }

  /// - Throws: a `Failure` where the file is shorter or longer than its header says.
  static func checkSize(_ header: IDXHeader, is size: Int, path: String) throws {
    if size < header.fileSize {
      throw Failure(
        .badData,
        "\(path) is truncated: it has \(size) bytes, and its header announces \(header.fileSize). "
          + "Copy or download it again.")
    }
    if size > header.fileSize {
      throw Failure(
        .badData,
        "\(path) has \(size - header.fileSize) bytes more than its header announces. Copy or download it again."
      )
    }
  }

  /// The usual name of the labels: `…-labels-idx1-ubyte` for `…-images-idx3-ubyte`, with `.gz` or without, whichever is there.
  static func labelsPath(for images: String) throws -> String {
    let cut = images.lastIndex(of: "/").map { images.index(after: $0) } ?? images.startIndex
    let parts = images[cut...].split(separator: "images", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Failure(
        .badConfiguration,
        "The labels of \(images) can't be found by its name, which lacks \"images\". Set the labels' file.")
    }
    var rest = String(parts[1])
    for n in 2...4 where rest.hasPrefix("-idx\(n)") || rest.hasPrefix(".idx\(n)") {
      rest = rest.prefix(4) + "1" + rest.dropFirst(5)
    }
    let name = images[..<cut] + parts[0] + "labels" + rest
    let other = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name + ".gz"
    return !isReadable(String(name)) && isReadable(String(other)) ? String(other) : String(name)
  }
}
