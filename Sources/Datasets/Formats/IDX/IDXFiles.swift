import Basics
import Files
import MPI

/// The images' file and the labels' file of an IDX data set.
struct IDXFiles {
  let images: IDXHeader
  let imagesPath: String
  let labels: IDXHeader?
  let labelsPath: String
  /// Whether one of the files is compressed, so that rank 0 has to read both.
  let isStream: Bool

  /// Looks at both headers. Collective.
  ///
  /// - Parameter labelsPath: the labels' file; `nil` goes by the images' name.
  init(
    _ file: FileHead, hasLabels: Bool, labelsPath: String?, over ranks: borrowing Communicator
  ) throws {
    let images = try ranks.agree { try Self.images(file) }
    try Self.checkFirstSample(of: file, images, over: ranks)
    self.images = images
    imagesPath = file.path
    guard hasLabels else {
      labels = nil
      self.labelsPath = ""
      isStream = file.isCompressed
      return
    }
    // Which of two files is there, rank 0 says.
    let labelsPath = try ranks.broadcast(
      try ranks.agree { try labelsPath ?? Self.labelsPath(for: file.path) })
    let labelsFile = try FileHead(labelsPath, over: ranks)
    labels = try ranks.agree { try Self.labels(labelsFile, of: images, in: file.path) }
    self.labelsPath = labelsPath
    isStream = file.isCompressed || labelsFile.isCompressed
  }

  private static func images(_ file: FileHead) throws -> IDXHeader {
    let header = try IDXHeader(file.bytes, path: file.path)
    guard header.dimensions.count >= 2 else {
      throw Failure(
        .badData,
        "\(file.path) has one dimension: these are labels, or numbers, not samples of several features.")
    }
    guard header.samples > 0 && header.valuesPerSample > 0 else {
      throw Failure(.badData, "\(file.path) holds no samples: its dimensions are \(header.dimensions).")
    }
    try checkSize(of: file, header)
    return header
  }

  private static func labels(_ file: FileHead, of images: IDXHeader, in path: String) throws -> IDXHeader {
    let header = try IDXHeader(file.bytes, path: file.path)
    guard header.valuesPerSample == 1 else {
      throw Failure(
        .badData, "\(file.path) has \(header.valuesPerSample) values a sample. A label is one number.")
    }
    guard header.samples == images.samples else {
      throw Failure(
        .badData,
        "\(file.path) has \(header.samples) labels for the \(images.samples) samples of \(path). "
          + "Name the labels that belong to them.")
    }
    try checkSize(of: file, header)
    return header
  }

  /// Makes sure that a compressed file has a whole sample before memory is taken for its features. Collective.
  private static func checkFirstSample(
    of file: FileHead, _ header: IDXHeader, over ranks: borrowing Communicator
  ) throws {
    let count = header.size + header.sampleSize
    guard file.isCompressed && count > file.bytes.count else { return }
    let isRoot = ranks.isRoot
    try ranks.agree {
      guard isRoot else { return }
      let stream = try InputStream(file.path)
      try stream.skip(count - 1)
      guard try stream.bytes(1).isEmpty else { return }
      throw Failure(
        .badData,
        "\(file.path) is truncated: it ends within its first sample. Copy or download it again.")
    }
  }

  /// - Throws: a `Failure` where a plain file is shorter or longer than its header says, or a compressed one can't
  ///   hold as much. What it holds shows as it is read.
  private static func checkSize(of file: FileHead, _ header: IDXHeader) throws {
    guard !file.isCompressed else {
      guard header.fileSize / InputStream.greatestRatio <= file.size else {
        throw Failure(
          .badData,
          "\(file.path) is damaged: its header announces \(grouped(header.fileSize)) bytes, and \(grouped(file.size)) "
            + "bytes of gzip can't hold so many. Copy or download it again.")
      }
      return
    }
    if file.size < header.fileSize {
      throw Failure(
        .badData,
        "\(file.path) is truncated: it has \(file.size) bytes, and its header announces \(header.fileSize). "
          + "Copy or download it again.")
    }
    if file.size > header.fileSize {
      throw Failure(
        .badData,
        "\(file.path) has \(file.size - header.fileSize) bytes more than its header announces. "
          + "Copy or download it again.")
    }
  }

  /// The usual name of the labels: `…-labels-idx1-ubyte` for `…-images-idx3-ubyte`, with `.gz` or without,
  /// whichever is there.
  private static func labelsPath(for images: String) throws -> String {
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
