import Basics
import CHDF5
import Files
import MPI

/// An array in an open file: numbers or text, of any number of dimensions. HDF5 calls it a dataset.
///
/// It must not be used after its file is closed. Where all ranks have the file open, creating an array is
/// collective; writing rows is collective or not as each method says.
///
/// The elements of an array that was opened are all in the file: what a damaged or foreign file says of its size is
/// believed only as far as the file is long enough for it. So memory for all of them can be had.
public struct StoredArray: ~Copyable {
  /// Its name in the file.
  public let name: String
  /// Its extent in each dimension; empty for a single value.
  public let shape: [Int]
  /// What it holds.
  public let elements: ElementClass
  /// About how many bytes move at once; tests set less. MPI-IO counts in 32 bits.
  package var pieceBytes = 1 << 26
  let handle: Handle
  let type: Handle
  /// The file's path.
  let path: String
  /// The file's path and the array's name, for messages.
  let place: String
  let isShared: Bool
  /// What the elements are verified by as they are read, and where they begin in the file; nil where they need not be.
  private let seal: (file: SealedFile, offset: Int)?

  /// - Throws: a `Failure` where it is no array.
  init(opening name: String, in file: borrowing HDF5File) throws {
    let (id, place) = (file.id, "\(file.path): dataset '\(name)'")
    let handle = try reading(place, of: file.path, isShared: file.isShared) { () throws(HDF5Error) in
      let access = try withinFile()
      return try check(H5Dopen2(id, name, access.id), "H5Dopen2")
    }
    do throws(HDF5Error) {
      try self.init(Handle(handle, "H5Dopen2", H5Dclose), name: name, in: file)
    } catch {
      throw error.refusal(place, isShared: file.isShared)
    }
  }

  /// Makes sure that all elements are in a file of so many bytes.
  ///
  /// - Throws: a `Failure` where they are not, or can't be had.
  func checkStorage(fileSize: Int) throws {
    let (array, dimensions) = (handle.id, shape.count)
    // There may be an index of many chunks to walk over.
    let seconds = 5 + Double(fileSize) / 1e8
    let storage = try reading(place, of: path, isShared: isShared, seconds: seconds) { () throws(HDF5Error) in
      try Storage(of: array, dimensions: dimensions)
    }
    if let fault = storage.fault(shape: shape, elementBytes: H5Tget_size(type.id), fileSize: fileSize) {
      throw Failure(.badData, "\(place) \(fault)", isShared: isShared)
    }
  }

  init(
    creating name: String, type: hid_t, shape: [Int], in file: borrowing HDF5File
  ) throws(HDF5Error) {
    try self.init(creating: name, type: type, shape: shape, creationList(), in: file)
  }

  init(
    creating name: String, type: hid_t, shape: [Int], _ list: borrowing Handle, in file: borrowing HDF5File
  ) throws(HDF5Error) {
    let space = try dataspace(shape)
    try self.init(
      Handle(
        H5Dcreate2(file.id, name, type, space.id, h5_default(), list.id, h5_default()),
        "H5Dcreate2", H5Dclose), name: name, in: file)
  }

  private init(_ handle: consuming Handle, name: String, in file: borrowing HDF5File) throws(HDF5Error) {
    let space = try Handle(H5Dget_space(handle.id), "H5Dget_space", H5Sclose)
    let dimensions = try check(H5Sget_simple_extent_ndims(space.id), "H5Sget_simple_extent_ndims")
    var extents = [hsize_t](repeating: 0, count: Int(dimensions))
    try check(H5Sget_simple_extent_dims(space.id, &extents, nil), "H5Sget_simple_extent_dims")
    type = try Handle(H5Dget_type(handle.id), "H5Dget_type", H5Tclose)
    elements = ElementClass(type)
    shape = extents.map { Int(clamping: $0) }
    // What has no place of its own lies where it is verified already.
    let offset = H5Dget_offset(handle.id)
    seal = offset == haddr_t.max ? nil : file.seal.map { ($0, Int(clamping: offset)) }
    self.handle = handle
    self.name = name
    path = file.path
    place = "\(file.path): dataset '\(name)'"
    isShared = file.isShared
  }

  /// How many elements there are in all.
  public var count: Int { shape.reduce(1, *) }
  /// N: the extent of the first dimension; 1 for a single value.
  public var rowCount: Int { shape.first ?? 1 }
  /// d: how many elements a row has, over all further dimensions.
  public var rowLength: Int { shape.dropFirst().reduce(1, *) }

  // MARK: Rows

  /// Reads rows `rows`. Local.
  ///
  /// - Parameters:
  ///   - rows: which; row i of the array is all elements of first index i.
  ///   - buffer: row `rows.lowerBound + k` goes to elements k·stride ..< k·stride + d, converted; the others stay.
  ///   - stride: the distance between rows in `buffer`, at least d; d by default. With d + 1, the rows become the
  ///     columns of a column-major matrix whose last row is left as it is.
  /// - Throws: a `Failure` where the array does not hold numbers, or reading fails.
  public func read<T: Number>(
    _ rows: Range<Int>, into buffer: UnsafeMutableBufferPointer<T>, stride: Int? = nil
  ) throws {
    try checkNumeric()
    let rows = try Rows(self, rows, T.self, stride: stride, capacity: buffer.count)
    for piece in 0..<rows.pieces { try read(piece, of: rows, as: T.type, into: buffer.baseAddress) }
  }

