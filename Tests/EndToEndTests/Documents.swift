import Foundation

/// A command that a document asks the reader to type.
struct DocumentedCommand: CustomStringConvertible {
  /// Where it stands, as in README.md:42.
  let place: String
  /// As a shell would split it; without what follows a comment or a redirection.
  let words: [String]

  var description: String { "\(place): \(words.joined(separator: " "))" }

  /// The arguments of admm-mpi, with mpirun and its options left out; nil where it is another command.
  var arguments: [String]? {
    guard let name = words.first.map(lastComponent), ["admm-mpi", "mpirun"].contains(name),
      let program = words.firstIndex(where: { lastComponent($0) == "admm-mpi" })
    else { return nil }
    return Array(words[(program + 1)...])
  }
}

/// A text that tells somebody what to type.
struct Document {
  let name: String
  let lines: [String]

  /// A file of the project, by its path from there.
  init(_ name: String) throws {
    let text = try String(contentsOf: Program.root.appending(path: name), encoding: .utf8)
    self.name = name
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The files in `directory` whose names end in `suffix`, sorted.
  static func all(in directory: String, _ suffix: String) throws -> [Document] {
    try FileManager.default.contentsOfDirectory(
      atPath: Program.root.appending(path: directory).path(percentEncoded: false)
    ).filter { $0.hasSuffix(suffix) }.sorted().map { try Document("\(directory)/\($0)") }
  }

  /// README.md and what lies in docs/.
  static func manuals() throws -> [Document] { try [Document("README.md")] + all(in: "docs", ".md") }

  /// What stands in blocks: indented, behind #, or in a fence marked as a shell's. Of other fences, which show
  /// output, nothing.
  var commands: [DocumentedCommand] {
    var found: [DocumentedCommand] = []
    var fence: Substring?
    var line = 0
    while line < lines.count {
      let start = line
      line += 1
      let text = lines[start]
      if text.hasPrefix("```") {
        fence = fence == nil ? text.dropFirst(3) : nil
        continue
      }
      guard fence.map({ ["sh", "bash"].contains($0) }) ?? (text.hasPrefix("    ") || text.hasPrefix("#   "))
      else { continue }
      var command = text.trimmingPrefix(/#? +/)
      while command.hasSuffix("\\"), line < lines.count {
        command = command.dropLast() + lines[line].trimmingPrefix(/#? +/)
        line += 1
      }
      // Two blanks after the first word: a drawing, or an explanation.
      guard !command.contains(/^\S+ {2}/) else { continue }
      let words = shellWords(String(command))
      guard let first = words.first, Self.starters.contains(first) || first.hasPrefix("scripts/") else {
        continue
      }
      found.append(DocumentedCommand(place: "\(name):\(start + 1)", words: words))
    }
    return found
  }

  private static let starters = ["admm-mpi", ".build/release/admm-mpi", "mpirun", "make", "sbatch"]

  /// The texts between backquotes within a paragraph or table, with their lines.
  var spans: [(place: String, text: String)] {
    var fenced = false
    return lines.enumerated().flatMap { number, line -> [(String, String)] in
      if line.hasPrefix("```") { fenced.toggle() }
      guard !fenced && !line.hasPrefix("    ") else { return [] }
      return line.matches(of: /`([^`]+)`/).map { ("\(name):\(number + 1)", String($0.1)) }
    }
  }

  /// Where links within the project lead: a path from the document's directory, and what follows a #.
  var links: [(place: String, path: String, anchor: String?)] {
    lines.enumerated().flatMap { number, line in
      line.matches(of: /\]\(([^()# ]*)(?:#([^() ]+))?\)/).filter { !$0.1.contains("://") }.map {
        ("\(name):\(number + 1)", String($0.1), $0.2.map(String.init))
      }
    }
  }

  /// What a # in a link may name: the headings as GitHub turns them into anchors.
  var anchors: Set<String> {
    Set(
      lines.filter { $0.hasPrefix("#") }.map { heading in
        String(
          heading.trimmingPrefix(#/#+ /#).lowercased().compactMap { character in
            character == " "
              ? "-" : character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
          })
      })
  }

  /// The first TOML in a fence, if there is one.
  var toml: String? {
    guard let start = lines.firstIndex(of: "```toml") else { return nil }
    return lines[(start + 1)...].prefix { $0 != "```" }.joined(separator: "\n")
  }
}

/// The words of a command line, by blanks and quotes, up to a comment or a redirection.
func shellWords(_ line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  for character in line {
    if let open = quote {
      if character == open { quote = nil } else { word = (word ?? "") + String(character) }
    } else if character == "'" || character == "\"" {
      (quote, word) = (character, word ?? "")
    } else if character == " " {
      if let done = word { words.append(done) }
      word = nil
    } else if (character == "#" || character == ">") && word == nil {
      break
    } else {
      word = (word ?? "") + String(character)
    }
  }
  return words + (word.map { [$0] } ?? [])
}

private func lastComponent(_ path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
