/// Which tables and keys a TOML text has named, so that none is set twice.
struct TOMLNames {
  private enum Kind {
    /// A key with a value; an inline table is one.
    case value
    /// A table by its header.
    case header
    /// A table that a header below it implies.
    case implied
    /// A table by a dotted key.
    case dotted
  }

  private var kinds: [[String]: Kind] = [:]

  /// Takes a header; false if it can't stand where it does.
  mutating func add(header path: [String]) -> Bool {
    for count in 1..<path.count {
      let parent = Array(path.prefix(count))
      guard kinds[parent] != .value else { return false }
      kinds[parent] = kinds[parent] ?? .implied
    }
    guard kinds[path] == nil || kinds[path] == .implied else { return false }
    kinds[path] = .header
    return true
  }

  /// Takes a key of the table `table`; false if it can't stand where it does.
  mutating func add(key: [String], of table: [String]) -> Bool {
    for count in 1..<key.count {
      let parent = table + key.prefix(count)
      guard kinds[parent] == nil || kinds[parent] == .dotted else { return false }
      kinds[parent] = .dotted
    }
    return kinds.updateValue(.value, forKey: table + key) == nil
  }
}
