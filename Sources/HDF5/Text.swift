import Basics
import CHDF5
import Files
import MPI

extension HDF5File {
  /// Creates a list of texts: UTF-8 of fixed length, padded with zero bytes. All ranks pass the same texts.
  public func write(_ texts: [String], to name: String) throws {
    let length = max(texts.map { $0.utf8.count }.max() ?? 0, 1)
    let type = try stringType(length: length)
    let array = try StoredArray(creating: name, type: type.id, shape: [texts.count], in: self)
    guard !texts.isEmpty else { return }
    let bytes = texts.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: length - $0.utf8.count) }
    try check(
      H5Dwrite(array.handle.id, type.id, h5_all(), h5_all(), h5_default(), bytes), "H5Dwrite")
  }
}

extension StoredArray {
  /// All texts, the last index fastest; for arrays of modest size.
  ///
  /// - Throws: a `Failure` where the array does not hold text.
  public func strings() throws -> [String] {
    try checkText()
    return try readStrings(type, count: count) {
      H5Dread(handle.id, $0, h5_all(), h5_all(), h5_default(), $1)
    }
  }

  /// The texts of rows `rows` of a list. Local: in a file that this rank has opened alone, as text of variable
  /// length can't be read collectively.
  ///
  /// - Throws: a `Failure` where the array does not hold text, one a row.
  public func strings(_ rows: Range<Int>) throws -> [String] {
    try checkText()
    guard rowLength == 1 && !shape.isEmpty else {
      throw Failure(.badData, "\(place) is not a list.", isShared: isShared)
    }
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    guard !rows.isEmpty else { return [] }
    let file = try dataspace(shape)
    let memory = try dataspace([rows.count])
    try select(
      file, from: [rows.lowerBound] + shape.dropFirst().map { _ in 0 }, [rows.count] + shape.dropFirst())
    return try readStrings(type, count: rows.count) {
      H5Dread(handle.id, $0, memory.id, file.id, h5_default(), $1)
    }
  }

  private func checkText() throws(Failure) {
    guard elements == .string else {
      throw Failure(.badData, "\(place) holds numbers; text is needed.", isShared: isShared)
    }
  }
}

/// The type of UTF-8 text padded with zero bytes, or of any length.
func stringType(length: Int) throws(HDF5Error) -> Handle {
  let type = try Handle(H5Tcopy(h5_c_string()), "H5Tcopy", H5Tclose)
  try check(H5Tset_size(type.id, length), "H5Tset_size")
  try check(H5Tset_cset(type.id, H5T_CSET_UTF8), "H5Tset_cset")
  if length != h5_variable_length() { try check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), "H5Tset_strpad") }
  return type
}

/// Reads texts of a file's string type, which `read` puts into memory in the same form.
func readStrings(
  _ type: borrowing Handle, count: Int, read: (_ type: hid_t, _ memory: UnsafeMutableRawPointer?) -> herr_t
) throws(HDF5Error) -> [String] {
  guard count > 0 else { return [] }
  if try check(H5Tis_variable_str(type.id), "H5Tis_variable_str") > 0 {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try check(read(type.id, &pointers), "the reading of text")
    let texts = pointers.map { $0.map { String(cString: $0) } ?? "" }
    let space = try dataspace([count])
    try check(H5Dvlen_reclaim(type.id, space.id, h5_default(), &pointers), "H5Dvlen_reclaim")
    return texts
  }
  let length = H5Tget_size(type.id)
  let isSpacePadded = H5Tget_strpad(type.id) == H5T_STR_SPACEPAD
  var bytes = [CChar](repeating: 0, count: count * length)
  try check(read(type.id, &bytes), "the reading of text")
  return (0..<count).map { k in
    var own = bytes[k * length..<(k + 1) * length]
    if isSpacePadded { while own.last == CChar(UInt8(ascii: " ")) { own.removeLast() } }
    return text(own.prefix { $0 != 0 })
  }
}

/// C characters as a `String`.
func text(_ bytes: ArraySlice<CChar>) -> String {
  String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
