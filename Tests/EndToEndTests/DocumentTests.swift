import Foundation
import TestSupport
import Testing

/// What the documents tell a reader to type, works; what they name, exists.
@Suite struct DocumentTests {
  /// A directory that looks like the project's to a reader who has fetched HIGGS, and has data of his own.
  private struct Workplace: ~Copyable {
    let directory: TemporaryDirectory

    /// Makes it: files of HIGGS and SVHN as if fetched, the configuration that README shows, and small sets of
    /// samples.
    static func make() throws -> Workplace {
      let place = Workplace(directory: try TemporaryDirectory())
      for name in ["configs", "jobs", "scripts"] {
        try FileManager.default.copyItem(
          at: Program.root.appending(path: name), to: place.directory.url.appending(path: name))
      }
      let csv = try place.directory.write("HIGGS.csv", Samples(600, width: 28, seed: 1).csv)
      try place.succeed(["gzip", csv])
      try place.succeed([
        "scripts/higgs-sample", "--paper", "--train", "400", "--test", "200", "HIGGS.csv.gz",
      ])
      try place.succeed(["scripts/higgs-sample", "--train", "300", "--test", "100", "HIGGS.csv.gz"])
      for part in ["extra", "test"] {
        let csv = try place.directory.write("\(part).csv", Samples(30, width: 648, classes: 3, seed: 2).csv)
        try place.succeed([Program.path, "convert", csv, "data/svhn-\(part)-hog.h5", "--quiet"])
      }
      // The reader's own.
      try place.directory.write("train.csv", Samples(200, seed: 3).csv)
      try place.directory.write("test.csv", Samples(100, seed: 4).csv)
      let rows = Samples(50, seed: 5).lines.map {
        $0.split(separator: ",").dropFirst().joined(separator: ",")
      }
      try place.directory.write("new.csv", rows.joined(separator: "\n"))
      let own = try #require(try Document("README.md").toml)
      for name in ["mine", "a", "b"] { try place.directory.write("\(name).toml", own) }
      return place
    }

    /// Runs a command there, on one rank.
    func run(_ command: [String]) throws -> Outcome {
      try Program.run(command: ["env", "-C", directory.path(""), "OMPI_MCA_btl=self"] + command)
    }

    /// The same, and requires that it ends well.
    func succeed(_ command: [String]) throws {
      let outcome = try run(command)
      try #require(outcome.status == 0, "\(command): \(outcome.transcript)")
    }
  }

  /// The least that shows whether a command works: an iteration, few made-up samples, a moment's measurement.
  private func shortened(_ arguments: [String], in workplace: borrowing Workplace) -> [String] {
    switch arguments.first {
    case "predict", "convert": return arguments + ["--force"]
    case "evaluate", "describe", "help", "slurm": return arguments
    case "compare": return arguments + ["--set", "training.iterations=1", "--overwrite"]
    case "bench": return arguments + ["--seconds", "0.001"]
    case "verify": return arguments.filter { $0 != "--quick" } + ["--quick"]
    default: break
    }
    if arguments.contains("--check") || arguments.contains("--print-config") { return arguments }
    let text = arguments.first { $0.hasSuffix(".toml") }.map { workplace.directory.text($0) } ?? ""
    // Images take their time: whether they can be read other tests tell.
    if text.contains("/usr/share/datasets") { return arguments + ["--print-config"] }
    var settings = ["training.iterations=1", "output.overwrite=true"]
    if text.contains("\nsynthetic =") { settings += ["data.synthetic=2000", "data.synthetic_test=500"] }
    return arguments + settings.flatMap { ["--set", $0] }
  }

  /// In the order in which they are read, so that a model is there before it is evaluated.
  private func documents() throws -> [Document] {
    try Document.manuals() + Document.all(in: "configs", ".toml") + Document.all(in: "jobs", ".slurm")
      + Document.all(in: "Sources/admm-mpi", ".swift")
  }

  /// Every command of the program in README, docs, configurations and help runs, shortened, on rows made up as
  /// HIGGS's are laid out.
  @Test func commandsRun() throws {
    let workplace = try Workplace.make()
    var known: Set<[String]> = []
    for command in try documents().flatMap(\.commands) {
      guard let arguments = command.arguments, known.insert(arguments).inserted else { continue }
      let outcome = try workplace.run([Program.path] + shortened(arguments, in: workplace))
      #expect(outcome.status == 0, "\(command)\n\(outcome.transcript)")
    }
    #expect(known.count >= 40)
  }

