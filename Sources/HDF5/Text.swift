import Basics
import CHDF5
import Files
import Glibc
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
    let array = handle.id
    return try texts(from: 0, count) { H5Dread(array, $0, h5_all(), h5_all(), h5_default(), $1) }
  }

  /// The texts of rows `rows` of a list. Local.
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
    let (array, memoryID, fileID) = (handle.id, memory.id, file.id)
    return try texts(from: rows.lowerBound, rows.count) {
      H5Dread(array, $0, memoryID, fileID, h5_default(), $1)
    }
  }

  private func texts(
    from first: Int, _ count: Int, read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws -> [String] {
    let type = type.id
    let texts = try reading(place, of: path, isShared: isShared, seconds: patience) { () throws(HDF5Error) in
      try readStrings(type, count: count, read: read)
    }
    return try texts.enumerated().map { k, text in
      guard let text = text.text else {
        throw Failure(.badData, "\(place), entry \(first + k + 1): \(StoredText.refusal)", isShared: isShared)
      }
      return text
    }
  }

  /// The names of an enumeration and the numbers that they stand for.
  ///
  /// - Precondition: `elements` is `.enumeration`.
  public func enumeration() throws -> [Int: String] {
    let type = type.id
    return try reading(place, of: path, isShared: isShared) { () throws(HDF5Error) in
      let base = try Handle(H5Tget_super(type), "H5Tget_super", H5Tclose)
      let count = try check(H5Tget_nmembers(type), "H5Tget_nmembers")
      var names: [Int: String] = [:]
      for i in 0..<UInt32(count) {
        var bytes = [UInt8](repeating: 0, count: max(H5Tget_size(type), 8))
        try check(H5Tget_member_value(type, i, &bytes), "H5Tget_member_value")
        try check(H5Tconvert(base.id, h5_int64(), 1, &bytes, nil, h5_default()), "H5Tconvert")
        guard let name = H5Tget_member_name(type, i) else { continue }
        names[bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }] = String(cString: name)
        H5free_memory(name)
      }
      return names
    }
  }

  private func checkText() throws(Failure) {
    guard elements == .string else { throw refusal(wanted: "text is needed") }
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

/// The bytes of a text in a file, which may not be UTF-8.
struct StoredText {
  /// What to say of bytes that are no text: another's may look the same.
  static let refusal = "its bytes are not text in UTF-8. Write it anew in UTF-8."

  let bytes: [UInt8]

  /// The text; `nil` where the bytes are not UTF-8 or hold a zero, behind which other texts may differ.
  var text: String? { bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self) }
}

/// Reads texts of a file's string type, which `read` puts into memory in the same form.
func readStrings(
  _ type: hid_t, count: Int, read: (_ type: hid_t, _ memory: UnsafeMutableRawPointer?) -> herr_t
) throws(HDF5Error) -> [StoredText] {
  guard count > 0 else { return [] }
  if try check(H5Tis_variable_str(type), "H5Tis_variable_str") > 0 {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try check(read(type, &pointers), "the reading of text")
    let texts = pointers.map { start in
      StoredText(bytes: start.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? [])
    }
    let space = try dataspace([count])
    try check(H5Dvlen_reclaim(type, space.id, h5_default(), &pointers), "H5Dvlen_reclaim")
    return texts
  }
  let length = H5Tget_size(type)
  let padding = H5Tget_strpad(type)
  var bytes = [UInt8](repeating: 0, count: count * length)
  try check(read(type, &bytes), "the reading of text")
  return (0..<count).map { k in
    var own = bytes[k * length..<(k + 1) * length]
    switch padding {
    case H5T_STR_NULLTERM: own = own.prefix { $0 != 0 }
    case H5T_STR_SPACEPAD: while own.last == UInt8(ascii: " ") { own.removeLast() }
    default: while own.last == 0 { own.removeLast() }
    }
    return StoredText(bytes: Array(own))
  }
}
