import Basics
import Datasets
import Files
import Foundation
import MPI
import TestSupport
import Testing

/// An IDX file: type code, dimensions, big-endian values.
private func idx(_ type: UInt8, _ dimensions: [Int], _ values: [UInt8]) -> [UInt8] {
  [0, 0, type, UInt8(dimensions.count)] + dimensions.flatMap { bigEndian(UInt64($0), 4) } + values
}

private func bigEndian(_ x: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).reversed().map { UInt8(truncatingIfNeeded: x >> (8 * UInt64($0))) }
}

@Suite(.serialized) struct IDXTests {
  private func pixels(_ samples: Int) -> [UInt8] { (0..<6 * samples).map { UInt8($0 * 37 % 251) } }
  private func label(_ n: Int) -> UInt8 { UInt8(n * n % 7 + 2) }

  private func expected(_ samples: Int) -> Expected {
    // Squares mod 7 are 0, 1, 2, 4.
    let names = ["2", "3", "4", "6"].filter { name in (0..<samples).contains { "\(label($0))" == name } }
    return Expected(
      features: (0..<samples).map { n in pixels(samples)[6 * n..<6 * n + 6].map(Float.init) },
      labels: .classes(
        codes: (0..<samples).map { n in Int32(names.firstIndex(of: "\(label(n))") ?? -1) }, names: names),
      names: (1...6).map { "x\($0)" })
  }

  @Test(arguments: [1, 2, 5, 300]) func imagesAndLabels(_ samples: Int) throws {
    try TemporaryFiles.with { files, ranks in
      let images = idx(8, [samples, 2, 3], pixels(samples))
      let labels = idx(8, [samples], (0..<samples).map(label))
      // Plain and gzipped in all four combinations; the labels' file is found by its name.
      for (name, packsImages, packsLabels) in [
        ("a", false, false), ("b", true, true), ("c", false, true), ("d", true, false),
      ] {
        let path = try files.write(
          "\(name)-images-idx3-ubyte" + (packsImages ? ".gz" : ""), packsImages ? gzip(images) : images,
          over: ranks)
        _ = try files.write(
          "\(name)-labels-idx1-ubyte" + (packsLabels ? ".gz" : ""), packsLabels ? gzip(labels) : labels,
          over: ranks)
        let dataset = try readDataset(Source(path), task: .classification, over: ranks)
        expected(samples).check(dataset, on: ranks)
        let shape = try preview(Source(path), over: ranks)
        #expect(shape.samples == samples && shape.features == 6 && shape.hasLabels && shape.format == "idx")
      }
    }
  }

