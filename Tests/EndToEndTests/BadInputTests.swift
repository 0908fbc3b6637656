import Foundation
import TestSupport
import Testing

/// A mistake that a user can make, and what the program must answer.
struct Mistake: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The exit status, of sysexits.h.
  let status: Int32
  /// What the message must say.
  let phrases: [String]
  /// Makes the bad input in a directory and returns the command line.
  let arguments: @Sendable (borrowing TemporaryDirectory) throws -> [String]

  init(
    _ description: String, status: Int32, says phrases: [String],
    arguments: @escaping @Sendable (borrowing TemporaryDirectory) throws -> [String]
  ) {
    testDescription = description
    self.status = status
    self.phrases = phrases
    self.arguments = arguments
  }
}

extension Mistake {
  /// Data in which line 12,345 of 13,000 reads otherwise.
  static func line12345(
    _ description: String, says phrases: [String], edit: @escaping @Sendable ([Substring]) -> [Substring]
  ) -> Mistake {
    Mistake(description, status: 65, says: ["train.csv, line 12345"] + phrases) { directory in
      var lines = Samples(13_000, seed: 1).lines
      lines[12_344] = edit(lines[12_344].split(separator: ",")).joined(separator: ",")
      return [try directory.configuration(train: directory.write("train.csv", lines.joined(separator: "\n")))]
    }
  }

  /// A sound data set and these lines more in the configuration.
  static func setting(_ description: String, _ lines: String, says phrases: [String]) -> Mistake {
    Mistake(description, status: 78, says: phrases) { directory in
      let train = try directory.write("train.csv", Samples(20, seed: 1).csv)
      return [try directory.configuration(train: train, lines)]
    }
  }

  /// The program's own HDF5 or gzip's own file of sound data, of which the last half is lost.
  static func truncated(
    _ description: String, _ name: String, from command: @escaping @Sendable (String, String) -> [String]
  ) -> Mistake {
    Mistake(description, status: 65, says: [name]) { directory in
      let whole = try directory.write("whole.csv", Samples(2_000, seed: 1).csv)
      let file = directory.path(name)
      let made = try Program.run(command: command(whole, file))
      try #require(made.status == 0, "\(made.transcript)")
      let bytes = directory.bytes(name)
      return [try directory.configuration(train: directory.write(name, bytes.prefix(bytes.count / 2)))]
    }
  }

