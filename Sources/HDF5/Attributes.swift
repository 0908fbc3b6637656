import Basics
import CHDF5
import MPI

extension HDF5File {
  /// Attaches a text to the file. All ranks pass the same.
  public func setAttribute(_ name: String, _ text: String) throws(HDF5Error) {
    let attribute = try Attribute(
      creating: name, type: stringType(length: h5_variable_length()), in: self)
    let code = text.withCString { start in
      var start: UnsafePointer<CChar>? = start
      return H5Awrite(attribute.handle.id, attribute.type.id, &start)
    }
    try check(code, "H5Awrite")
  }

  /// Attaches a number to the file. All ranks pass the same.
  public func setAttribute<T: Number>(_ name: String, _ value: T) throws(HDF5Error) {
    let type = try Handle(H5Tcopy(T.type), "H5Tcopy", H5Tclose)
    let attribute = try Attribute(creating: name, type: type, in: self)
    var value = value
    try check(H5Awrite(attribute.handle.id, T.type, &value), "H5Awrite")
  }

  /// A text attached to the file; nil where there is none of this name.
  ///
  /// - Throws: a `Failure` where the attribute is not a single text, or the file is damaged.
  public func attribute(_ name: String) throws -> String? {
    guard let attribute = try opened(name) else { return nil }
    guard attribute.isSingle, attribute.elements == .string else { throw unsuitable(name, "a text") }
    let (id, type) = (attribute.handle.id, attribute.type.id)
    let texts = try readingAttribute(name) { () throws(HDF5Error) in
      try readStrings(type, count: 1) { H5Aread(id, $0, $1) }
    }
    guard let text = texts.first?.text else { throw unsuitable(name, "a text in UTF-8") }
    return text
  }

  /// A number attached to the file, converted; nil where there is none of this name.
  ///
  /// - Throws: a `Failure` where the attribute is not a single number, or the file is damaged.
  public func attribute<T: Number>(_ name: String, as: T.Type) throws -> T? {
    guard let attribute = try opened(name) else { return nil }
    guard attribute.isSingle, attribute.elements.isNumeric else { throw unsuitable(name, "a number") }
    let id = attribute.handle.id
    return try readingAttribute(name) { () throws(HDF5Error) in
      var value = T.zero
      try check(H5Aread(id, T.type, &value), "H5Aread")
      return value
    }
  }

  private func opened(_ name: String) throws -> Attribute? {
    let id = id
    let isThere = try readingAttribute(name) { () throws(HDF5Error) in
      try check(H5Aexists(id, name), "H5Aexists") > 0
    }
    guard isThere else { return nil }
    let handle = try readingAttribute(name) { () throws(HDF5Error) in
      try check(H5Aopen(id, name, h5_default()), "H5Aopen")
    }
    do throws(HDF5Error) {
      let attribute = try Attribute(opened: handle)
      if H5Tget_size(attribute.type.id) <= size { return attribute }
    } catch {
      throw error.refusal("\(path): the attribute '\(name)'", isShared: isShared)
    }
    throw unsuitable(name, "shorter than the file, which is damaged")
  }

  private func readingAttribute<T>(_ name: String, _ body: () throws(HDF5Error) -> T) throws(Failure) -> T {
    try reading("\(path): the attribute '\(name)'", of: path, isShared: isShared, body)
  }

  private func unsuitable(_ name: String, _ wanted: String) -> Failure {
    Failure(.badData, "\(path): the attribute '\(name)' is not \(wanted).", isShared: isShared)
  }
}

/// A value attached to a file's root group.
private struct Attribute: ~Copyable {
  let handle: Handle
  let type: Handle
  let isSingle: Bool

  var elements: ElementClass { ElementClass(type) }

  init(creating name: String, type: consuming Handle, in file: borrowing HDF5File) throws(HDF5Error) {
    let space = try dataspace([])
    handle = try Handle(
      H5Acreate2(file.id, name, type.id, space.id, h5_default(), h5_default()), "H5Acreate2", H5Aclose)
    self.type = type
    isSingle = true
  }

  init(opened id: hid_t) throws(HDF5Error) {
    let handle = try Handle(id, "H5Aopen", H5Aclose)
    let type = try Handle(H5Aget_type(handle.id), "H5Aget_type", H5Tclose)
    let space = try Handle(H5Aget_space(handle.id), "H5Aget_space", H5Sclose)
    isSingle = H5Sget_simple_extent_npoints(space.id) == 1
    self.handle = handle
    self.type = type
  }
}
