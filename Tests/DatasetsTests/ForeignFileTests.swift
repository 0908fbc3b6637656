import Basics
import Datasets
import Foundation
import MPI
import TestSupport
import Testing

@Suite(.serialized) struct ForeignFileTests {
  /// First bytes, what the file is called, and what the refusal calls it.
  private static let kinds: [(name: String, head: [UInt8], kind: String)] = [
    ("a.csv.bz2", Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 7], "a bzip2 file"),
    ("a.csv.xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], "an xz file"),
    ("a.csv.zst", [0x28, 0xB5, 0x2F, 0xFD, 4], "a Zstandard file"),
    ("a.csv.Z", [0x1F, 0x9D, 0x90], "a file of compress"),
    ("a.zip", Array("PK".utf8) + [3, 4, 20, 0], "a zip archive"),
    ("a.npz", Array("PK".utf8) + [3, 4, 20, 0], "a NumPy archive"),
    ("a.xlsx", Array("PK".utf8) + [3, 4, 20, 0], "a spreadsheet"),
    ("a.npy", [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0], "a NumPy array"),
    ("a.parquet", Array("PAR1".utf8) + [0x15, 4, 0x15], "a Parquet file"),
    ("a.feather", Array("ARROW1".utf8) + [0, 0, 255], "an Arrow or Feather file"),
    ("a.orc", Array("ORC".utf8) + [0x0A, 3], "an ORC file"),
    ("a.pkl", [0x80, 4, 0x95, 0], "a Python pickle"),
    ("a.mat", Array("MATLAB 5.0 MAT-file, Platform: GLNXA64".utf8), "a MATLAB file before version 7.3"),
    ("a.tar", [UInt8](repeating: 65, count: 257) + Array("ustar".utf8) + [0], "a tar archive"),
    ("a.nc", Array("CDF".utf8) + [1, 0, 0], "a netCDF file"),
    ("a.rds", [0x58, 0x0A, 0, 0, 0, 3], "R data"),
    ("a.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "a PNG image"),
    ("a.svm", Array("+1 1:0.5 3:-1e-3\n-1 2:1\n".utf8), "a file of libsvm's sparse format"),
    ("a.data", Array("2 qid:1 1:0.5 # comment\n".utf8), "a file of libsvm's sparse format"),
    ("a.json", Array("[{\"y\": 1, \"x\": 2}]".utf8), "JSON"),
    ("a.jsonl", Array("{\"y\": 1}\n{\"y\": 0}\n".utf8), "JSON"),
    ("a.arff", Array("@RELATION iris\n@DATA\n1,2\n".utf8), "an ARFF file"),
    ("b.csv", Array("<!DOCTYPE html>\n<html>".utf8), "a web page"),
    ("c.csv", Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "a pointer of Git LFS"),
  ]

  /// Each is named, plain and gzipped, whatever the file is called; with what can be read, and what to do.
  @Test func areNamed() throws {
    try TemporaryFiles.with { files, ranks in
      for (name, head, kind) in Self.kinds {
        for (name, bytes) in [(name, head), (name + ".gz", gzip(head)), ("plain-\(name)-", head)] {
          // Names tell apart archives of one format, and what begins like a text.
          if name.hasSuffix("-") && (head.starts(with: "PK".utf8) || head.starts(with: "ORC".utf8)) {
            continue
          }
          let path = try files.write(name, bytes, over: ranks)
          let failure = try #require(throws: Failure.self) { _ = try preview(Source(path), over: ranks) }
          #expect(failure.status == .badData && failure.isShared, "\(name)")
          #expect(failure.message.hasPrefix("\(path) is \(kind)"), "\(name): \(failure.message)")
          #expect(failure.message.contains("CSV, IDX and HDF5 can"), "\(name)")
        }
      }
    }
  }

  /// Tables that begin with the same letters.
  @Test func tablesAreNotMistaken() throws {
    let texts = [
      "PAR1,PAR2\n1,2\n0,3\n", "BZh9,b\n1,2\n0,3\n", "ORC,b\n1,2\n0,3\n", "CDF;b\n1;2\n0;3\n", "Obj,b\n1,2\n",
      "PK,b\n1,2\n0,3\n", "y x1 x2\n1 2 3\n", "1\t2\n0\t3\n", "RDX,b\n1,2\n", "GIF,b\n1,2\n",
    ]
    try TemporaryFiles.with { files, ranks in
      for (k, text) in texts.enumerated() {
        let path = try files.write("\(k).csv", text, over: ranks)
        #expect(throws: Never.self, "\(text)") { _ = try preview(Source(path), over: ranks) }
      }
    }
  }

  /// The conversions that the messages name work.
  @Test(.enabled(if: Python.isAvailable, "\(Python.howToInstall)")) func conversionsWork() throws {
    try TestWorld.with { ranks in
      guard ranks.size == 1 else { return }
      let directory = try TemporaryDirectory()
      let made: [String] = try Python.run(
        program: """
          import json, sys, os, numpy as np
          os.chdir(json.load(open(sys.argv[1])))
          x = np.float32([[0, 0.1, 1/3], [1, -7, 1e-30]])
          np.save("a.npy", x); np.savez("a.npz", x=x)
          json.dump(["a.npy", "a.npz"], open(sys.argv[2], "w"))
          """, input: directory.url.path)
      for name in made {
        let path = directory.path(name)
        let failure = try #require(throws: Failure.self) { _ = try preview(Source(path), over: ranks) }
        let command = try #require(failure.message.firstRange(of: "python3 -c \""))
        let program = failure.message[command.upperBound...].prefix { $0 != "\"" }
        let written: Bool = try Python.run(
          program: """
            import json, sys, os
            directory, program = json.load(open(sys.argv[1]))
            os.chdir(directory)
            exec(program)
            json.dump(True, open(sys.argv[2], "w"))
            """, input: [directory.url.path, String(program)])
        #expect(written)
        let csv = directory.path(name == "a.npy" ? "NEW.csv" : "x.csv")
        let dataset = try readDataset(Source(csv), task: .classification, over: ranks)
        let features = Array(dataset.features.elements)
        #expect(features == [0.1, 1 / 3, 1, -7, 1e-30, 1])
      }
    }
  }
}
