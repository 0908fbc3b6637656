import Basics
import Glibc

/// Looks at some lines of a text for columns that lose much in single precision: those that hold a byte whose place in
/// the text is a multiple of a step. Which they are does not depend on who reads them. Local.
struct CSVSample {
  private let layout: CSVLayout
  /// Bytes from a line to the next that is taken.
  private var step: Int
  /// Whether the text is of unknown length, and the step grows with it.
  private let isStream: Bool
  /// What the lines hold.
  private(set) var values: MergedValues

  /// - Parameter size: the length of the text; `nil` where it is not known.
  init(layout: CSVLayout, size: Int?) {
    self.layout = layout
    values = MergedValues(width: layout.columns)
    isStream = size == nil
    step = max((size ?? 0) / max(values.rowsWanted, 1), 1)
  }

  /// Looks at some of these whole lines, which begin at byte `offset` of the file.
  mutating func take(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) {
    guard values.rowsWanted > 0 else { return }
    let start = offset - layout.dataStart
    var place = start
    while true {
      place += (step - place % step) % step
      guard place < start + text.count else { return }
      let line = line(of: text, around: place - start)
      add(UnsafeBufferPointer(rebasing: text[line]))
      place = start + line.upperBound + 1
      if isStream && values.count >= 2 * values.rowsWanted {
        values.thin()
        step *= 2
      }
    }
  }

  /// The line that byte `index` belongs to, without its LF.
  private func line(of text: UnsafeBufferPointer<UInt8>, around index: Int) -> Range<Int> {
    var first = index
    while first > 0, text[first - 1] != 0x0A { first -= 1 }
    var last = index
    while last < text.count, text[last] != 0x0A { last += 1 }
    return first..<last
  }

  /// A line that is blank or wrong is passed over: the parser tells what is wrong with it.
  private mutating func add(_ line: UnsafeBufferPointer<UInt8>) {
    struct Wrong: Error {}
    var row: [(stored: Float, exact: UInt64)?] = []
    row.reserveCapacity(layout.columns)
    let delimiter = layout.delimiter
    let collapses = layout.collapses
    let end = line.lastIndex { !isBlank($0) || $0 == delimiter && !collapses }.map { $0 + 1 } ?? 0
    let count = try? CSVFields.forEach(
      in: UnsafeBufferPointer(rebasing: line[..<end]), delimiter: delimiter, failure: { _ in Wrong() }
    ) { field in
      guard var p = field.bytes.baseAddress, row.count < layout.columns else { throw Wrong() }
      let end = p + field.bytes.count
      let value = parseDecimal(&p, end)
      row.append(p == end ? value.map { (stored: $0, exact: fingerprint(field.bytes)) } : nil)
    }
    if count == layout.columns { values.add { row[$0] } }
  }
}

/// A fingerprint of a decimal number: the same for all ways to write one number, whatever its digits.
func fingerprint(_ number: UnsafeBufferPointer<UInt8>) -> UInt64 {
  var hash = FNV()
  var (digits, pending, last) = (0, 0, -1)
  var point: Int? = nil
  var i = 0
  while i < number.count, number[i] | 0x20 != UInt8(ascii: "e") {
    let digit = number[i] &- UInt8(ascii: "0")
    i += 1
    guard digit < 10 else {
      if number[i - 1] == UInt8(ascii: ".") { point = digits }
      continue
    }
    digits += 1
    if digit == 0 {
      if last >= 0 { pending += 1 }
    } else {
      for _ in 0..<pending { hash.add(0) }
      hash.add(UInt64(digit))
      (pending, last) = (0, digits - 1)
    }
  }
  if last < 0 { return 0 }
  var power = 0
  let exponent = number[min(i + 1, number.count)...]
  for byte in exponent where byte &- UInt8(ascii: "0") < 10 && power < 1_000_000_000 {
    power = 10 * power + Int(byte - UInt8(ascii: "0"))
  }
  if exponent.first == UInt8(ascii: "-") { power = -power }
  hash.add(UInt64(bitPattern: Int64((point ?? digits) - 1 - last + power)))
  hash.add(number.first == UInt8(ascii: "-") ? 1 : 0)
  return hash.value
}
