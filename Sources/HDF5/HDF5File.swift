import Basics
import CHDF5
import Files
import MPI

/// An open HDF5 file, of one rank or of all ranks together through MPI-IO.
///
/// In a file that is open on all ranks, every method is collective: all ranks call it alike, with the same
/// arguments. Names are those of arrays in the root group, or paths from there. Close with `close()`, which reports
/// what could not be written.
public struct HDF5File: ~Copyable {
  /// Where the file lies.
  public let path: String
  private let handle: FileHandle

  var id: hid_t { handle.id }
  /// Whether all ranks have this file open, so that they also meet its faults alike.
  let isShared: Bool
  /// The length in bytes of a file that is read: what it says of its contents can't be more.
  package let size: Int
  /// What the bytes of a file on the disk are verified by as they are read; nil where it is not sealed.
  let seal: SealedFile?
  /// Whether the file is sealed: no byte of it is another than when it was written.
  public let isSealed: Bool
  /// Where a file in memory goes at last.
  private let output: PendingFile?

  // MARK: Opening

  /// Opens a file for reading. Local: to read large arrays together, each rank opens the file for itself.
  ///
  /// Of a sealed file all that leads to the large arrays is verified now, before HDF5 sees it, and their rows as they
  /// are read.
  ///
  /// - Throws: a `Failure` that names the path where the file is missing, unreadable, truncated, damaged or not HDF5.
  public init(reading path: String) throws { try self.init(reading: path, seal: SealedFile(path)) }

  /// Opens a sealed file of which some may be verified already. Local.
  ///
  /// - Parameter seal: that of the file.
  /// - Throws: as above.
  package init(reading path: String, sealedBy seal: SealedFile) throws {
    try self.init(reading: path, seal: seal)
  }

  private init(reading path: String, seal: SealedFile?) throws {
    try seal?.verifyStructure()
    let file = try InputFile(path)
    guard try hasSignature(file) else { throw notHDF5(path) }
    let access = try accessList()
    self.init(
      path, FileHandle(id: try opened(path, access), path: path), isShared: false,
      size: file.size, seal: seal, isSealed: seal != nil)
  }

  /// Opens a small file for reading on all ranks: rank 0 reads its bytes and sends them to the others. Collective.
  ///
  /// From then on each rank has the file to itself, in memory, and nothing is collective. All bytes of a sealed file
  /// are verified before HDF5 sees one.
  ///
  /// - Throws: a shared `Failure` as above, or where the file has more than 1 GiB.
  public init(broadcasting path: String, over ranks: borrowing Communicator) throws {
    let isRoot = ranks.isRoot
    var (bytes, known) = try ranks.agree { () -> ([UInt8], [Int]) in
      guard isRoot else { return ([], [0]) }
      let file = try InputFile(path)
      guard file.size <= largestBroadcast else { throw tooLarge(path) }
      if let seal = try SealedFile(path) { return (try seal.bytes(), [1]) }
      guard try hasSignature(file) else { throw notHDF5(path) }
      return (try file.bytes(file.size), [0])
    }
    try ranks.broadcast(&bytes)
    try ranks.broadcast(&known)
    let access = try memoryAccessList()
    try check(H5Pset_file_image(access.id, &bytes, bytes.count), "H5Pset_file_image")
    // HDF5 wants a name that is not a file's, another for each open image.
    let id = try ranks.agree { try opened(path, access, name: "\(path) in memory, \(access.id)") }
    self.init(
      path, FileHandle(id: id, path: path), isShared: true, size: bytes.count, isSealed: known[0] == 1)
  }

  /// Creates a small file, in memory. Local. `close()` puts it where it belongs, whole or not at all: see
  /// `PendingFile`.
  ///
  /// HDF5 itself does not survive a disk that is full.
  ///
  /// - Parameter isSealed: tests leave it open, as other programs do.
  public init(creating path: String, isSealed: Bool = true) throws {
    try self.init(creating: PendingFile(path), isSealed: isSealed)
  }

  /// The same for a file that may not replace everything.
  package init(creating output: PendingFile, isSealed: Bool = true) throws {
    let access = try memoryAccessList()
    let handle = FileHandle(id: try created(output.path, access))
    self.init(output.path, handle, isShared: false, isSealed: isSealed, output: output)
  }