  /// What is not the program's own: the scripts run, the batch scripts and make's targets and variables exist.
  @Test func otherCommandsExist() throws {
    let workplace = try Workplace.make()
    let makefile = try Document("Makefile").lines
    var count = 0
    for command in try documents().flatMap(\.commands) where command.arguments == nil {
      count += 1
      let words = command.words.dropFirst()
      let assigned = words.compactMap { word in word.firstMatch(of: /^(?:--export=ALL,)?([A-Z_]+)=(.*)$/) }
      switch command.words[0] {
      case "make":
        for target in words where !target.contains("=") {
          #expect(makefile.contains { $0.hasPrefix("\(target):") }, "\(command): no target \(target)")
        }
        for variable in assigned {
          #expect(
            makefile.contains { $0.firstMatch(of: /^(?:export )?([A-Z_]+) \?=/)?.1 == variable.1 },
            "\(command): no variable \(variable.1)")
          guard let script = Self.scripts[String(variable.1)] else { continue }
          let text = try Document(script).lines.joined()
          for option in variable.2.split(separator: " ") where option.hasPrefix("--") {
            #expect(text.contains("\"\(option)\""), "\(command): \(script) has no \(option)")
          }
        }
      case "sbatch":
        let files = words.filter { $0.hasPrefix("jobs/") } + assigned.map { String($0.2) }
        #expect(!files.isEmpty, "\(command)")
        for file in files { #expect(!workplace.directory.bytes(file).isEmpty, "\(command): no \(file)") }
      default:
        let outcome = try workplace.run(command.words + ["--train", "300", "--test", "100"])
        #expect(outcome.status == 0, "\(command)\n\(outcome.transcript)")
      }
    }
    #expect(count >= 15)
  }

  /// What takes the options that a variable of make holds.
  private static let scripts = ["LEARNING": "Benchmarks/learning.py", "DEFAULTS": "Benchmarks/defaults.py"]

  /// Commands and settings within a sentence: their options are the program's, their keys the configuration's.
  @Test func optionsAndKeysExist() throws {
    let workplace = try Workplace.make()
    let printed = try workplace.run([Program.path, "--print-config"])
    var keys: Set<String> = []
    var section = ""
    for line in printed.output.split(separator: "\n") {
      if let found = line.firstMatch(of: /^\[(\w+)\]/) { section = String(found.1) }
      if let found = line.firstMatch(of: #/^(?:# )?(\w+) = /#) { keys.insert("\(section).\(found.1)") }
    }
    let sections = Set(keys.compactMap { $0.split(separator: ".").first.map(String.init) })
    #expect(keys.count > 50 && sections.contains("data"), "\(printed.transcript)")

    var options: [String: Set<String>] = [:]
    for subcommand in [
      "train", "resume", "evaluate", "predict", "convert", "describe", "compare", "bench", "slurm",
      "verify",
    ] {
      let help = try workplace.run([Program.path, "help", subcommand]).output
      options[subcommand] = Set(help.matches(of: /--[a-z][a-z-]*/).map { String($0.0) })
    }
    var count = 0
    for (place, text) in try Document.manuals().flatMap(\.spans) {
      if let name = text.firstMatch(of: /^(\w+)\.(\w+)(?: = .*)?$/), sections.contains(String(name.1)) {
        count += 1
        #expect(keys.contains("\(name.1).\(name.2)"), "\(place): no key \(name.1).\(name.2)")
      }
      let words = shellWords(text)
      if place.hasPrefix("docs/compare.md"), let option = words.first, option.hasPrefix("--") {
        #expect(options["compare"]?.contains(option) ?? false, "\(place): compare has no \(option)")
      }
      guard words.first == "admm-mpi", words.count > 1 else { continue }
      count += 1
      let subcommand = options[words[1]] == nil ? "train" : words[1]
      for word in words where word.hasPrefix("--") {
        #expect(options[subcommand]?.contains(word) ?? false, "\(place): \(subcommand) has no \(word)")
      }
      for setting in words.compactMap({ $0.firstMatch(of: /^(\w+\.\w+)=/) }) {
        #expect(keys.contains(String(setting.1)), "\(place): no key \(setting.1)")
      }
    }
    #expect(count >= 25)
  }

  /// Links within the project lead somewhere.
  @Test func linksLeadSomewhere() throws {
    var count = 0
    for document in try Document.manuals() {
      let directory = document.name.contains("/") ? "docs/" : ""
      for (place, path, anchor) in document.links {
        count += 1
        let name = path.isEmpty ? document.name : URL(filePath: "/\(directory)\(path)").standardized.path
        let file = Program.root.appending(path: name).path(percentEncoded: false)
        #expect(FileManager.default.fileExists(atPath: file), "\(place): no \(path)")
        guard let anchor, let target = try? Document(name) else { continue }
        #expect(target.anchors.contains(anchor), "\(place): no heading #\(anchor)")
      }
    }
    #expect(count >= 20)
  }

  /// The sections of docs/algorithm.md that the code cites have these numbers.
  @Test func citedSectionsExist() throws {
    let page = try Document("docs/algorithm.md").lines
    var count = 0
    for directory in ["Sources", "Tests"] {
      let root = Program.root.appending(path: directory)
      let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.compactMap {
        $0 as? URL
      }
      for file in files ?? [] where file.pathExtension == "swift" {
        let text = try String(contentsOf: file, encoding: .utf8)
        for citation in text.matches(of: /algorithm\.md((?:,? §\d+)+)/) {
          for number in citation.1.matches(of: /\d+/) {
            count += 1
            #expect(
              page.contains { $0.hasPrefix("## \(number.0). ") }, "\(file.lastPathComponent): no §\(number.0)"
            )
          }
        }
      }
    }
    #expect(count >= 10)
  }
}
