extension Source {
  /// The files that are read, as far as their names tell: the samples' and, of an IDX file, the labels'.
  package var inputPaths: [String] {
    let idx = options[IDXFormat.self]
    let given = isTest ? idx.testLabels : idx.trainLabels
    return [path] + (given.map { [$0] } ?? likelyLabels)
  }

  /// What the labels of an IDX file may be called.
  private var likelyLabels: [String] {
    let cut = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    var name = path[cut...].replacing("images", with: "labels")
    guard name != path[cut...] else { return [] }
    for n in 2...4 { name = name.replacing("idx\(n)", with: "idx1") }
    let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
    return [path[..<cut] + plain, path[..<cut] + plain + ".gz"].map(String.init)
  }
}
