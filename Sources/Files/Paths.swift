import Glibc
import MPI

/// The directory that relative paths start from. Local.
package func currentDirectory() throws -> String {
  guard let path = getcwd(nil, 0) else {
    throw systemFailure("the current directory can't be found")
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

/// The last component of `path`.
package func lastComponent(of path: String) -> String {
  String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
}

/// The last component of `path` without its extension.
package func stem(of path: String) -> String {
  let name = lastComponent(of: path)
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
  return String(name[..<dot])
}

/// `text` without blanks at its ends.
package func withoutBlanks(_ text: Substring) -> String {
  let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
  return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
}
