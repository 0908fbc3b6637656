import Configuration
import Datasets

extension DataSection {
  /// The files that a run reads, which none of its results may replace.
  package var inputPaths: [String] { [trainSource, testSource].compactMap { $0 }.flatMap(\.inputPaths) }
}