  /// More numbers than a block holds.
  @Test func severalBlocksAndASelection() throws {
    try TemporaryFiles.with { files, ranks in
      let samples = 700
      let values = (0..<samples * 4000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
      let images = idx(8, [samples, 4000], values)
      let labels = try files.write("labels", idx(8, [samples], (0..<samples).map(label)), over: ranks)
      let kept = (0..<samples).filter { [2, 3].contains(label($0)) }
      let wanted = Expected(
        features: kept.map { n in values[4000 * n..<4000 * n + 4000].map(Float.init) },
        labels: .classes(codes: kept.map { label($0) == 2 ? 1 : 0 }, names: ["3", "2"]),
        names: (1...4000).map { "x\($0)" })
      for path in [
        try files.write("a.idx", images, over: ranks), try files.write("b.idx.gz", gzip(images), over: ranks),
      ] {
        let dataset = try readDataset(
          Source(path, IDXFormat(trainLabels: labels)), task: .classification,
          selection: .only(["3", "2"]), over: ranks)
        wanted.check(dataset, on: ranks)
      }
    }
  }

  @Test func allTypes() throws {
    try TemporaryFiles.with { files, ranks in
      let numbers = [-3, 0, 1, 100, -128, 127, 5, 6]
      let doubles = numbers.map { Double($0) / 4 }
      let cases: [(UInt8, [UInt8], [Float])] = [
        (0x09, numbers.map { UInt8(bitPattern: Int8($0)) }, numbers.map(Float.init)),
        (
          0x0B, numbers.flatMap { bigEndian(UInt64(bitPattern: Int64($0 * 200)), 2) },
          numbers.map { Float($0 * 200) }
        ),
        (
          0x0C, numbers.flatMap { bigEndian(UInt64(bitPattern: Int64($0 * 100_000)), 4) },
          numbers.map { Float($0 * 100_000) }
        ),
        (0x0D, doubles.flatMap { bigEndian(UInt64(Float($0).bitPattern), 4) }, doubles.map { Float($0) }),
        (0x0E, doubles.flatMap { bigEndian($0.bitPattern, 8) }, doubles.map { Float($0) }),
      ]
      for (type, bytes, values) in cases {
        let path = try files.write("a\(type).idx", idx(type, [4, 2], bytes), over: ranks)
        let targets = try files.write(
          "t\(type).idx",
          idx(0x0D, [4], (0..<4).flatMap { bigEndian(UInt64((Float($0) / 8).bitPattern), 4) }),
          over: ranks)
        let dataset = try readDataset(
          Source(path, IDXFormat(trainLabels: targets)), task: .regression, over: ranks)
        Expected(
          features: (0..<4).map { [values[2 * $0], values[2 * $0 + 1]] },
          labels: .targets((0..<4).map { Float($0) / 8 }), names: ["x1", "x2"]
        ).check(dataset, on: ranks)
        let bare = try readDataset(
          Source(path, CSVFormat(labelColumn: .none)), task: .regression, over: ranks)
        Expected(
          features: (0..<4).map { [values[2 * $0], values[2 * $0 + 1]] }, labels: .none, names: ["x1", "x2"]
        ).check(bare, on: ranks)
      }
    }
  }

  @Test func damagedFiles() throws {
    try TemporaryFiles.with { files, ranks in
      let images = idx(8, [50, 2, 3], pixels(50))
      let labels = idx(8, [50], (0..<50).map(label))
      let good = try files.write("labels", labels, over: ranks)
      func file(_ name: String, _ bytes: [UInt8], _ ranks: borrowing Communicator) throws -> String {
        try files.write(name, bytes, over: ranks)
      }
      func source(_ path: String, _ labels: String) -> Source {
        Source(path, IDXFormat(trainLabels: labels), format: IDXFormat.name)
      }
      let magic = try file("magic", [0, 0, 0x41, 3] + images.dropFirst(4), ranks)
      expectFailure(
        "\(magic) is not an IDX file: it begins with the bytes 00 00 41 03. Copy it again, or set the format.",
        reading: source(magic, good), over: ranks)
      let short = try file("short", images.dropLast(7), ranks)
      expectFailure(
        "\(short) is truncated: it has 309 bytes, and its header announces 316. Copy or download it again.",
        reading: source(short, good), over: ranks)
      let long = try file("long", images + [1], ranks)
      expectFailure(
        "\(long) has 1 bytes more than its header announces. Copy or download it again.",
        reading: source(long, good), over: ranks)
      let head = try file("head", Array(images.prefix(10)), ranks)
      expectFailure(
        "\(head) is truncated: it ends within its header. Copy or download it again.",
        reading: source(head, good), over: ranks)
      let whole = try file("whole", images, ranks)
      let fewer = try file("fewer", idx(8, [49], (0..<49).map(label)), ranks)
      expectFailure(
        "\(fewer) has 49 labels for the 50 samples of \(whole). Name the labels that belong to them.",
        reading: source(whole, fewer), over: ranks)
      let cut = try file("cut.gz", gzip(images).dropLast(20), ranks)
      expectFailure(
        "\(cut) ends in the middle of the compressed stream (after 319 bytes). Copy or download it again.",
        reading: source(cut, good), over: ranks)
      let packedShort = try file("short.gz", gzip(images.dropLast(7)), ranks)
      expectFailure(
        "\(packedShort) is truncated: it ends before its last sample. Copy or download it again.",
        reading: source(packedShort, good), over: ranks)
      let packedLong = try file("long.gz", gzip(images + [1]), ranks)
      expectFailure(
        "\(packedLong) has more bytes than its header announces. Copy or download it again.",
        reading: source(packedLong, good), over: ranks)
      expectFailure(
        "The labels of \(whole) can't be found by its name, which lacks \"images\". Set the labels' file.",
        .badConfiguration, reading: Source(whole, format: IDXFormat.name), over: ranks)
      let lonely = try file("lonely-images-idx3-ubyte", images, ranks)
      expectFailure(
        "\(files.directory)/lonely-labels-idx1-ubyte: there is no such file. Check the path.", .noInput,
        reading: Source(lonely), over: ranks)
      let one = try file("one", labels, ranks)
      expectFailure(
        "\(one) has one dimension: these are labels, or numbers, not samples of several features.",
        reading: source(one, good), over: ranks)
      let none = try file("none", idx(8, [0, 2, 3], []), ranks)
      expectFailure(
        "\(none) holds no samples: its dimensions are [0, 2, 3].", reading: source(none, good), over: ranks)
    }
  }

  /// Sizes in a header are not believed before there is data for them.
  @Test func headersThatLie() throws {
    try TemporaryFiles.with { files, ranks in
      let labels = try files.write("labels", idx(8, [1], [1]), over: ranks)
      let bare = CSVFormat(labelColumn: .none)
      func failure(
        _ name: String, _ bytes: [UInt8], _ format: any DataFormat, _ ranks: borrowing Communicator
      ) throws -> String {
        let path = try files.write(name, bytes, over: ranks)
        let failures = try [true, false].map { isPreview in
          try #require(throws: Failure.self) {
            if isPreview {
              _ = try preview(Source(path, format), over: ranks)
            } else {
              _ = try readDataset(Source(path, format), task: .classification, over: ranks)
            }
          }
        }
        #expect(failures.allSatisfy { $0.status == .badData && $0.isShared }, "\(name)")
        return failures[1].message
      }
      func check(
        _ name: String, _ bytes: [UInt8], _ phrase: String, _ ranks: borrowing Communicator
      ) throws {
        let message = try failure(name, bytes, bare, ranks)
        #expect(message.contains(phrase), "\(message)")
      }
      for shape in [[1 << 20, 1 << 10, 1 << 10], [1, 1 << 20, 16]] {
        let large = idx(8, shape, [1])
        try check("a.idx.gz", gzip(large), "can't hold so many", ranks)
        try check("a.idx", large, "is truncated", ranks)
      }
      let wide = idx(8, [1, 1 << 20, 1 << 20], [1])
      try check("c.idx.gz", gzip(wide), "values a sample", ranks)
      try check("c.idx", wide, "values a sample", ranks)
      let most = 0xFFFF_FFFF
      let hidden = idx(8, [0, most, most, most], [])
      try check("b.idx", hidden, "is damaged: its header announces", ranks)
      try check("b.idx.gz", gzip(hidden), "is damaged: its header announces", ranks)

      let images = try files.write("images", idx(8, [1, 1], [1]), over: ranks)
      let path = try files.write("many", hidden, over: ranks)
      let refused = try #require(throws: Failure.self) {
        _ = try preview(Source(images, IDXFormat(trainLabels: path), format: "idx"), over: ranks)
      }
      #expect(refused.status == .badData && refused.message.hasPrefix("\(path) is damaged"))
      // The same, but as labels of a file of images in its own right.
      _ = try preview(Source(images, IDXFormat(trainLabels: labels), format: "idx"), over: ranks)
      // 16 Mi values that are announced, and 64 KiB that are there.
      let short = idx(8, [1, 1 << 12, 1 << 12], [UInt8](repeating: 0, count: 1 << 16))
      try check("d.idx.gz", gzip(short), "is truncated: it ends within its first sample", ranks)
    }
  }

  @Test func notANumberAndAWrongLabel() throws {
    try TemporaryFiles.with { files, ranks in
      var values = (0..<200).map { Float($0) }
      values[2 * 77 + 1] = .nan
      values[2 * 90] = .infinity
      let bytes = idx(0x0D, [100, 2], values.flatMap { bigEndian(UInt64($0.bitPattern), 4) })
      let labels = try files.write(
        "labels", idx(8, [100], (0..<100).map { $0 == 80 ? 9 : $0 & 1 }), over: ranks)
      for path in [
        try files.write("a.idx", bytes, over: ranks), try files.write("a.idx.gz", gzip(bytes), over: ranks),
      ] {
        expectFailure(
          "\(path), sample 78, column 2: nan is not a finite number. Correct the file, or remove the sample.",
          reading: Source(path, IDXFormat(trainLabels: labels)), over: ranks)
        expectFailure(
          "\(labels), sample 81: the label \"9\" is none of the classes 0, 1. Correct the file, or the classes."
        ) {
          _ = try readDataset(
            Source(path, IDXFormat(trainLabels: labels)), task: .classification,
            classes: ["0", "1"], missing: .keepNaN,
            over: ranks)
        }
      }
    }
  }
}
