import Basics
import Datasets
import Foundation
import HDF5
import MPI
import Settings
import TestSupport
import Testing

@Suite(.serialized) struct FormatTests {
  /// A format is recognised by the name, then by the first bytes; what tells nothing is text.
  @Test func formatsAreRecognised() throws {
    let text = Array("0,1\n1,2\n".utf8)
    let idx: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 5, 6]
    try TemporaryFiles.with { files, ranks in
      if ranks.isRoot {
        let file = try HDF5File(creating: files.directory + "/whole")
        try file.write([Float](repeating: 1, count: 4), to: "features", shape: [2, 2])
        try file.close()
      }
      try ranks.barrier()
      let hdf5 = try [UInt8](Data(contentsOf: URL(filePath: files.directory + "/whole")))
      for (name, bytes, format) in [
        ("a.csv", text, "csv"), ("A.TSV", text, "csv"), ("a.b.data", text, "csv"), ("a", text, "csv"),
        ("a.csv.gz", gzip(text), "csv"), ("b.gz", gzip(text), "csv"), ("strange.ending", text, "csv"),
        ("c.idx", idx, "idx"), ("d.gz", gzip(idx), "idx"), ("train-images-idx2-ubyte", idx, "idx"),
        ("train-images-idx2.gz", gzip(idx), "idx"), ("e", idx, "idx"), ("f.bin", idx, "idx"),
        ("g.h5", hdf5, "hdf5"), ("h.HDF5", hdf5, "hdf5"), ("i", hdf5, "hdf5"),
      ] {
        let path = try files.write(name, bytes, over: ranks)
        let found = try preview(Source(path, CSVFormat(labelColumn: .none)), over: ranks)
        #expect(found.format == format, "\(name)")
      }
    }
  }

  /// What is told is believed, whatever the file is called.
  @Test func aFormatThatIsToldHolds() throws {
    try TemporaryFiles.with { files, ranks in
      let path = try files.write("a.h5", "0,1\n1,2\n", over: ranks)
      let told = Source(path, format: CSVFormat.name)
      #expect(try preview(told, over: ranks).format == "csv")
      let packed = try files.write("b.h5.gz", gzip("0,1\n1,2\n"), over: ranks)
      expectFailure(
        "\(packed): a gzipped HDF5 file can't be read in parts. Unpack it first.", reading: Source(packed),
        over: ranks)
    }
  }

  @Test func everyFormatHasItsNames() {
    let names = dataFormats.map { $0.name }
    let endings = dataFormats.flatMap { $0.endings }
    #expect(Set(names).count == names.count && !names.contains(SourceOptions.automatic))
    #expect(Set(endings).count == endings.count && endings.allSatisfy { $0 == $0.lowercased() })
    let keys = SourceOptions.keys.map(\.name)
    #expect(
      keys == [
        "format", "header", "delimiter", "label_column", "train_labels", "test_labels", "features_dataset",
        "labels_dataset",
      ])
  }

  /// Each key changes the options, which then differ, and writes what it has read.
  @Test func everyKeyReadsWhatItWrites() throws {
    for key in SourceOptions.keys {
      var options = SourceOptions()
      let standard = key.write(options)
      let other = try #require(
        [.truth(true), .text("tab"), .whole(7), .text("csv")].first {
          $0 != standard && key.read($0, &options)
        },
        "\(key.name) takes nothing")
      #expect(options != SourceOptions() && key.write(options) == other, "\(key.name)")
    }
  }
}
