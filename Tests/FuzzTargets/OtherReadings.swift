import Basics
import Configuration
import Datasets
import Glibc
import MPI
import Models

extension FuzzTarget {
  /// Reads a model; what can be read can be written, and is the same when it is read again. Collective.
  func readModel(_ bytes: [UInt8], in scratch: Scratch, over ranks: borrowing Communicator) throws {
    let model = try Model(reading: try scratch.write("model.h5", bytes, over: ranks), over: ranks)
    defer { scratch.remove("again.h5", over: ranks) }
    do {
      try model.write(to: scratch.path("again.h5"), over: ranks)
      let again = try Model(reading: scratch.path("again.h5"), over: ranks)
      guard again.network == model.network, again.weightsSHA256 == model.weightsSHA256,
        again.standardization == model.standardization, again.meaning == model.meaning,
        again.featureNames == model.featureNames
      else { throw Finding("a model is another when it is written and read again") }
    } catch let failure as Failure {
      throw Finding("a model that was read can't be written and read again: \(failure.message)")
    }
  }

  /// Reads a configuration; the resolved text leads to the same. Collective.
  func readFile(_ bytes: [UInt8], in scratch: Scratch, over ranks: borrowing Communicator) throws {
    let path = try scratch.write("config.toml", bytes, over: ranks)
    let configuration = try Configuration.read(path, over: ranks)
    do {
      let resolved = configuration.resolved
      let again = try Configuration(text: resolved, file: path, currentDirectory: scratch.directory)
      guard again == configuration, again.resolved == resolved else {
        throw Finding("a resolved configuration is another when it is read:\n\(resolved)")
      }
    } catch let failure as Failure {
      throw Finding("a resolved configuration is refused: \(failure.message)")
    }
  }

  /// Takes each line as the argument of a `--set`. Local.
  func readOptions(_ bytes: [UInt8]) throws {
    // Arguments of a command have no zero bytes.
    let lines = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    _ = try Configuration(
      text: "[data]\ntrain = \"a.csv\"\n", file: "a.toml", currentDirectory: "/x", settings: lines)
  }

  /// Reads a number, and compares it with the C library's. Local.
  func readDecimal(_ bytes: [UInt8]) throws {
    let read = bytes.withUnsafeBufferPointer { bytes -> (Float, Int)? in
      guard let base = bytes.baseAddress else { return nil }
      var p = base
      return parseDecimal(&p, base + bytes.count).map { ($0, p - base) }
    }
    guard let (value, length) = read else {
      guard plainLength(bytes) == 0 else { throw Finding("\(bytes) begins with a number, and none was read") }
      throw Failure(.badData, "no number", isShared: true)
    }
    guard length == plainLength(bytes) else {
      throw Finding("a number of \(plainLength(bytes)) bytes, and \(length) were read: \(bytes)")
    }
    let text = String(decoding: bytes[..<length], as: UTF8.self)
    guard value.bitPattern == strtof(text, nil).bitPattern else {
      throw Finding("\(text) is \(strtof(text, nil)), and \(value) was read")
    }
  }

  /// The length of the number that bytes begin with, 0 for none: `[+-] digits [. digits] [e [+-] digits]`.
  private func plainLength(_ bytes: [UInt8]) -> Int {
    var rest = bytes[...]
    func takeSign() { if let sign = rest.first, sign == 43 || sign == 45 { rest.removeFirst() } }
    func takeDigits() -> Int {
      let count = rest.prefix { (48..<58).contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    takeSign()
    var digits = takeDigits()
    if rest.first == 46 {
      rest.removeFirst()
      digits += takeDigits()
    }
    guard digits > 0 else { return 0 }
    if let e = rest.first, e == 101 || e == 69 {
      rest.removeFirst()
      takeSign()
      guard takeDigits() > 0 else { return 0 }
    }
    return rest.startIndex
  }
}
