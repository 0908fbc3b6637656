import ADMM
import Configuration
import Testing

/// Reads `text` as the file `/home/configs/x.toml`, from the directory `/home`.
private func configuration(_ text: String, _ settings: [String] = []) throws -> Configuration {
  try Configuration(
    text: "[data]\ntrain = 'a.csv'\n" + text, file: "configs/x.toml", currentDirectory: "/home",
    settings: settings)
}

/// Method `consistent` was a kind of `taylor`: configurations of then are those of now.
@Suite struct FormerNamesTests {
  @Test(arguments: [
    ("[taylor]\nmultiplier = 'all'", "[training]\nmethod = 'consistent'"),
    ("[taylor]\npreset = 'consistent'", "[training]\nmethod = 'consistent'"),
    ("[training]\nmethod = 'taylor'\n[taylor]\nmultiplier = 'all'", "[training]\nmethod = 'consistent'"),
    ("[taylor]\npreset = 'consistent'\nmultiplier = 'all'", "[training]\nmethod = 'consistent'"),
    // The multiplier outranked the preset.
    ("[taylor]\npreset = 'consistent'\nmultiplier = 'last'", "[taylor]\nmultiplier = 'last'"),
    // What the preset sets elsewhere stays.
    (
      "[taylor]\npreset = 'paper'\nmultiplier = 'all'",
      "[training]\nmethod = 'consistent'\n[taylor]\npreset = 'paper'"
    ),
    (
      "[taylor]\nmultiplier = 'all'\npenalty = 3\nl2 = 0\nproximal = 2.5\nmomentum = 0.5\nsafeguard = false",
      "[training]\nmethod = 'consistent'\n[consistent]\npenalty = 3\nl2 = 0\nproximal = 2.5\nmomentum = 0.5\n"
        + "safeguard = false"
    ),
    // Another method trains; [baselines] meant the same.
    (
      "[training]\nmethod = 'sgd'\n[taylor]\npreset = 'consistent'\nl2 = 2\n[baselines]\nmethods = ['cg', 'taylor']",
      "[training]\nmethod = 'sgd'\n[consistent]\nl2 = 2\n[baselines]\nmethods = ['cg', 'consistent']"
    ),
    ("[training]\nmethod = 'sgd'\n[taylor]\npreset = 'consistent'", "[training]\nmethod = 'sgd'"),
    (
      "[training]\nmethod = 'sgd'\n[taylor]\nmultiplier = 'all'\npenalty = 2",
      "[training]\nmethod = 'sgd'\n[consistent]\npenalty = 2"
    ),
  ])
  func oldFilesAreRead(_ old: String, _ new: String) throws {
    let (old, new) = (try configuration(old), try configuration(new))
    #expect(old == new)
    #expect(old.resolved == new.resolved && old.sha256 == new.sha256)
  }

  @Test func optionsHaveOldNamesToo() throws {
    let new = try configuration("", ["training.method=consistent", "consistent.penalty=2"])
    #expect(try configuration("", ["taylor.multiplier=all", "taylor.penalty=2"]) == new)
    #expect(try configuration("", ["training.method=consistent", "taylor.penalty=2"]) == new)
    #expect(try configuration("[taylor]\npreset = 'consistent'\npenalty = 2") == new)
    // The command line outranks the file, whichever names they use.
    let file = "[taylor]\npreset = 'consistent'\npenalty = 7"
    #expect(try configuration(file, ["taylor.penalty=2"]) == new)
    #expect(try configuration(file, ["consistent.penalty=2"]) == new)
    #expect(
      try configuration("[training]\nmethod = 'consistent'\n[consistent]\npenalty = 7", ["taylor.penalty=2"])
        == new)
    #expect(
      try configuration("[taylor]\npreset = 'consistent'", ["taylor.preset=robust"])
        == configuration("[training]\nmethod = 'taylor'"))
    #expect(
      try configuration("[taylor]\npreset = 'consistent'", ["taylor.multiplier=none"])
        == configuration("[training]\nmethod = 'taylor'"))
  }

  @Test func theyAreNotWrittenAnyMore() throws {
    let text = try configuration("[taylor]\nmultiplier = 'all'\nmomentum = 0.5").commented
    #expect(text.contains("method = \"consistent\"") && !text.contains("\"all\""))
    let taylor = text.split(separator: "[taylor]")[1].prefix { $0 != "[" }
    #expect(!taylor.contains("momentum"))
    #expect(
      try configuration("", ["taylor.multiplier=all"]).methods[ConsistentSettings.self]
        == ConsistentSettings())
  }
}
