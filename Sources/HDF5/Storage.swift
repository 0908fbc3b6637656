import CHDF5

/// How an array's elements lie in its file.
struct Storage {
  private enum Layout {
    case whole
    case chunks
    case virtual
  }

  private struct Filter {
    let id: H5Z_filter_t
    let name: String
    let isAvailable: Bool
  }

  private var layout = Layout.whole
  private var isExternal = false
  /// The bytes that are in the file, compressed if they are.
  private let storedBytes: Int
  /// The extent of a chunk in each dimension.
  private var chunk: [Int] = []
  private var writtenChunks = 0
  private var filters: [Filter] = []

  init(of array: hid_t, dimensions: Int) throws(HDF5Error) {
    let list = try Handle(H5Dget_create_plist(array), "H5Dget_create_plist", H5Pclose)
    let kind = H5Pget_layout(list.id)
    if kind == H5D_VIRTUAL {
      layout = .virtual
      storedBytes = 0
      return
    }
    isExternal = try check(H5Pget_external_count(list.id), "H5Pget_external_count") > 0
    if kind == H5D_CHUNKED {
      layout = .chunks
      var extents = [hsize_t](repeating: 0, count: dimensions)
      try check(H5Pget_chunk(list.id, CInt(dimensions), &extents), "H5Pget_chunk")
      chunk = extents.map { Int(clamping: $0) }
      let space = try Handle(H5Dget_space(array), "H5Dget_space", H5Sclose)
      var count: hsize_t = 0
      try check(H5Dget_num_chunks(array, space.id, &count), "H5Dget_num_chunks")
      writtenChunks = Int(clamping: count)
      for i in 0..<(try check(H5Pget_nfilters(list.id), "H5Pget_nfilters")) {
        filters.append(try Self.filter(UInt32(i), of: list.id))
      }
    }
    storedBytes = Int(clamping: H5Dget_storage_size(array))
  }

  private static func filter(_ i: UInt32, of list: hid_t) throws(HDF5Error) -> Filter {
    var (flags, configuration): (UInt32, UInt32) = (0, 0)
    var count = 0
    var name = [CChar](repeating: 0, count: 64)
    let id = try check(
      H5Pget_filter2(list, i, &flags, &count, nil, name.count - 1, &name, &configuration), "H5Pget_filter")
    let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return Filter(
      id: id, name: text.isEmpty ? "filter \(id)" : String(decoding: text, as: UTF8.self),
      isAvailable: H5Zfilter_avail(id) > 0)
  }

  /// Why the elements can't be had from the file, as a sentence about the array; `nil` where they can.
  ///
  /// What an array says of its size is believed only as far as the file is long enough for it.
  func fault(shape: [Int], elementBytes: Int, fileSize: Int) -> String? {
    if layout == .virtual || isExternal {
      return
        "lies in other files, which are not followed. Copy its contents into this file, with h5py for instance."
    }
    if let filter = filters.first(where: { !$0.isAvailable }) {
      return "is compressed by '\(filter.name)', which this HDF5 library can't undo. Write it anew without "
        + "compression or with gzip, or set HDF5_PLUGIN_PATH."
    }
    // An extent of 0 must not hide the others' product.
    guard let bytes = product(shape.map { max($0, 1) } + [elementBytes]) else {
      return "is damaged: its shape is \(shape). Copy or download it again."
    }
    if shape.contains(0) { return nil }
    if storedBytes == 0 {
      return "has the shape \(shape), but nothing was ever written to it. Make it again."
    }
    guard layout == .chunks else {
      return bytes <= storedBytes && storedBytes <= fileSize ? nil : damage(bytes, fileSize)
    }
    let counts = zip(shape, chunk).map { $1 > 0 ? ($0 - 1) / $1 + 1 : Int.max }
    guard let chunks = product(counts) else { return damage(bytes, fileSize) }
    guard writtenChunks == chunks else {
      return
        "is not complete: of \(chunks) chunks \(writtenChunks) were written. Make it again; or, if the rest is to "
        + "be its fill value, copy the file by h5repack -l CONTI."
    }
    guard let whole = product(counts + chunk + [elementBytes]), storedBytes <= fileSize,
      whole / greatestRatio <= storedBytes
    else { return damage(bytes, fileSize) }
    return nil
  }

  private func damage(_ bytes: Int, _ fileSize: Int) -> String {
    "is damaged: it would have \(bytes) bytes in a file of \(fileSize). Copy or download it again."
  }

  /// How many bytes one in the file can stand for.
  private var greatestRatio: Int {
    if filters.isEmpty { return 1 }
    // gzip: 1032; szip, shuffling and sums of bytes do less. Others may pack what is constant into nothing.
    return filters.allSatisfy { (1...4).contains($0.id) } ? 1040 : 1 << 20
  }
}

/// The product of numbers that aren't negative; `nil` where it is too large.
private func product(_ factors: [Int]) -> Int? {
  if factors.contains(0) { return 0 }
  return factors.reduce(1 as Int?) { product, n in
    guard let (next, overflow) = product?.multipliedReportingOverflow(by: n), !overflow else { return nil }
    return next
  }
}
