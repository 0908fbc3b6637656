import Basics
import Datasets
import Foundation
import LinearAlgebra
import MPI
import TestSupport
import Testing

/// HDF5 files as other programs write them.
@Suite(.serialized, .enabled(if: Python.isAvailable, "\(Python.howToInstall)"))
struct ForeignHDF5Tests {
  /// Calls `body` with files that h5py has made, of 6 samples of 3 features: 0, 1, 2, …
  private func with(
    _ program: String, _ body: (TemporaryFiles, borrowing Communicator) throws -> Void
  ) throws {
    try TemporaryFiles.with { files, ranks in
      if ranks.isRoot {
        let made: Bool = try Python.run(
          program: """
            import h5py, json, os, sys, numpy as np
            os.chdir(json.load(open(sys.argv[1])))
            x = np.arange(18, dtype="f4").reshape(6, 3)
            y = np.arange(6) % 2
            def file(name, features=x, labels=y, **options):
              f = h5py.File(name, "w", **options)
              if features is not None: f["features"] = features
              if labels is not None: f["labels"] = labels
              return f
            \(program)
            json.dump(True, open(sys.argv[2], "w"))
            """, input: files.directory)
        #expect(made)
      }
      try ranks.barrier()
      try body(files, ranks)
    }
  }

  /// What is read of a file, checked as far as its features go.
  private func labels(
    _ name: String, in files: TemporaryFiles, task: LearningTask = .classification,
    over ranks: borrowing Communicator
  ) throws -> (codes: [Int32], names: [String]) {
    let dataset = try readDataset(Source(files.directory + "/" + name), task: task, over: ranks)
    let found = Array(dataset.features.elements)
    let right = dataset.range.flatMap { i -> [Float] in [Float(3 * i), Float(3 * i + 1), Float(3 * i + 2), 1]
    }
    #expect(found == right, "\(name)")
    switch dataset.labels {
    case .classes(let codes, let names): return (try ranks.gather(codes).flatMap { $0 }, names)
    case .targets(let targets): return (try ranks.gather(targets).flatMap { $0.map(Int32.init) }, [])
    case .none: return ([], [])
    }
  }

  @Test func whatIsRead() throws {
    try with(
      """
      file("bool.h5", labels=y.astype(bool)).close()
      kinds = h5py.enum_dtype({"dog": 5, "cat": -1}, basetype="i2")
      file("enum.h5", labels=np.array([5, -1, 5, -1, 5, -1], dtype=kinds)).close()
      file("block.h5", userblock_size=512).close()
      file("block.mat", userblock_size=2048).close()
      file("half.h5", features=x.astype(">f2"), labels=y.astype("u8")).close()
      f = file("packed.h5", features=None)
      f.create_dataset("features", data=x, chunks=(4, 2), compression="gzip", shuffle=True, fletcher32=True)
      f.close()
      f = file("links.h5", features=None)
      f["there/data"] = x
      f["features"] = h5py.SoftLink("/there/data")
      f.close()
      file("text.h5", labels=np.array(["a", "Grün"] * 3, dtype=h5py.string_dtype())).close()
      file("fixed.h5", labels=np.array([b"no", b"yes"] * 3)).close()
      file("latest.h5", libver="latest").close()
      """
    ) { files, ranks in
      let turns: [Int32] = [0, 1, 0, 1, 0, 1]
      for (name, names) in [
        ("bool.h5", ["0", "1"]), ("block.h5", ["0", "1"]), ("block.mat", ["0", "1"]),
        ("half.h5", ["0", "1"]),
        ("packed.h5", ["0", "1"]), ("links.h5", ["0", "1"]), ("fixed.h5", ["no", "yes"]),
        ("latest.h5", ["0", "1"]),
      ] {
        let found = try labels(name, in: files, over: ranks)
        #expect(found.codes == turns && found.names == names, "\(name)")
      }
      for (name, names) in [("enum.h5", ["cat", "dog"]), ("text.h5", ["Grün", "a"])] {
        let found = try labels(name, in: files, over: ranks)
        #expect(found.codes == turns.map { 1 - $0 } && found.names == names, "\(name)")
      }
      #expect(try labels("bool.h5", in: files, task: .regression, over: ranks).codes == turns)
    }
  }

  /// Somebody else has the file open, and has locked it. (Whether locks work at all is the file system's affair.)
  @Test func aLockHindersNobody() throws {
    try with(
      """
      file("text.h5", labels=np.array(["a", "b"] * 3, dtype=h5py.string_dtype())).close()
      """
    ) { files, ranks in
      let descriptor = open(files.directory + "/text.h5", O_RDWR)
      defer { close(descriptor) }
      if ranks.isRoot { #expect(flock(descriptor, LOCK_EX) == 0) }
      try ranks.barrier()
      #expect(try labels("text.h5", in: files, over: ranks).names == ["a", "b"])
      try ranks.barrier()
    }
  }

  /// All end with the status of bad data and one message that names the file.
  private func expectRefusals(
    _ cases: [(String, String)], in files: TemporaryFiles, over ranks: borrowing Communicator
  ) throws {
    for (name, phrase) in cases {
      let path = files.directory + "/" + name
      for isPreview in [true, false] {
        let failure = try #require(throws: Failure.self, "\(name)") {
          if isPreview {
            _ = try preview(Source(path), over: ranks)
            // Some show only as the samples are read.
          }
          _ = try readDataset(Source(path), task: .classification, over: ranks)
        }
        let isData = failure.status == .badData && failure.isShared && failure.message.hasPrefix(path)
        #expect(isData && failure.message.contains(phrase), "\(name): \(failure)")
      }
    }
  }

