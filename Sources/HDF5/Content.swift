import Basics
import CHDF5
import Files
import MPI

extension HDF5File {
  /// The names in the root group, in alphabetical order.
  ///
  /// - Throws: a `Failure` where the file is damaged.
  public func names() throws -> [String] {
    let id = id
    return try reading(path, of: path, isShared: isShared) { () throws(HDF5Error) -> [String] in
      var group = H5G_info_t()
      try check(H5Gget_info(id, &group), "H5Gget_info")
      var names: [String] = []
      for i in 0..<group.nlinks {
        let length = try check(
          H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, nil, 0, h5_default()),
          "H5Lget_name_by_idx")
        var bytes = [CChar](repeating: 0, count: length + 1)
        try check(
          H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, &bytes, length + 1, h5_default()),
          "H5Lget_name_by_idx")
        names.append(String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self))
      }
      return names
    }
  }

  /// Whether there is something of this name.
  ///
  /// - Throws: a `Failure` where the name leads out of the file, or the file is damaged.
  public func contains(_ name: String) throws -> Bool {
    let id = id
    var path = ""
    // HDF5 wants to be asked for each group on the way.
    for part in name.split(separator: "/") {
      path += path.isEmpty ? part : "/" + part
      let prefix = path
      let place = "\(self.path): '\(path)'"
      let link = try reading(place, of: self.path, isShared: isShared) { () throws(HDF5Error) -> Link in
        let access = try withinFile()
        guard try check(H5Lexists(id, prefix, access.id), "H5Lexists") > 0 else { return Link.none }
        let type = try check(h5_link_type(id, prefix, access.id), "H5Lget_info")
        if type == h5_hard_link() { return .inside }
        guard type == h5_soft_link() else { return .outside }
        return H5Oexists_by_name(id, prefix, access.id) > 0 ? .inside : .nowhere
      }
      switch link {
      case .none: return false
      case .inside: continue
      case .outside:
        throw refusal(
          "is a link to another file, and such links are not followed. Copy what it leads to", path)
      case .nowhere:
        throw refusal("is a link that leads to nothing in this file. Copy what it should lead to", path)
      }
    }
    return !path.isEmpty
  }

  private func refusal(_ fault: String, _ name: String) -> Failure {
    Failure(.badData, "\(path): '\(name)' \(fault) into this file.", isShared: isShared)
  }

  /// The array of this name.
  ///
  /// - Parameter isComplete: whether all its elements are known to be in the file; to find out takes a walk over all
  ///   its chunks, which one rank can do for all.
  /// - Throws: a `Failure` that names the path and what the file has, where there is no such array, or its elements
  ///   are not all in the file.
  public func array(_ name: String, isComplete: Bool = false) throws -> StoredArray {
    guard try contains(name) else {
      let names = try names()
      let list = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
      let present = names.count > 20 ? "\(list), … (\(names.count))" : list
      throw Failure(
        .badData,
        "\(path): there is no dataset '\(name)'; the file has \(present.isEmpty ? "none" : present).",
        isShared: isShared)
    }
    let array = try StoredArray(opening: name, in: self)
    if !isComplete { try array.checkStorage(fileSize: size) }
    return array
  }
}

/// Where a name leads.
private enum Link {
  case none
  case inside
  case outside
  case nowhere
}

/// How to follow links: never into another file.
func withinFile() throws(HDF5Error) -> Handle {
  let list = try Handle(H5Pcreate(h5_dataset_access_list()), "H5Pcreate", H5Pclose)
  try check(H5Pset_elink_cb(list.id, { _, _, _, _, _, _, _ in -1 }, nil), "H5Pset_elink_cb")
  return list
}

// MARK: Signature

/// Whether the beginning of a file is that of an HDF5 file, perhaps behind a user block. Local.
///
/// Source: HDF5 file format specification 3.0, section II.A: the superblock begins at byte 0, 512, 1024, 2048, …
public func hasHDF5Signature(_ head: [UInt8]) -> Bool {
  superblockPlaces(below: head.count).contains { head[$0...].starts(with: signature) }
}

/// Whether a file is an HDF5 file, as far as its signature tells. Local.
///
/// - Throws: a `Failure` where it can't be read.
public func isHDF5File(_ path: String) throws -> Bool { try hasSignature(InputFile(path)) }

/// The same for an open file.
func hasSignature(_ file: borrowing InputFile) throws -> Bool {
  for place in superblockPlaces(below: file.size)
  where try file.bytes(signature.count, at: place) == signature {
    return true
  }
  return false
}

private let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

private func superblockPlaces(below size: Int) -> [Int] {
  [0] + sequence(first: 512) { $0 < 1 << 61 ? 2 * $0 : nil }.prefix { $0 < size }
}
