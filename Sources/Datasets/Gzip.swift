import Basics
import CZlib
import Files
import MPI

/// The contents of a file from beginning to end, inflated if it is a gzip file (RFC 1952), which may have several
/// members.
final class InputStream {
  /// No byte of gzip stands for more than so many: 258 of two bits (RFC 1951), rounded up.
  static let greatestRatio = 1040

  /// How many bytes are taken on trust.
  private static let step = 1 << 20

  private let file: InputFile
  private var inflater: Inflater?
  private var position = 0

  /// - Throws: a `Failure` of status `noInput`, or `badData` for a name ending in `.gz` whose file is no gzip file.
  init(_ path: String) throws {
    file = try InputFile(path)
    let magic = try file.bytes(2)
    if magic == [0x1F, 0x8B] {
      inflater = Inflater()
    } else if path.hasSuffix(".gz") {
      throw Failure(
        .badData,
        "\(path) is not a gzip file, in spite of its name. Copy or download it again, or rename it.")
    }
  }

  /// Whether the file is compressed, and so can't be entered in the middle.
  var isCompressed: Bool { inflater != nil }
  /// The length of the file, compressed if it is.
  var fileSize: Int { file.size }
  /// How much of the file has been read, in 0...1.
  var fraction: Double { file.size == 0 ? 1 : Double(position) / Double(file.size) }

  /// The next bytes: as many as `buffer` takes, fewer only at the end. Local.
  ///
  /// - Throws: a `Failure` of status `badData` where the compressed stream is cut off or damaged.
  func read(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    guard inflater != nil else {
      let count = try file.read(buffer, at: position)
      position += count
      return count
    }
    var done = 0
    while done < buffer.count, let inflater {
      var isAtEnd = false
      if inflater.needsInput {
        let count = try inflater.refill { try file.read($0, at: position) }
        position += count
        isAtEnd = count == 0
        if isAtEnd && inflater.isBetweenMembers { break }
      }
      let rest = UnsafeMutableBufferPointer(rebasing: buffer[done...])
      guard let count = inflater.inflate(rest) else {
        guard !inflater.isAfterMembers else {
          throw Failure(
            .badData,
            "\(file.path): its gzip data ends near byte \(position - inflater.inputLeft), and what follows is none. "
              + "Copy or download it again, or drop the rest: gzip -dc '\(file.path)' > NEW.")
        }
        throw Failure(
          .badData,
          "\(file.path) is damaged: \(inflater.message) (near byte \(position - inflater.inputLeft)). "
            + "Copy or download it again.")
      }
      done += count
      // zlib may hold back output that needs no more input.
      if isAtEnd && count == 0 && !inflater.isBetweenMembers {
        throw Failure(
          .badData,
          "\(file.path) ends in the middle of the compressed stream (after \(position) bytes). "
            + "Copy or download it again.")
      }
    }
    return done
  }

  /// Passes over `count` bytes. Local.
  func skip(_ count: Int) throws {
    guard inflater != nil else {
      position += count
      return
    }
    var left = count
    while left > 0 {
      let done = try bytes(min(left, Self.step)).count
      guard done > 0 else { return }
      left -= done
    }
  }

  /// The next `count` bytes, fewer only at the end. Local.
  ///
  /// Takes memory as bytes come, for `count` may be a number from a damaged file.
  func bytes(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let start = bytes.count
      bytes += repeatElement(0, count: min(count - start, max(Self.step, start)))
      let done = try bytes.withUnsafeMutableBufferPointer {
        try read(UnsafeMutableBufferPointer(rebasing: $0[start...]))
      }
      guard start + done == bytes.count else { return Array(bytes.prefix(start + done)) }
    }
    return bytes
  }
}

/// zlib's inflation of gzip members, one after the other.
private final class Inflater {
  private static let inputSize = 1 << 18

  /// zlib keeps the address of the stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableBufferPointer<UInt8>
  /// Whether the last member is complete and no other has begun.
  private(set) var isBetweenMembers = true
  /// How many members are complete.
  private var members = 0
  /// Whether, after `inflate` has returned `nil`, what is wrong is no member, behind others that are complete.
  private(set) var isAfterMembers = false
  /// What is wrong, after `inflate` has returned `nil`.
  private(set) var message = ""

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(capacity: Self.inputSize)
    // 15: the largest window; 16: a gzip header and nothing else.
    let code = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    precondition(code == Z_OK, "inflateInit2 failed with code \(code)")
  }

  deinit {
    inflateEnd(stream)
    input.deallocate()
    stream.deallocate()
  }

  var inputLeft: Int { Int(stream.pointee.avail_in) }
  var needsInput: Bool { stream.pointee.avail_in == 0 }

  /// Asks `read` for compressed bytes. Returns how many came.
  func refill(_ read: (UnsafeMutableBufferPointer<UInt8>) throws -> Int) rethrows -> Int {
    let count = try read(input)
    stream.pointee.next_in = input.baseAddress
    stream.pointee.avail_in = uInt(count)
    return count
  }

  /// Inflates into `output` what the input gives. Returns the number of bytes, or `nil` where the stream is damaged.
  func inflate(_ output: UnsafeMutableBufferPointer<UInt8>) -> Int? {
    if isBetweenMembers {
      // Some writers pad the file with zeros.
      while stream.pointee.avail_in > 0, stream.pointee.next_in?.pointee == 0 {
        stream.pointee.avail_in -= 1
        stream.pointee.next_in? += 1
      }
      if needsInput { return 0 }
      guard members == 0 || stream.pointee.next_in?.pointee == 0x1F else {
        isAfterMembers = true
        return nil
      }
      isBetweenMembers = false
    }
    let size = min(output.count, 1 << 30)
    stream.pointee.next_out = output.baseAddress
    stream.pointee.avail_out = uInt(size)
    let code = CZlib.inflate(stream, Z_NO_FLUSH)
    switch code {
    case Z_STREAM_END:
      isBetweenMembers = true
      members += 1
      inflateReset(stream)
    case Z_OK, Z_BUF_ERROR: break
    default:
      message = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's code \(code)"
      isAfterMembers = members > 0 && stream.pointee.total_out == 0 && message == "incorrect header check"
      return nil
    }
    return size - Int(stream.pointee.avail_out)
  }
}
