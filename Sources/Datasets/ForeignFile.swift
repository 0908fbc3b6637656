import Basics

/// A file of a well-known kind that this program doesn't read, recognised by its first bytes, and what makes of it
/// one that it does.
struct ForeignFile {
  /// What it is: "a Parquet file".
  let kind: String
  /// What to do, in a sentence or a command.
  let advice: String

  /// - Parameters:
  ///   - head: the file's first bytes, inflated.
  ///   - name: the last component of its path, in lower case and without ".gz".
  init?(_ head: [UInt8], name: String) {
    let found =
      Self.binary(head, name) ?? Self.signatures.first { $0.matches(head) }.map { ($0.kind, $0.advice) }
      ?? Self.text(head)
    guard let found else { return nil }
    (kind, advice) = found
  }

  /// The refusal of a file of this kind.
  func refusal(_ path: String) -> Failure {
    let advice = advice.replacing("FILE", with: path)
    return Failure(
      .badData,
      "\(path) is \(kind), which can't be read: CSV, IDX and HDF5 can, the first two gzipped too. \(advice)")
  }

  // MARK: By a signature

  private struct Signature {
    let bytes: [UInt8]
    let offset: Int
    let kind: String
    let advice: String

    init(_ bytes: [UInt8], at offset: Int = 0, _ kind: String, _ advice: String) {
      self.bytes = bytes
      self.offset = offset
      self.kind = kind
      self.advice = advice
    }

    init(_ text: String, at offset: Int = 0, _ kind: String, _ advice: String) {
      self.init(Array(text.utf8), at: offset, kind, advice)
    }

    func matches(_ head: [UInt8]) -> Bool {
      head.count >= offset + bytes.count && head[offset...].starts(with: bytes)
    }
  }

  private static let asCSV = "Write its table as CSV with the program that made it."
  private static let unpacked = "Unpack it first, and name a file from it."