  /// Creates a file on the disk in place of the one of this path, which no other process uses, with room for the head
  /// of a seal. Local.
  init(replacing path: String) throws {
    let handle = FileHandle(id: try created(path, accessList(), headLength: sealedHeadLength))
    self.init(path, handle, isShared: false, isSealed: false)
  }

  private init(
    _ path: String, _ handle: consuming FileHandle, isShared: Bool, size: Int = .max,
    seal: SealedFile? = nil, isSealed: Bool, output: PendingFile? = nil
  ) {
    self.path = path
    self.handle = handle
    self.isShared = isShared
    self.size = size
    self.seal = seal
    self.isSealed = isSealed
    self.output = output
  }

  /// Closes the file and all that was opened in it; a file that one rank has created is written now.
  ///
  /// - Throws: `HDF5Error`, or a `Failure` of status `inputOutput`, where something could not be written.
  public consuming func close() throws {
    guard let output else { return try handle.close() }
    let image = try image()
    let isSealed = isSealed
    try handle.close()
    try output.write(isSealed ? sealed(image) : image)
  }

  /// The bytes of a file in memory.
  private func image() throws(HDF5Error) -> [UInt8] {
    try check(H5Fflush(id, H5F_SCOPE_LOCAL), "H5Fflush")
    let count = try check(H5Fget_file_image(id, nil, 0), "H5Fget_file_image")
    var bytes = [UInt8](repeating: 0, count: count)
    try check(H5Fget_file_image(id, &bytes, count), "H5Fget_file_image")
    return bytes
  }
}

/// The identifier of an open file. (Not private: a public type that holds a private one does not link across
/// modules.)
struct FileHandle: ~Copyable {
  let id: hid_t
  /// The path of a file that was opened for reading, which is to blame should HDF5 crash over it.
  let path: String?
  private var isOpen = true

  init(id: hid_t, path: String? = nil) {
    self.id = id
    self.path = path
  }

  consuming func close() throws(HDF5Error) {
    isOpen = false
    try Self.close(id, path)
  }

  private static func close(_ id: hid_t, _ path: String?) throws(HDF5Error) {
    guard let path else {
      try check(H5Fclose(id), "H5Fclose")
      return
    }
    _ = try guarded(path) { () throws(HDF5Error) in try check(H5Fclose(id), "H5Fclose") }
  }

  deinit { if isOpen { try? Self.close(id, path) } }
}

/// How to open a file: arrays still open don't hinder its closing.
private func accessList() throws(HDF5Error) -> Handle {
  try quietLibrary()
  let list = try Handle(H5Pcreate(h5_file_access_list()), "H5Pcreate", H5Pclose)
  try check(H5Pset_fclose_degree(list.id, H5F_CLOSE_STRONG), "H5Pset_fclose_degree")
  return list
}

/// The same for a file in memory, which HDF5 never writes to a disk.
private func memoryAccessList() throws(HDF5Error) -> Handle {
  let list = try accessList()
  try check(H5Pset_fapl_core(list.id, 1 << 20, false), "H5Pset_fapl_core")
  return list
}

private func opened(
  _ path: String, _ access: borrowing Handle, name: String? = nil
) throws(Failure) -> hid_t {
  let access = access.id
  return try reading(path, of: path, isShared: false) { () throws(HDF5Error) in
    try check(H5Fopen(name ?? path, h5_read_only(), access), "H5Fopen")
  }
}

/// A file that all ranks hold in memory has no more bytes than this.
private let largestBroadcast = 1 << 30

private func tooLarge(_ path: String) -> Failure {
  Failure(.badData, "\(path) is longer than 1 GiB, and too large to be sent to all ranks. Check the name.")
}

private func notHDF5(_ path: String) -> Failure {
  Failure(.badData, "\(path) is not an HDF5 file. Check the name, or copy it again.")
}

/// - Parameter headLength: bytes before HDF5's own, that it leaves alone.
private func created(
  _ path: String, _ access: borrowing Handle, headLength: Int = 0
) throws(Failure) -> hid_t {
  do throws(HDF5Error) {
    let list = try Handle(H5Pcreate(h5_file_create_list()), "H5Pcreate", H5Pclose)
    try check(H5Pset_userblock(list.id, hsize_t(headLength)), "H5Pset_userblock")
    return try check(H5Fcreate(path, h5_truncate(), list.id, access.id), "H5Fcreate")
  } catch {
    throw Failure(.inputOutput, "\(path): can't be created: \(error).")
  }
}
