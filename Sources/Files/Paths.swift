import Basics
import Glibc
import MPI

/// The text of a whole file. Local.
///
/// - Throws: a `Failure`: `noInput` if the file can't be opened, `badConfiguration` if it is not UTF-8 text.
package func contents(of path: String) throws -> String {
  guard let file = fopen(path, "rb") else {
    throw Failure(.noInput, "\(path) can't be opened: \(String(cString: strerror(errno))). Check the path.")
  }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&piece, 1, piece.count, file)
    bytes += piece[..<count]
    guard count == piece.count else { break }
  }
  guard ferror(file) == 0 else {
    throw Failure(.noInput, "\(path) can't be read: \(String(cString: strerror(errno))).")
  }
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw Failure(.badConfiguration, "\(path) is not UTF-8 text.")
  }
  return text
}

/// The directory that relative paths start from. Local.
package func currentDirectory() throws -> String {
  guard let path = getcwd(nil, 0) else {
    throw Failure(.inputOutput, "the current directory can't be found: \(String(cString: strerror(errno))).")
  }
  defer { free(path) }
  return String(cString: path)
}

/// `path` as an absolute one without "." and "..", which are resolved by name alone.
package func absolute(_ path: String, in directory: String) -> String {
  let whole = path.hasPrefix("/") ? path : directory + "/" + path
  var parts: [Substring] = []
  for part in whole.split(separator: "/") where part != "." {
    if part == ".." { _ = parts.popLast() } else { parts.append(part) }
  }
  return "/" + parts.joined(separator: "/")
}

/// All of `path` before its last component, "." if there is nothing.
package func directory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last component of `path` without its extension.
package func stem(of path: String) -> String {
  let name = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
  return String(name[..<dot])
}

/// `text` without blanks at its ends.
package func withoutBlanks(_ text: Substring) -> String {
  let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
}