  /// Signatures that no text begins with, as letters alone would.
  private static let signatures: [Signature] = [
    Signature([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "an xz file", "Unpack it: xz -dk 'FILE'."),
    Signature([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard file", "Unpack it: zstd -d 'FILE'."),
    Signature([0x04, 0x22, 0x4D, 0x18], "an LZ4 file", "Unpack it: lz4 -dk 'FILE'."),
    Signature([0x1F, 0x9D], "a file of compress", "Unpack it: gzip -dk 'FILE'."),
    Signature([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive", unpacked),
    Signature([0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], "a RAR archive", unpacked),
    Signature("ustar", at: 257, "a tar archive", "Unpack it, tar -xf 'FILE', and name a file from it."),
    Signature(
      [0x93] + Array("NUMPY".utf8), "a NumPy array",
      "Write it as CSV: python3 -c \"import numpy as n; n.savetxt('NEW.csv', n.load('FILE'), '%.9g', ',')\"."),
    Signature(Array("ARROW1".utf8) + [0, 0], "an Arrow or Feather file", pandas("feather")),
    Signature("MATLAB 5.0 MAT-file", "a MATLAB file before version 7.3", "In MATLAB: save with '-v7.3'."),
    Signature([0x0E, 0x03, 0x13, 0x01], "an HDF4 file", "Convert it: h4toh5 'FILE' NEW.h5."),
    Signature(Array("SQLite format 3".utf8) + [0], "an SQLite database", asCSV),
    Signature([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "an Excel workbook", asCSV),
    Signature("<stata_dta>", "a Stata file", pandas("stata")),
    Signature("$FL2@(#)", "an SPSS file", pandas("spss")),
    Signature("RDX2\n", "R data", "In R: write.csv(x, 'NEW.csv', row.names = FALSE)."),
    Signature("RDX3\n", "R data", "In R: write.csv(x, 'NEW.csv', row.names = FALSE)."),
    Signature([0x58, 0x0A, 0, 0, 0], "R data", "In R: write.csv(x, 'NEW.csv', row.names = FALSE)."),
    Signature([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A], "a PNG image", asImages),
    Signature([0xFF, 0xD8, 0xFF], "a JPEG image", asImages),
    Signature([0x49, 0x49, 0x2A, 0], "a TIFF image", asImages),
    Signature([0x4D, 0x4D, 0, 0x2A], "a TIFF image", asImages),
    Signature("GIF89a", "a GIF image", asImages),
    Signature("%PDF-", "a PDF document", asCSV),
    Signature([0x7F, 0x45, 0x4C, 0x46], "a program", "Name a file of data."),
    Signature("SIMPLE  =", "a FITS file", asCSV),
  ]

  private static let asImages =
    "Put the values of all images, one a row, into an HDF5 dataset 'features', with h5py for instance."

  private static func pandas(_ format: String) -> String {
    "Write it as CSV: python3 -c \"import pandas as p; p.read_\(format)('FILE').to_csv('NEW.csv', index=False)\"."
  }

  // MARK: By more than a signature

  /// Kinds whose first bytes are letters, or have variants.
  private static func binary(_ head: [UInt8], _ name: String) -> (String, String)? {
    /// Whether these letters begin a binary file: the next byte is none of a text.
    func begins(_ text: String) -> Bool {
      let count = text.utf8.count
      return head.starts(with: text.utf8) && head.count > count
        && (head[count] < 9 || (14..<32).contains(head[count]))
    }
    if head.starts(with: [0x50, 0x4B]), head.count > 3, [[3, 4], [5, 6]].contains(Array(head[2..<4])) {
      if name.hasSuffix(".npz") {
        return (
          "a NumPy archive",
          "Write its arrays as CSV: python3 -c \"import numpy as n; "
            + "[n.savetxt(k + '.csv', v.reshape(len(v), -1), '%.9g', ',') for k, v in n.load('FILE').items()]\"."
        )
      }
      if name.hasSuffix(".xlsx") || name.hasSuffix(".ods") { return ("a spreadsheet", asCSV) }
      return ("a zip archive", "Unpack it, unzip 'FILE', and name a file from it.")
    }
    if head.count >= 10, head.starts(with: "BZh".utf8),
      [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]].contains(
        Array(head[4..<10]))
    {
      return ("a bzip2 file", "Unpack it: bunzip2 -k 'FILE'.")
    }
    if begins("PAR1") { return ("a Parquet file", pandas("parquet")) }
    if begins("ORC") || head.starts(with: "ORC".utf8) && name.hasSuffix(".orc") {
      return ("an ORC file", pandas("orc"))
    }
    if begins("Obj") { return ("an Avro file", asCSV) }
    if begins("CDF") {
      return ("a netCDF file of a version before 4", "Convert it: nccopy -k nc4 'FILE' NEW.h5.")
    }
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) {
      return ("a Python pickle", "Write its table as CSV with the program that made it.")
    }
    return nil
  }

  /// Kinds of text that are no tables with a delimiter.
  private static func text(_ head: [UInt8]) -> (String, String)? {
    let start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
    let trimmed = start.drop { $0 == 32 || (9...13).contains($0) }
    let beginning = String(decoding: trimmed.prefix(200), as: UTF8.self).lowercased()
    if beginning.hasPrefix("version https://git-lfs.github.com/spec/") {
      return ("a pointer of Git LFS, not the data", "Fetch the data: git lfs pull.")
    }
    if beginning.hasPrefix("<!doctype html") || beginning.hasPrefix("<html") {
      return (
        "a web page", "A download that failed often ends like this: open it in a browser, download it again."
      )
    }
    if beginning.hasPrefix("<?xml") { return ("an XML document", asCSV) }
    if beginning.hasPrefix("@relation") {
      return ("an ARFF file", "Write it as CSV: remove the lines that begin with @ or %.")
    }
    let json = trimmed.prefix(64).filter { $0 != 32 && !(9...13).contains($0) }
    if json.starts(with: Array("{\"".utf8)) || ["[{\"", "[["].contains(where: { json.starts(with: $0.utf8) })
    {
      return ("JSON", "Write it as CSV: \(pandas("json").dropFirst("Write it as CSV: ".count))")
    }
    return isSparse(trimmed)
      ? (
        "a file of libsvm's sparse format",
        "Write it as CSV: python3 -c \"import numpy as n, sklearn.datasets as d; x, y = d.load_svmlight_file('FILE'); "
          + "n.savetxt('NEW.csv', n.c_[y, x.toarray()], '%.9g', ',')\"."
      ) : nil
  }

  /// Whether the first line is a label and pairs "index:value", as libsvm, SVMlight and XGBoost have them.
  private static func isSparse(_ text: ArraySlice<UInt8>) -> Bool {
    let line = text.prefix { $0 != 10 && $0 != 13 && $0 != UInt8(ascii: "#") }.prefix(1 << 16)
    let fields = line.split { $0 == 32 || $0 == 9 }
    guard fields.count >= 2, !fields[0].contains(UInt8(ascii: ":")) else { return false }
    let pairs = fields.dropFirst().prefix(20).dropLast(line.count == 1 << 16 ? 1 : 0)
    return pairs.allSatisfy { pair in
      let parts = pair.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[1].isEmpty else { return false }
      let isIndex = !parts[0].isEmpty && parts[0].allSatisfy { (48...57).contains($0) }
      return isIndex && parts[1].allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
        || parts[0] == Array("qid".utf8)[...]
    }
  }
}
