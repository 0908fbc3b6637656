import Configuration
import Foundation
import Testing

/// The project's directory.
private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

@Suite struct ManualTests {
  /// docs/configuration.md has one table a section, and its rows are those of the table in the code.
  @Test(arguments: Configuration.sections)
  func manualHasExactlyTheKeys(of section: String) throws {
    let manual = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    let lines = manual.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let heading = try #require(lines.firstIndex(of: "## [\(section)]"))
    let rows = lines[(heading + 1)...].prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| `") }
    #expect(Array(rows) == Configuration.keys.filter { $0.section == section }.map(\.manualRow))
  }

  @Test func sectionsOfTheManualAreThoseOfTheCode() throws {
    let manual = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
    let headings = manual.split(separator: "\n").filter { $0.hasPrefix("## [") }.map {
      $0.dropFirst(4).dropLast()
    }
    #expect(headings.map(String.init) == Configuration.sections)
    #expect(Set(Configuration.keys.map(\.section)) == Set(Configuration.sections))
  }

  /// Each file in configs/ is a configuration, headed by the command that runs it.
  @Test func everyConfigurationIsValid() throws {
    let directory = root.appending(path: "configs")
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
      $0.hasSuffix(".toml")
    }
    #expect(files.count >= 5)
    for file in files {
      let text = try String(contentsOf: directory.appending(path: file), encoding: .utf8)
      let configuration = try Configuration(text: text, file: "configs/\(file)", currentDirectory: root.path)
      #expect(configuration.output.directory == "runs/\(file.dropLast(5))")
      #expect(text.contains("# ") && text.contains("admm-mpi configs/\(file)\n"), "\(file) has no command")
    }
  }
}
