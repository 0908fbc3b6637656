import Foundation
import TestSupport

extension TemporaryDirectory {
  /// Writes a configuration of a tiny net for a comparison. Returns its path.
  func contender(_ name: String, data: String, hidden: Int = 8, _ tables: String) throws -> String {
    try write(
      "\(name).toml",
      """
      [data]
      \(data)
      [network]
      hidden = [\(hidden)]
      \(tables)
      """)
  }

  /// Writes a training and a test set of two classes. Returns the lines of [data].
  func samples() throws -> String {
    try write("train.csv", Samples(600, seed: 41).csv)
    try write("test.csv", Samples(301, seed: 42).csv)
    return "train = \"train.csv\"\ntest = \"test.csv\""
  }

  /// Three configurations on the same samples; names that need care in a plot.
  func contenders(data: String? = nil) throws -> [String] {
    let data = try data ?? samples()
    return [
      try contender("it's_paper", data: data, "[training]\niterations = 5\n[taylor]\npreset = \"paper\""),
      try contender(
        "a & <b>", data: data, "loss = \"softmax\"\n[training]\niterations = 7\n[output]\nevaluate_every = 3"),
      try contender("fast", data: data, "[training]\nmethod = \"accelerated\"\niterations = 6"),
    ]
  }
}

extension Mistake {
  /// What can be wrong with a comparison.
  static let comparisons: [Mistake] = [
    Mistake(
      "configurations of different data", status: 78, says: ["standardize in [data]", "a.toml", "b.toml"]
    ) {
      directory in
      let data = try directory.samples()
      return [
        "compare", try directory.contender("a", data: data, ""),
        try directory.contender("b", data: data + "\nstandardize = false", ""),
      ]
    },
    Mistake("configurations of different files", status: 78, says: ["test in [data]", "not set", "b.toml"]) {
      directory in
      let data = try directory.samples()
      return [
        "compare", try directory.contender("a", data: data, ""),
        try directory.contender("b", data: "train = \"train.csv\"", ""),
      ]
    },
    Mistake("configurations of different chunks", status: 78, says: ["chunk in [training]", "b.toml"]) {
      directory in
      let data = try directory.samples()
      return [
        "compare", try directory.contender("a", data: data, ""),
        try directory.contender("b", data: data, "[training]\nchunk = 64"),
      ]
    },
    Mistake("a configuration twice", status: 64, says: ["a.toml", "same name"]) { directory in
      let file = try directory.contender("a", data: directory.samples(), "")
      return ["compare", file, file]
    },
    Mistake("a comparison with a file that is not there", status: 66, says: ["absent.toml"]) { directory in
      let file = try directory.contender("a", data: directory.samples(), "")
      return ["compare", file, directory.path("absent.toml")]
    },
    Mistake("a comparison on data that are not there", status: 66, says: ["absent.csv"]) { directory in
      let file = try directory.contender("a", data: "train = \"absent.csv\"", "")
      return ["compare", file, "--output", directory.path("study")]
    },
    Mistake("a threshold above 100 %", status: 64, says: ["--thresholds 101"]) { directory in
      let file = try directory.contender("a", data: directory.samples(), "")
      return ["compare", file, "--thresholds", "50,101"]
    },
    Mistake("a seed twice", status: 64, says: ["--seeds"]) { directory in
      ["compare", try directory.contender("a", data: directory.samples(), ""), "--seeds", "3,3"]
    },
    Mistake("a comparison's seed in --set", status: 64, says: ["--seeds"]) { directory in
      ["compare", try directory.contender("a", data: directory.samples(), ""), "--set", "training.seed=3"]
    },
    Mistake("a comparison without a configuration", status: 64, says: ["config"]) { _ in ["compare"] },
    Mistake("a directory with results", status: 74, says: ["--output", "--overwrite"]) { directory in
      let file = try directory.contender("a", data: directory.samples(), "")
      let study = directory.url.appending(path: "study")
      try FileManager.default.createDirectory(at: study, withIntermediateDirectories: false)
      try directory.write("study/table.txt", "")
      return ["compare", file, "--output", study.path(percentEncoded: false)]
    },
  ]
}