  static let all: [Mistake] = [
    Mistake("no such data file", status: 66, says: ["absent.csv"]) { directory in
      [try directory.configuration(train: directory.path("absent.csv"))]
    },
    Mistake("no such configuration", status: 66, says: ["absent.toml"]) { directory in
      [directory.path("absent.toml")]
    },
    Mistake("a device as a configuration", status: 66, says: ["/dev/zero", "device"]) { _ in ["/dev/zero"] },
    Mistake("a pipe as data", status: 66, says: ["pipe", "Write what comes from it to a file"]) { directory in
      let pipe = directory.path("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      return [try directory.configuration(train: pipe)]
    },
    Mistake("a Parquet file", status: 65, says: ["train.parquet is a Parquet file", "read_parquet"]) {
      directory in
      [try directory.configuration(train: directory.write("train.parquet", Data("PAR1".utf8 + [0x15, 4])))]
    },
    Mistake("not TOML", status: 78, says: ["config.toml"]) { directory in
      [try directory.write("config.toml", "[data\ntrain = 'train.csv'\n")]
    },
    setting("an unknown key", "[taylor]\nwarmstart = 3", says: ["warmstart", "warm_start"]),
    setting("an unknown table", "[taylr]\nbeta = 1", says: ["taylr", "taylor"]),
    setting("a negative beta", "[taylor]\nbeta = -1", says: ["beta = -1", "[taylor]"]),
    line12345("a letter in a number", says: ["column 4"]) { fields in
      fields[..<3] + ["1x0"] + fields[4...]
    },
    line12345("a row with a column too few", says: ["9 columns"]) { $0.dropLast() },
    line12345("a NaN", says: ["column 2"]) { [$0[0], "nan"] + $0[2...] },
    line12345("an empty field", says: ["column 3"]) { $0[..<2] + [""] + $0[3...] },
    Mistake("a label outside the classes", status: 65, says: ["test.csv, line 18", "7"]) { directory in
      let train = try directory.write("train.csv", Samples(20, seed: 1).csv)
      var lines = Samples(20, seed: 2).lines
      lines[17] = "7" + lines[17].dropFirst()
      let test = try directory.write("test.csv", lines.joined(separator: "\n"))
      return [try directory.configuration(train: train, test: test)]
    },
    truncated("half a gzip file", "train.csv.gz") { ["sh", "-c", #"gzip -c "$0" > "$1""#, $0, $1] },
    truncated("half an HDF5 file", "train.h5") { [Program.path, "convert", $0, $1] },
    Mistake("half an IDX file", status: 65, says: ["train-images-idx3-ubyte"]) { directory in
      let samples = Samples(500, seed: 1)
      let images = samples.idxImages(height: 3)
      try directory.write("train-labels-idx1-ubyte", samples.idxLabels)
      let train = try directory.write("train-images-idx3-ubyte", images.prefix(images.count / 2))
      return [try directory.configuration(train: train)]
    },
    Mistake("an output directory that can't be made", status: 74, says: ["a-file"]) { directory in
      let file = try directory.write("a-file", "")
      let train = try directory.write("train.csv", Samples(20, seed: 1).csv)
      return [try directory.configuration(train: train), "--set", "output.directory=\"\(file)/run\""]
    },
    Mistake("data of another width than the model's", status: 65, says: ["narrow.csv", "9", "5"]) {
      directory in
      let train = try directory.write("train.csv", Samples(40, seed: 1).csv)
      let trained = try Program.run(ranks: nil, [directory.configuration(train: train)])
      try #require(trained.status == 0, "\(trained.transcript)")
      let narrow = try directory.write("narrow.csv", Samples(40, width: 5, seed: 2).csv)
      return ["evaluate", directory.path("run/model.h5"), narrow]
    },
    Mistake("a model that is none", status: 65, says: ["model.h5"]) { directory in
      let data = try directory.write("test.csv", Samples(40, seed: 1).csv)
      return ["evaluate", try directory.write("model.h5", "Not HDF5.\n"), data]
    },
    Mistake("an unknown option", status: 64, says: ["--sets"]) { directory in
      [try directory.write("config.toml", ""), "--sets", "training.seed=1"]
    },
  ]
}

@Suite struct BadInputTests {
  @Test(arguments: Mistake.all + Mistake.comparisons, [1, 3])
  func endsWithItsStatusAndOneMessage(mistake: Mistake, ranks: Int) throws {
    let directory = try TemporaryDirectory()
    let outcome = try Program.run(ranks: ranks, mistake.arguments(directory))
    #expect(!outcome.isTimedOut, "the job hung")
    #expect(outcome.status == mistake.status, "\(outcome.transcript)")
    for phrase in mistake.phrases {
      #expect(outcome.errors.contains(phrase), "'\(phrase)' is missing:\n\(outcome.errors)")
    }
    let messages = outcome.errors.split(separator: "\n").filter {
      $0.hasPrefix("admm-mpi: error") || $0.hasPrefix("Error:")
    }
    #expect(messages.count == 1, "not one message:\n\(outcome.errors)")
  }

  /// Bytes with which libhdf5 1.10 crashes: in the heap of a label's text.
  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)"), arguments: [1, 3])
  func whereHDF5CrashesTheFileIsNamed(ranks: Int) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("crash.h5")
    let made: Bool = try Python.run(
      program: """
        import h5py, json, sys, numpy as np
        path = json.load(open(sys.argv[1]))[0]
        with h5py.File(path, "w") as f:
          f["features"] = np.ones((20, 3), "f4")
          f["labels"] = np.array(["a", "b"] * 10, dtype=h5py.string_dtype())
        bytes = bytearray(open(path, "rb").read())
        heap = bytes.index(b"GCOL")
        bytes[heap + 27] = 202
        open(path, "wb").write(bytes)
        json.dump(True, open(sys.argv[2], "w"))
        """, input: [path])
    #expect(made)
    let outcome = try Program.run(ranks: ranks, ["describe", path])
    #expect(outcome.status == 65, "\(outcome.transcript)")
    #expect(outcome.errors.contains("admm-mpi: error: \(path)"), "\(outcome.transcript)")
  }

  @Test func withoutMpirunTooTheMessageComesOnce() throws {
    let directory = try TemporaryDirectory()
    let outcome = try Program.run(ranks: nil, [directory.path("absent.toml")])
    #expect(outcome.status == 66, "\(outcome.transcript)")
    #expect(outcome.errors.contains("absent.toml"))
  }
}