  @Test func whatLiesElsewhereOrCannotBeUnpacked() throws {
    try with(
      """
      f = file("lzf.h5", features=None)
      f.create_dataset("features", data=x, chunks=(4, 2), compression="lzf")
      f.close()
      file("source.h5").close()
      f = file("virtual.h5", features=None)
      layout = h5py.VirtualLayout(shape=x.shape, dtype="f4")
      layout[:] = h5py.VirtualSource("source.h5", "features", shape=x.shape)
      f.create_virtual_dataset("features", layout)
      f.close()
      open("raw", "wb").write(x.tobytes())
      f = file("external.h5", features=None)
      f.create_dataset("features", shape=x.shape, dtype="f4", external=[("raw", 0, 72)])
      f.close()
      f = file("link.h5", features=None)
      f["features"] = h5py.ExternalLink("source.h5", "features")
      f.close()
      f = file("group.h5", features=None)
      f["other"] = h5py.ExternalLink("source.h5", "/")
      f["features"] = h5py.SoftLink("/other/features")
      f.close()
      f = file("dangling.h5", features=None)
      f["features"] = h5py.SoftLink("/nothing")
      f.close()
      f = file("names.h5")
      f["feature_names"] = h5py.ExternalLink("source.h5", "features")
      f.close()
      """
    ) { files, ranks in
      try expectRefusals(
        [
          ("lzf.h5", "is compressed by 'lzf', which this HDF5 library can't undo"),
          ("virtual.h5", "lies in other files, which are not followed"),
          ("external.h5", "lies in other files, which are not followed"),
          ("link.h5", "'features' is a link to another file"),
          ("group.h5", "'features' is a link that leads to nothing in this file"),
          ("dangling.h5", "'features' is a link that leads to nothing in this file"),
          ("names.h5", "'feature_names' is a link to another file"),
        ], in: files, over: ranks)
    }
  }

  @Test func whatWasNeverWritten() throws {
    try with(
      """
      def empty(name, which, shape, written=None, **options):
        f = file(name, **{which: None})
        dataset = f.create_dataset(which, shape=shape, **options)
        if written is not None: dataset[:len(written)] = written
        f.close()
      empty("never.h5", "features", (6, 3), dtype="f4")
      empty("chunks.h5", "features", (6, 3), dtype="f4", chunks=(2, 3))
      empty("some.h5", "features", (6, 3), dtype="f4", chunks=(2, 3), written=x[:4])
      empty("packed.h5", "features", (6, 3), dtype="f4", chunks=(2, 3), compression="gzip", written=x[:4])
      empty("huge.h5", "features", (2**40, 2**40), dtype="f4", chunks=(64, 64))
      empty("long.h5", "features", (10**9, 28), dtype="f4", chunks=(64, 28), written=np.ones((64, 28)))
      empty("wide.h5", "features", (2, 2**36), dtype="f4", chunks=(1, 64))
      empty("none.h5", "features", (0, 2**40, 2**40), dtype="f4", chunks=(1, 64, 64), maxshape=(None, None, None))
      empty("labels.h5", "labels", (6, 2**40, 2**40), dtype="f4", chunks=(1, 64, 64))
      f = file("names.h5")
      f.create_dataset("feature_names", shape=(2**40,), dtype=h5py.string_dtype(), chunks=(64,))
      f.close()
      f = file("null.h5", features=None)
      f["features"] = h5py.Empty("f4")
      f.close()
      """
    ) { files, ranks in
      let never = "but nothing was ever written to it"
      try expectRefusals(
        [
          ("never.h5", "dataset 'features' has the shape [6, 3], \(never)"), ("chunks.h5", never),
          ("some.h5", "is not complete: of 3 chunks 2 were written"),
          ("packed.h5", "is not complete: of 3 chunks 2 were written"),
          ("huge.h5", "is damaged: its shape is"),
          ("long.h5", "is not complete: of 15625000 chunks 1 were written"), ("wide.h5", never),
          ("none.h5", "is damaged: its shape is"), ("labels.h5", "is damaged: its shape is"),
          ("names.h5", never),
          ("null.h5", never),
        ], in: files, over: ranks)
    }
  }

  @Test func whatIsNoNumberOrText() throws {
    try with(
      """
      file("latin.h5", labels=np.array([b"\\xc4l", b"\\xd6l"] * 3)).close()
      file("zero.h5", labels=np.array([b"1\\0a", b"1\\0b"] * 3)).close()
      f = file("variable.h5", labels=None)
      latin = f.create_dataset("labels", shape=(6,), dtype=h5py.string_dtype("ascii"))
      latin[:] = [b"\\xc4l", b"\\xd6l"] * 3
      f.close()
      file("records.h5", features=np.zeros(6, dtype=[("a", "f4")])).close()
      file("arrays.h5", labels=np.zeros((6, 1), dtype=[("a", "f4")])).close()
      file("transposed.h5", features=x.T.copy()).close()
      if os.fork() == 0:
        f = file("open.h5", libver="latest")
        f.swmr_mode = True
        f.flush()
        os._exit(0)
      os.wait()
      """
    ) { files, ranks in
      try expectRefusals(
        [
          ("latin.h5", "dataset 'labels', entry 1: its bytes are not text in UTF-8"),
          ("zero.h5", "dataset 'labels', entry 1: its bytes are not text in UTF-8"),
          ("variable.h5", "dataset 'labels', entry 1: its bytes are not text in UTF-8"),
          ("records.h5", "has the shape [6]"), ("arrays.h5", "dataset 'labels' holds records"),
          ("transposed.h5", "Is 'features' transposed?"), ("open.h5", "is marked as being written"),
        ], in: files, over: ranks)
    }
  }
}
