import Foundation
import TestSupport

/// Made-up samples of whole numbers, exact in every format: 0...255 as in an image, with a class that a network can
/// learn.
struct Samples {
  let features: [[Int]]
  let labels: [Int]

  /// `count` samples of `width` features in `classes` classes, each more than once where there are enough samples.
  init(_ count: Int, width: Int = 9, classes: Int = 2, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var features: [[Int]] = []
    var labels: [Int] = []
    for index in 0..<count {
      let label = index % classes
      // A class has its own bright place; noise hides it now and then.
      features.append(
        (0..<width).map { column in
          let light = column % classes == label ? 60 : 0
          return light + Int.random(in: 0..<190, using: &random)
        })
      labels.append(label)
    }
    self.features = features
    self.labels = labels
  }

  /// A line a sample, the label first, no header.
  var csv: String { lines.map { $0 + "\n" }.joined() }

  /// The lines of `csv`.
  var lines: [String] {
    zip(labels, features).map { label, row in ([label] + row).map(String.init).joined(separator: ",") }
  }

  /// The IDX file of the features: unsigned bytes, N × height × width as the images of MNIST.
  func idxImages(height: Int) -> Data {
    let width = (features.first?.count ?? 0) / height
    var bytes = Data([0, 0, 8, 3])
    for extent in [features.count, height, width] { bytes.append(bigEndian: extent) }
    for row in features { bytes.append(contentsOf: row.map { UInt8($0) }) }
    return bytes
  }

  /// The IDX file of the labels: N unsigned bytes.
  var idxLabels: Data {
    var bytes = Data([0, 0, 8, 1])
    bytes.append(bigEndian: labels.count)
    bytes.append(contentsOf: labels.map { UInt8($0) })
    return bytes
  }
}

extension Data {
  fileprivate mutating func append(bigEndian value: Int) {
    for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
