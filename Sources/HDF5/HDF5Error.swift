import Basics
import CHDF5
import Glibc

/// A call to HDF5 that failed.
public struct HDF5Error: Error, CustomStringConvertible {
  /// The C function, for instance `H5Dread`.
  public let call: String
  /// HDF5's own account of the innermost cause.
  public let message: String

  public var description: String { "\(call) failed: \(message)" }

  /// Whether the operating system was asked for bytes at a place, or of a number, that can't be.
  private var asksForNoPlace: Bool {
    [EINVAL, EFBIG, EOVERFLOW, EFAULT].contains { message.contains("errno = \($0),") }
  }

  /// The failure for a user whose file has led to this as it was read.
  ///
  /// - Parameter place: the file's path, and the array in it.
  func refusal(_ place: String, isShared: Bool) -> Failure {
    // HDF5 passes on what the operating system says; of a place that no file has, it says that a damaged one names it.
    if let start = message.firstRange(of: "error message = '"), !asksForNoPlace {
      let reason = message[start.upperBound...].prefix { $0 != "'" }
      return Failure(.inputOutput, "\(place) can't be read: \(reason).", isShared: isShared)
    }
    if message.hasPrefix("truncated file") {
      return Failure(
        .badData, "\(place) is truncated: it ends before its contents do. Copy or download it again.",
        isShared: isShared)
    }
    if message.contains("already open for") {
      return Failure(
        .badData,
        "\(place) is marked as being written. Wait until the program that writes it has ended; if that has broken "
          + "off, make the file again, or take the mark off: h5clear -s '\(place)'.", isShared: isShared)
    }
    return Failure(
      .badData, "\(place) is damaged: HDF5 says \"\(message)\". Copy or download it again.",
      isShared: isShared)
  }
}

/// Asks HDF5 about a file, whose fault it is when that fails.
///
/// - Throws: a `Failure` that names the place.
func reading<T>(
  _ place: String, of path: String, isShared: Bool, seconds: Double = 5, _ body: () throws(HDF5Error) -> T
) throws(Failure) -> T {
  do throws(HDF5Error) {
    return try guarded(path, seconds: seconds, body)
  } catch {
    throw error.refusal(place, isShared: isShared)
  }
}

/// The version of the HDF5 library, for instance `1.10.8`. Local.
public func hdf5Version() -> String {
  turnLockingOff()
  var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
  H5get_libversion(&major, &minor, &release)
  return "\(major).\(minor).\(release)"
}

/// Whether a file is left open that could not be written, such as on a full disk. Local.
///
/// HDF5 would try again as MPI ends, and crash. Whoever ends the job aborts it instead, after the message.
public internal(set) nonisolated(unsafe) var hasUnwrittenFile = false

/// Returns what the C function `call` returned, or throws when that is negative, as all of HDF5's failures are.
@discardableResult
func check<Code: SignedInteger>(_ code: Code, _ call: String) throws(HDF5Error) -> Code {
  guard code < 0 else { return code }
  throw HDF5Error(call: call, message: errorStackText())
}

/// Keeps HDF5 from printing its error stack, and from touching files at exit that a failed job left open.
func quietLibrary() throws(HDF5Error) {
  turnLockingOff()
  H5dont_atexit()
  try check(H5Eset_auto2(h5_error_stack(), nil, nil), "H5Eset_auto2")
}

/// Network file systems often have no locks, and HDF5 then opens nothing. No process writes a file that others read:
/// results get their names when they are whole. What the user has set holds.
///
/// The library looks at this when it is first called.
private func turnLockingOff() { setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0) }

private func errorStackText() -> String {
  var causes: [String] = []
  let walked = withUnsafeMutablePointer(to: &causes) { causes in
    H5Ewalk2(
      h5_error_stack(), H5E_WALK_UPWARD,
      { _, entry, causes in
        if let text = entry?.pointee.desc, let causes {
          causes.assumingMemoryBound(to: [String].self).pointee.append(String(cString: text))
        }
        return 0
      }, causes)
  }
  return walked < 0 ? "no text" : causes.first ?? "no text"
}

/// An identifier that HDF5 gave out, released at the end of its life.
struct Handle: ~Copyable {
  let id: hid_t
  private let release: (hid_t) -> herr_t

  /// Takes over `id`, returned by the C function `call`; throws when that failed.
  init(_ id: hid_t, _ call: String, _ release: @escaping (hid_t) -> herr_t) throws(HDF5Error) {
    self.id = try check(id, call)
    self.release = release
  }

  deinit { _ = release(id) }
}
