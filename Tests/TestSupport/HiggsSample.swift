import Foundation

/// The sample of HIGGS, where there is one: what `scripts/higgs-sample` makes, or files that lie in shared/ beside
/// the project.
public enum HiggsSample {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let files: [String] = {
    let places = [
      ["data/HIGGS-sample-train.csv", "data/HIGGS-sample-test.csv"],
      ["../shared/data/higgs/HIGGS-train.csv.gz", "../shared/data/higgs/HIGGS-test.csv.gz"],
    ]
    let found = places.map { $0.map { root.appendingPathComponent($0).standardized.path } }
    return found.first { $0.allSatisfy(FileManager.default.fileExists) } ?? []
  }()

  /// Whether there is one.
  public static var isAvailable: Bool { !files.isEmpty }
  /// The rows to train on; empty where there is none.
  public static var train: String { files.first ?? "" }
  /// The rows to test on; empty where there is none.
  public static var test: String { files.last ?? "" }
  /// Why a test is skipped, and what to do about it.
  public static let howToGet = "no rows of HIGGS: scripts/higgs-sample HIGGS.csv.gz"
}
