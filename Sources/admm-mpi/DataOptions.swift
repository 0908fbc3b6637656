import ArgumentParser
import Basics
import Configuration
import Datasets
import MPI
import Runs

/// How to read a data set: the keys of [data] as options.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "\(dataFormats.map { $0.name }.joined(separator: ", ")), or auto, which goes by the file.",
      valueName: "format"))
  var format: String?

  @Flag(inversion: .prefixedNo, help: "CSV: whether line 1 names the columns. Found out by default.")
  var header: Bool?

  @Option(help: ArgumentHelp("CSV: one character, tab, space, or auto.", valueName: "character"))
  var delimiter: String?

  // Unconditional, so that it may be -1.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "CSV: the label's column: its number from 1, or from the end as -1, its name, last or none.",
      valueName: "column"))
  var labelColumn: String?

  @Option(help: ArgumentHelp("IDX: the file with the labels.", valueName: "file"), completion: .file())
  var labels: String?

  @Option(help: ArgumentHelp("HDF5: the dataset of the features.", valueName: "name"))
  var featuresDataset: String?

  @Option(help: ArgumentHelp("HDF5: the dataset of the labels.", valueName: "name"))
  var labelsDataset: String?

  @Option(help: ArgumentHelp("Take only samples of these classes, as in 0,2.", valueName: "names"))
  var classes: String?

  @Option(help: ArgumentHelp("Make two classes: this one, and all others.", valueName: "name"))
  var positiveClass: String?

  @Option(help: ArgumentHelp("classification or regression.", valueName: "task"))
  var task: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Set any key of [data], as in data.header=true. May be repeated.", valueName: "data.key=value"))
  var others: [String] = []

  func validate() throws {
    for other in others where !other.hasPrefix("data.") || !other.contains("=") {
      throw ValidationError("--set \(other): expected data.key=value, such as --set data.header=true.")
    }
  }

  /// The options given, as settings of [data].
  var settings: [DataSetting] {
    let list = classes.map {
      "[\($0.split(separator: ",").map { quoted(String($0)) }.joined(separator: ", "))]"
    }
    let all: [(String, String, String?)] = [
      ("format", "--format", format.map(quoted)),
      ("header", header == false ? "--no-header" : "--header", header.map { "\($0)" }),
      ("delimiter", "--delimiter", delimiter.map(quoted)),
      ("label_column", "--label-column", labelColumn),
      ("train_labels", "--labels", labels.map(quoted)),
      ("features_dataset", "--features-dataset", featuresDataset.map(quoted)),
      ("labels_dataset", "--labels-dataset", labelsDataset.map(quoted)),
      ("classes", "--classes", list),
      ("positive_class", "--positive-class", positiveClass.map(quoted)),
      ("task", "--task", task.map(quoted)),
    ]
    let named = all.compactMap { key, option, value in
      value.map { DataSetting(key: key, option: option, value: $0) }
    }
    return named
      + others.map { other in
        let sides = other.dropFirst("data.".count).split(
          separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return DataSetting(key: String(sides[0]), option: "--set \(other)", value: String(sides[1]))
      }
  }
}
