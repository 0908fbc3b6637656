import Datasets

extension FuzzTarget {
  /// In which ways a file of samples is read; empty for targets that are none.
  var readings: [DataReading] {
    switch self {
    case .csv: Self.texts
    case .gzip: Self.compressed
    case .idx: Self.images
    case .hdf5: Self.arrays
    case .model, .toml, .decimal: []
    }
  }

  private static let texts: [DataReading] = [
    DataReading(name: "a.csv"),
    DataReading(name: "a.csv", use: .statistics),
    DataReading(name: "a.csv", task: .regression, use: .statistics),
    DataReading(name: "a.csv", layout: CSVFormat(labelColumn: .none), task: .regression),
    DataReading(name: "a.csv", layout: CSVFormat(header: false, labelColumn: .number(2)), use: .conversion),
    DataReading(name: "a.csv", layout: CSVFormat(header: true, labelColumn: .name("y")), use: .conversion),
    DataReading(name: "a.csv", layout: CSVFormat(delimiter: ";"), selection: .positive("1")),
    DataReading(name: "a.csv", layout: CSVFormat(delimiter: "\t"), task: .regression, use: .conversion),
    DataReading(name: "a.csv", layout: CSVFormat(delimiter: " "), selection: .only(["0", "1"])),
    DataReading(name: "a.csv", use: .compression),
  ]

  private static let compressed: [DataReading] = [
    DataReading(name: "a.csv.gz"),
    DataReading(name: "a.csv.gz", use: .statistics),
    DataReading(
      name: "a-images-idx3-ubyte.gz", layout: CSVFormat(labelColumn: .none), task: .regression,
      use: .statistics),
  ]

  private static let arrays: [DataReading] = [
    DataReading(name: "a.h5"),
    DataReading(name: "a.h5", use: .statistics),
    DataReading(name: "a.h5", task: .regression, use: .conversion),
    DataReading(name: "a.h5", layout: CSVFormat(labelColumn: .none), task: .regression),
    DataReading(name: "a.h5", selection: .only(["0", "1"])),
  ]

  private static let images: [DataReading] = {
    let bare = CSVFormat(labelColumn: .none)
    let labels = DataReading.Companion(name: "a-labels-idx1-ubyte") { bytes in
      let count = samples(bytes)
      return [0, 0, 8, 1] + bigEndian(count) + (0..<count).map { UInt8($0 % 3) }
    }
    let samplesOfLabels = DataReading.Companion(
      name: "b-images-idx2-ubyte",
      bytes: { bytes in
        let count = samples(bytes)
        return [0, 0, 8, 2] + bigEndian(count) + bigEndian(2)
          + (0..<2 * count).map { UInt8(truncatingIfNeeded: $0) }
      }, isMain: true)
    return [
      DataReading(
        name: "a-images-idx3-ubyte", layout: bare, task: .regression, use: .compression),
      DataReading(name: "a-images-idx3-ubyte", companion: labels),
      DataReading(name: "a-images-idx3-ubyte", use: .statistics, companion: labels),
      DataReading(name: "b-labels-idx1-ubyte", use: .conversion, companion: samplesOfLabels),
      DataReading(name: "b-labels-idx1-ubyte", task: .regression, companion: samplesOfLabels),
    ]
  }()

  /// The samples that an IDX file announces, 4,096 at the most.
  private static func samples(_ bytes: [UInt8]) -> Int {
    guard bytes.count >= 8 else { return 1 }
    return min(bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }, 4_096)
  }

  private static func bigEndian(_ x: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: x >> $0) }
  }
}