  private func read(
    _ piece: Int, of rows: borrowing Rows, as memoryType: hid_t, into buffer: UnsafeMutableRawPointer?
  ) throws {
    let selection = try Selection(of: piece, rows, in: shape)
    let own = rows.memory(piece, in: buffer)
    if let seal {
      let (stored, rowBytes) = (rows.stored(piece), rowLength * H5Tget_size(type.id))
      try seal.file.verify(
        seal.offset + stored.lowerBound * rowBytes..<seal.offset + stored.upperBound * rowBytes)
    }
    let (array, memory, file) = (handle.id, selection.memory.id, selection.file.id)
    _ = try reading(place, of: path, isShared: isShared, seconds: patience) { () throws(HDF5Error) in
      try check(H5Dread(array, memoryType, memory, file, h5_default(), own), "H5Dread")
    }
    if !rows.isPacked { rows.spread(piece, into: buffer) }
  }

  /// How many seconds of computing a call may take that reads elements: at worst it has to unpack all chunks.
  var patience: Double { 5 + Double(count) * Double(H5Tget_size(type.id)) / 1e7 }

  /// Writes rows `rows`. Local. The parameters are those of `read`.
  public func write<T: Number>(
    _ rows: Range<Int>, from buffer: UnsafeBufferPointer<T>, stride: Int? = nil
  ) throws {
    let rows = try Rows(self, rows, T.self, stride: stride, capacity: buffer.count)
    for piece in 0..<rows.pieces {
      try write(piece, of: rows, T.type, from: buffer.baseAddress)
    }
  }

  private func write(
    _ piece: Int, of rows: borrowing Rows, _ type: hid_t, from buffer: UnsafeRawPointer?
  ) throws {
    let buffer = UnsafeMutableRawPointer(mutating: buffer)
    let selection = try Selection(of: piece, rows, in: shape)
    if !rows.isPacked { rows.gather(piece, from: buffer) }
    let own = rows.memory(piece, in: buffer)
    do throws(HDF5Error) {
      try check(
        H5Dwrite(handle.id, type, selection.memory.id, selection.file.id, h5_default(), own), "H5Dwrite")
    } catch {
      throw Failure(.inputOutput, "\(place) can't be written: \(error).")
    }
  }

  // MARK: Whole arrays

  /// All numbers, the last index fastest; for arrays of modest size.
  public func values<T: Number>(as: T.Type = T.self) throws -> [T] { try values(0..<rowCount) }

  /// The numbers of some rows, the last index fastest. Local.
  public func values<T: Number>(_ rows: Range<Int>) throws -> [T] {
    var values = [T](repeating: .zero, count: rows.count * rowLength)
    try values.withUnsafeMutableBufferPointer { try read(rows, into: $0) }
    return values
  }

  /// The refusal of an array that holds something else.
  public func refusal(wanted: String) -> Failure {
    Failure(.badData, "\(place) holds \(elements.words); \(wanted).", isShared: isShared)
  }

  private func checkNumeric() throws(Failure) {
    guard elements.isNumeric else { throw refusal(wanted: "numbers are needed") }
  }
}

extension HDF5File {
  /// Creates an array of numbers, to be written row by row.
  public func create<T: Number>(_ name: String, of: T.Type, shape: [Int]) throws -> StoredArray {
    try StoredArray(creating: name, type: T.type, shape: shape, in: self)
  }

  /// Creates an array of numbers and fills it, the last index fastest. All ranks pass the same values.
  ///
  /// - Parameter shape: a list of all values by default.
  public func write<T: Number>(_ values: [T], to name: String, shape: [Int]? = nil) throws {
    let array = try create(name, of: T.self, shape: shape ?? [values.count])
    precondition(array.count == values.count, "\(values.count) values don't fill \(array.shape)")
    try values.withUnsafeBufferPointer { try array.write(0..<array.rowCount, from: $0) }
  }
}

/// How to create an array: without the time, so that a file's bytes follow from its contents.
func creationList() throws(HDF5Error) -> Handle {
  let list = try Handle(H5Pcreate(h5_dataset_create_list()), "H5Pcreate", H5Pclose)
  try check(H5Pset_obj_track_times(list.id, false), "H5Pset_obj_track_times")
  return list
}

/// A dataspace of this shape; a single value for an empty one.
func dataspace(_ shape: [Int]) throws(HDF5Error) -> Handle {
  shape.isEmpty
    ? try Handle(H5Screate(H5S_SCALAR), "H5Screate", H5Sclose)
    : try Handle(
      H5Screate_simple(CInt(shape.count), shape.map { hsize_t($0) }, nil), "H5Screate_simple", H5Sclose)
}
