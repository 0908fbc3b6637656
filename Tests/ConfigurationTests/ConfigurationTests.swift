import ADMM
import Basics
import Configuration
import Datasets
import MPI
import Optimizers
import Settings
import Testing

/// Reads `text` as the file `/home/configs/x.toml`, from the directory `/home`.
private func configuration(_ text: String, _ settings: [String] = []) throws -> Configuration {
  try Configuration(text: text, file: "configs/x.toml", currentDirectory: "/home", settings: settings)
}

/// The lines of the message with which `text` is refused.
private func refusal(_ text: String, _ settings: [String] = []) throws -> [String] {
  do {
    _ = try configuration(text, settings)
  } catch let failure as Failure {
    #expect(failure.status == .badConfiguration)
    #expect(failure.isShared)
    return failure.message.split(separator: "\n").map(String.init)
  }
  Issue.record("accepted")
  return []
}

extension Configuration {
  /// [taylor].
  fileprivate var taylor: TaylorSettings { methods[TaylorSettings.self] }
}

private let least = "[data]\ntrain = \"a.csv\"\n"

@Suite struct ConfigurationTests {
  @Test func defaultsAreThoseOfThePreset() throws {
    let robust = try configuration(least)
    #expect(robust.taylor.preset == .robust)
    #expect(robust.training.method == "accelerated" && robust.network.hidden == [64, 64, 64])
    #expect(
      robust.network.loss == nil && robust.loss(classes: 2) == .logistic
        && robust.loss(classes: 3) == .softmax)
    #expect(robust.network.bias && robust.taylor.start == .forward && robust.taylor.ridge == 1e-3)
    #expect(robust.taylor.multiplier == .none && robust.training.keepBest)
    let paper = try configuration(least + "[taylor]\npreset = \"paper\"")
    #expect(!paper.network.bias && paper.taylor.start == .gaussian && paper.taylor.ridge == 0)
    #expect(paper.taylor.multiplier == .last && !paper.training.keepBest)
    #expect(paper.training.method == "taylor" && paper.network.loss == .hinge)
    #expect(paper.taylor.beta == .every(1) && paper.taylor.gamma == .every(10))
    #expect(paper.taylor.warmStart == 10 && paper.taylor.dualStep == 1)
    #expect(paper.output.directory == "runs/x")
  }

  @Test func whatTheFileSaysOutranksThePresetWhateverTheOrder() throws {
    let read = try configuration(
      "[network]\nbias = true\n" + least + "[taylor]\nridge = 0.5\npreset = \"paper\"")
    #expect(read.network.bias && read.taylor.ridge == 0.5 && read.taylor.start == .gaussian)
  }

  @Test func pathsStartFromTheFileOrForOptionsFromTheCurrentDirectory() throws {
    let read = try configuration(
      "[data]\ntrain = \"../data/a.csv\"\ntest = \"/b.csv\"\ntest_labels = \"c\"", ["data.train_labels=./d"])
    #expect(read.data.train == "/home/data/a.csv" && read.data.test == "/b.csv")
    #expect(
      read.data.options[IDXFormat.self] == IDXFormat(trainLabels: "/home/d", testLabels: "/home/configs/c"))
  }

  @Test func optionsOutrankTheFile() throws {
    let read = try configuration(
      least + "[training]\niterations = 5\n[taylor]\npreset = \"paper\"",
      [
        "training.iterations=7", "taylor.preset=robust", "network.hidden=[20, 10]",
        "data.label_column=signal",
        "data.classes=[\"b\", \"s\"]", "stop.time_limit=1h30m", "data.delimiter=;", "taylor.beta=3",
      ])
    #expect(read.training.iterations == 7 && read.taylor.start == .forward)
    #expect(
      read.network.hidden == [20, 10] && read.data.options[CSVFormat.self].labelColumn == .name("signal"))
    #expect(
      read.data.classes == ["b", "s"] && read.stop.timeLimit == .seconds(5400)
        && read.data.options[CSVFormat.self].delimiter == ";")
    #expect(read.taylor.beta.values(3) == [3, 3, 3])
  }

  @Test func wholeNumbersAreNumbersAndClassNumbersAreNames() throws {
    let read = try configuration(
      "[data]\ntrain = 'a'\nclasses = [0, 'two']\n[taylor]\ngamma = [4, 4, 4]\nridge = 1")
    #expect(read.data.selection == .only(["0", "two"]))
    #expect(try configuration(least + "positive_class = 7").data.selection == .positive("7"))
    #expect(read.taylor.gamma == .each([4, 4, 4]) && read.taylor.ridge == 1)
  }

  /// A configuration in which every key differs from its default.
  private let everything = """
    [data]
    train = "t\\"r\\u00e4in"
    test = "u"
    validation_fraction = 0.25
    standardize = false
    classes = ["a", "b\\\\n"]
    format = "idx"
    header = false
    delimiter = "tab"
    label_column = "none"
    train_labels = "l"
    test_labels = "m"
    features_dataset = "x"
    labels_dataset = "y"
    [network]
    hidden = [7, 5]
    activation = "hard_tanh"
    loss = "logistic"
    bias = true
    [training]
    method = "lbfgs"
    iterations = 9
    seed = 12345678901234
    chunk = 64
    threads_per_rank = 4
    keep_best = true
    [taylor]
    preset = "paper"
    beta = [0.1, 1e-7, 3e10]
    gamma = [0.3, 2]
    warm_start = 0
    start = "forward"
    ridge = 1e-300
    multiplier = "none"
    dual_step = 1.7
    activations = "recomputed"
    [consistent]
    penalty = 3
    l2 = 0
    proximal = 2.5
    momentum = 0.5
    safeguard = false
    [accelerated]
    form = "momentum"
    block = 4096
    l2 = 0
    ridge = 2
    step = 0.25
    momentum = 0
    pairs = 3
    beta = 1.5
    r = 7
    [sgd]
    rate = 0.3
    momentum = 0
    nesterov = false
    block = 17
    schedule = "constant"
    l2 = 0
    [adam]
    rate = 1e-4
    beta1 = 0.8
    beta2 = 0.95
    epsilon = 1e-3
    block = 1
    schedule = "constant"
    l2 = 0.5
    [cg]
    l2 = 0.25
    [lbfgs]
    pairs = 7
    l2 = 0.125
    [baselines]
    methods = ["random_features", "sgd"]
    iterations = 11
    [stop]
    target_accuracy = 1
    tolerance = 1e-5
    patience = 3
    stall_limit = "20m"
    stall_action = "end"
    divergences = 5
    divergence_factor = 50
    time_limit = "1d2h3m4.5s"
    [checkpoint]
    every_iterations = 5
    every_minutes = 0
    keep = 3
    at_end = true
    [output]
    directory = "elsewhere"
    evaluate_every = 4
    overwrite = true
    """

  /// What `everything` can't have beside files.
  private let synthetic = """
    [data]
    synthetic = 1_000
    synthetic_test = 50
    synthetic_features = 7
    synthetic_classes = 3
    synthetic_noise = 0
    synthetic_seed = 5
    """

  @Test func resolvedTextGivesTheSameConfiguration() throws {
    for text in [least, least + "[taylor]\npreset = \"paper\"", everything, synthetic] {
      let read = try configuration(text)
      for again in [read.resolved, read.commented] {
        // Another file in another place.
        let second = try Configuration(text: again, file: "/tmp/y.toml", currentDirectory: "/var")
        #expect(second == read)
        #expect(second.sha256 == read.sha256)
      }
    }
    #expect(try configuration(everything).sha256 != configuration(least).sha256)
  }

  @Test func everyKeyIsInTheRoundTrip() throws {
    let standard = try configuration(least)
    func unchanged(_ text: String) throws -> Set<String> {
      Set(
        zip(try configuration(text).settings, standard.settings).filter { $0.value == $1.value }
          .map { "\($0.0.section).\($0.0.name)" })
    }
    let same = try unchanged(everything).intersection(unchanged(synthetic))
    // Those that `everything` can't set to something else: classes beside a positive one, and what the preset had
    // changed.
    #expect(
      same == [
        "data.positive_class", "data.task", "network.bias", "taylor.start", "taylor.multiplier",
        "training.keep_best",
      ])
  }

  @Test(arguments: [
    ("[network]\nhiden = [3]", "line 4: unknown key \"hiden\" in [network]. Did you mean \"hidden\"?"),
    ("\n# [x]\n[trainig]\nseed = 1", "line 5: unknown section [trainig]. Did you mean \"training\"?"),
    ("[training]\nbeta = 1", "line 4: unknown key \"beta\" in [training]. It belongs in [taylor]."),
    (
      "[taylor]\nbeta = -1",
      "line 4: beta = -1 in [taylor], expected a positive number, or a list of them, one for each weight layer."
    ),
    ("[taylor]\nbeta = true", "line 4: beta = true in [taylor], expected a positive number"),
    ("[taylor]\nbeta = nan", "line 4: beta = nan in [taylor], expected a positive number"),
    ("[taylor]\nbeta = 1e300", "line 4: beta = 1e+300 in [taylor], expected a positive number"),
    (
      "[taylor]\ngamma = [1, 2]",
      "line 4: gamma in [taylor] has 2 values, but hidden = [64, 64, 64] in [network] makes 3 hidden layers."
    ),
    (
      "[training]\niterations = 2.5",
      "line 4: iterations = 2.5 in [training], expected a whole number from 1 to 1000000000."
    ),
    (
      "[training]\niterations = 0",
      "line 4: iterations = 0 in [training], expected a whole number from 1 to 1000000000."
    ),
    (
      "[training]\nmethod = \"adm\"",
      "line 4: method = \"adm\" in [training], expected one of \"taylor\", \"consistent\", \"accelerated\", \"sgd\", "
        + "\"adam\", \"cg\", \"lbfgs\". Did you mean \"adam\"?"
    ),
    ("[adam]\nbeta1 = 1", "line 4: beta1 = 1 in [adam], expected a number from 0 up to, not including, 1."),
    (
      "[baselines]\nmethods = [\"sdg\"]",
      "line 4: methods = [\"sdg\"] in [baselines], expected a list of any of \"taylor\", \"consistent\", "
        + "\"accelerated\", \"sgd\", \"adam\", \"cg\", \"lbfgs\", \"random_features\". Did you mean \"sgd\"?"
    ),
    (
      "[taylor]\npenalty = 1",
      "line 4: unknown key \"penalty\" in [taylor]. It is \"penalty\" in [consistent], of another method."
    ),
    (
      "[training]\nmethod = \"consistent\"\n[taylor]\nl2 = 1\n[consistent]\nl2 = 1",
      "line 6: l2 in [taylor] is the former name of l2 in [consistent], which is set too. Remove one of the two."
    ),
    (
      "[baselines]\nmethods = [\"sgd\", \"cg\", \"sgd\"]",
      "line 4: methods in [baselines] names a method twice."
    ),
    ("[network]\nhidden = 300", "line 4: hidden = 300 in [network], expected a list of whole numbers"),
    ("[network]\nloss = \"hinges\"", "Did you mean \"hinge\"?"),
    ("[checkpoints]\nkeep = 2", "line 3: unknown section [checkpoints]. Did you mean \"checkpoint\"?"),
    ("[elsewhere]\nkeep = 2", "line 3: unknown section [elsewhere]. Known are: data, network"),
    ("[checkpoint]\nkeep = 0", "line 4: keep = 0 in [checkpoint], expected a whole number from 1 to 1000"),
    (
      "[network]\nhidden = [\n 3,\n # ]\n 'x']\nbias = 1",
      "line 8: bias = 1 in [network], expected true or false."
    ),
    ("[stop]\ntarget_accuracy = 0.6", "line 4: target_accuracy in [stop] needs a test set."),
    ("synthetic = 0", "line 3: synthetic = 0 in [data], expected a whole number, 1 or more."),
    (
      "synthetic_classes = 1",
      "line 3: synthetic_classes = 1 in [data], expected a whole number from 2 to 1000."
    ),
    ("synthetic_noise = -1", "line 3: synthetic_noise = -1 in [data], expected a number, 0 or more."),
    (
      "[stop]\ntarget_accuracy = 60",
      "line 4: target_accuracy = 60 in [stop], expected a number above 0, at most 1."
    ),
    (
      "[stop]\ntime_limit = '1x'",
      "line 4: time_limit = \"1x\" in [stop], expected a positive number of seconds"
    ),
    ("[network]\nloss = \"square\"\nloss = \"square\"", "line 5, column"),
    ("[network\nx = 1", "line 3, column"),
  ])
  func mistakesAreNamedWithTheirPlace(_ text: String, _ message: String) throws {
    let lines = try refusal(least + text)
    #expect(lines.contains { $0.hasPrefix("configs/x.toml") && $0.contains(message) }, "\(lines)")
  }

  @Test(arguments: [
    ("taylor.beta=-1", "--set taylor.beta=-1: beta = -1 in [taylor], expected a positive number"),
    ("taylor.bets=1", "--set taylor.bets=1: unknown key \"bets\" in [taylor]. Did you mean \"beta\"?"),
    ("beta=1", "--set beta=1: expected section.key=value"),
    ("taylor.beta", "--set taylor.beta: expected section.key=value"),
    ("training.iterations=many", "--set training.iterations=many: iterations = \"many\" in [training]"),
  ])
  func wrongOptionsAreNamed(_ setting: String, _ message: String) throws {
    let lines = try refusal(least, [setting])
    #expect(lines.count == 1 && lines[0].hasPrefix(message), "\(lines)")
  }

  @Test func allMistakesAreReportedAtOnceInTheOrderOfTheLines() throws {
    let lines = try refusal("[taylor]\nbeta = 0\nstart = 1\n[data]\ntrian = 'x'\n", ["output.overwrite=2"])
    #expect(lines.count == 4)
    #expect(lines[0].contains("line 2") && lines[1].contains("line 3") && lines[2].contains("line 5"))
    #expect(lines[3].hasPrefix("--set output.overwrite=2"))
  }

  /// Whatever a file says, no count is so large that a product of some leaves 64 bits.
  @Test func everyWholeNumberHasABound() throws {
    let counted = Configuration.keys.filter {
      $0.expected.contains("whole number") && !$0.name.hasSuffix("seed")
    }
    #expect(counted.count >= 16)
    for key in counted {
      for number in [Int.max, Int.max / 2 + 1, 1 << 60, 1 << 41] {
        let value = key.name == "hidden" ? "[\(number)]" : "\(number)"
        let lines = try refusal("", ["data.synthetic=9", "\(key.path)=\(value)"])
        #expect(lines.contains { $0.hasPrefix("--set \(key.path)=") && $0.contains("expected") }, "\(lines)")
      }
    }
    #expect(try refusal(least, ["training.chunk=\(Int.max)"])[0].hasSuffix("The largest is 1000000000000."))
    let deep = "[" + [String](repeating: "1", count: 101).joined(separator: ", ") + "]"
    #expect(
      try refusal(least, ["network.hidden=\(deep)"])[0].hasSuffix("has 101 layers, expected 100 at the most.")
    )
  }

  /// A configuration without a method trains by `taylor` if it speaks of it, as it always has.
  @Test func theMethodIsAcceleratedUnlessAnotherIsMeant() throws {
    func method(_ text: String, _ settings: [String] = []) throws -> String {
      try configuration(least + text, settings).training.method
    }
    #expect(try method("") == "accelerated")
    #expect(try method("[network]\nloss = 'hinge'\n[adam]\nrate = 1") == "accelerated")
    #expect(try method("[taylor]\nridge = 1") == "taylor")
    #expect(try method("", ["taylor.preset=paper"]) == "taylor")
    #expect(try method("[taylor]\nridge = 1\n[training]\nmethod = 'adam'") == "adam")
    #expect(try method("[taylor]\nridge = 1\n[baselines]\nmethods = ['taylor']") == "accelerated")
  }

  @Test func whatIsNamedIsKnown() throws {
    #expect(try configuration(least).named == ["data.train"])
    let read = try configuration("[taylor]\nmultiplier = 'all'\n" + least, ["network.hidden=[3]"])
    #expect(read.named == ["data.train", "training.method", "network.hidden"])
  }

  @Test func theTrainingSetIsNeeded() throws {
    #expect(
      try refusal("") == [
        "configs/x.toml: no training set. Set train in [data] to a file's path, or synthetic to a number of "
          + "samples to generate."
      ])
  }

  @Test func syntheticSamplesHaveAGenerator() throws {
    let read = try configuration(synthetic + "\n[stop]\ntarget_accuracy = 0.5")
    #expect(read.data.generator == Synthetic(features: 7, classes: 3, noise: 0, seed: 5))
    #expect(read.data.trainSource == nil && read.data.testSource == nil)
    #expect(read.data.trainOrigin == "synthetic, 7 features, seed 5")
    let file = try configuration(least)
    #expect(file.data.generator == nil && file.data.trainOrigin == "/home/configs/a.csv")
    // The data don't follow the run's seed.
    let other = try configuration("[data]\nsynthetic = 9\n[training]\nseed = 8")
    #expect(other.data.generator == Synthetic(features: 28, noise: 0.6, seed: 1))
  }

  @Test(arguments: [
    ("train = 'a'", "train"), ("test = 'a'", "test"), ("train_labels = 'a'", "train_labels"),
    ("test_labels = 'a'", "test_labels"), ("classes = [0, 1]", "classes"),
    ("positive_class = 1", "positive_class"), ("format = 'csv'", "format"),
    ("label_column = 'none'", "label_column"),
  ])
  func syntheticSamplesAreInNoFile(_ line: String, _ key: String) throws {
    #expect(
      try refusal("[data]\nsynthetic = 10\n\(line)") == [
        "configs/x.toml, line 3: \(key) in [data] can't be set beside synthetic, which generates the samples. "
          + "Remove one of the two."
      ])
    // What is a default anyway may be written out.
    let spelt = try configuration("[data]\nsynthetic = 10\nformat = 'auto'\ntask = 'classification'")
    #expect(spelt.data.synthetic == 10)
  }

  @Test(arguments: ["test = 5", "features = 3", "classes = 3", "noise = 0.1", "seed = 2"])
  func settingsOfSyntheticSamplesNeedSome(_ line: String) throws {
    let key = "synthetic_" + line.prefix { $0 != " " }
    #expect(
      try refusal(least + "synthetic_" + line) == [
        "configs/x.toml, line 3: \(key) in [data] needs synthetic, the number of training samples to generate."
      ])
  }

  @Test func regressionAllowsOnlyItsOwnSettings() throws {
    let regression = "[data]\ntrain = 'a'\ntest = 'b'\ntask = 'regression'\n"
    #expect(try configuration(regression + "[network]\nloss = 'huber'").data.task == .regression)
    #expect(try configuration(regression).loss(classes: 1) == .square)
    let lines = try refusal(
      regression + "classes = ['a', 'b']\n[network]\nloss = 'hinge'\n[stop]\ntarget_accuracy = 0.5")
    #expect(lines.count == 3)
    #expect(
      lines.contains {
        $0.contains(
          "loss in [network] is \"hinge\", which is for classes. With task = \"regression\" use \"auto\" or \"square\" "
            + "or \"huber\".")
      })
  }

  @Test func keysOutsideOfSectionsAndInInlineTablesAreFound() throws {
    #expect(
      try refusal("iterations = 3\n") == [
        "configs/x.toml, line 1: the key \"iterations\" stands outside of any section. It belongs in [training]."
      ])
    #expect(try configuration("data = { train = 'x' }\ntraining.seed = 4").training.seed == 4)
    #expect(
      try refusal("\ndata = { trian = 'x' }")[0].hasPrefix("configs/x.toml, line 2: unknown key \"trian\""))
    #expect(
      try refusal(least + "[training]\n'sed'=4")[0].hasPrefix("configs/x.toml, line 4: unknown key \"sed\""))
  }

  @Test func dataOptionsAreCheckedAsTheFileIs() throws {
    var read = Configuration()
    try read.apply(
      [
        DataSetting(key: "format", option: "--format", value: "csv"),
        DataSetting(key: "label_column", option: "--label-column", value: "3"),
        DataSetting(key: "train_labels", option: "--labels", value: "../l"),
      ], currentDirectory: "/home/x")
    #expect(read.data.options.format == "csv" && read.data.options[CSVFormat.self].labelColumn == .number(3))
    #expect(read.data.options[IDXFormat.self].trainLabels == "/home/l")
    let failure = try #require(throws: Failure.self) {
      try read.apply([DataSetting(key: "format", option: "--format", value: "cvs")], currentDirectory: "/")
    }
    #expect(failure.status == .usage && failure.isShared)
    #expect(failure.message.hasPrefix("--format: ") && failure.message.hasSuffix("Did you mean \"csv\"?"))
  }
}
