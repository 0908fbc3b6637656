import Basics

/// What a text's first lines say about its delimiter and its header, where the options say nothing. In doubt it
/// refuses: a wrong guess would be a wrong result without a word.
struct CSVGuess {
  /// In the order in which they are preferred.
  private static let delimiters = [",", ";", "\t", " "].compactMap { Character($0).asciiValue }

  let head: CSVHead

  // MARK: The delimiter

  /// The delimiter that makes most fields numbers.
  ///
  /// - Throws: a `Failure` where another does as well, or where numbers have decimal commas.
  func delimiter() throws -> UInt8 {
    let cuts = Self.delimiters.compactMap(head.cut).filter { $0.first.count > 1 }
    guard var best = cuts.first else { return Self.delimiters[0] }
    for cut in cuts where cut.shareOfNumbers > best.shareOfNumbers { best = cut }
    if let number = best.decimalComma { throw decimalCommas(number, best) }
    // Where nothing is a number, or there are no samples, a wrong cut misreads none.
    guard best.shareOfNumbers > 0, !best.others.isEmpty else { return best.delimiter }
    let share = best.shareOfNumbers
    let rival = cuts.first {
      $0.delimiter != best.delimiter && $0.shareOfNumbers == share && !$0.isSame(as: best)
    }
    if let rival {
      throw Failure(
        .badData,
        "\(head.path): the lines can be cut at the \(name(best)) into \(best.first.count) fields, or at the "
          + "\(name(rival)) into \(rival.first.count). Say which: delimiter in [data], or --delimiter.")
    }
    return best.delimiter
  }

  private func decimalCommas(_ number: String, _ cut: CSVCells) -> Failure {
    let comma = UInt8(ascii: ",")
    let choice =
      cut.delimiter == comma
      ? "If it is a text, set delimiter = \",\" in [data] (--delimiter ,)."
      : "Or, if its commas separate fields, set delimiter = \",\" in [data] (--delimiter ,)."
    return Failure(
      .badData,
      "\(head.path): cut at the \(name(cut)), the fields have decimal commas, such as \(shortened(number)). Only "
        + "decimal points are read: write points. \(choice)")
  }

  private func name(_ cut: CSVCells) -> String {
    switch cut.delimiter {
    case UInt8(ascii: ","): "comma"
    case UInt8(ascii: ";"): "semicolon"
    case UInt8(ascii: "\t"): "tab"
    default: "blank"
    }
  }

  // MARK: The header

  /// Whether line 1 names the columns: if it has words over numbers, and no numbers.
  ///
  /// - Throws: a `Failure` where it has both, or looks like the numbers of the columns.
  func hasHeader(_ cells: CSVCells) throws -> Bool {
    let first = cells.first.cells
    let body = cells.body.map(\.cells)
    let isQuoted = first.allSatisfy { $0.isQuoted || $0.text.isEmpty }
    if isQuoted && !body.isEmpty && !body.joined().contains(where: \.isQuoted) { return true }

    let words = first.indices.filter { first[$0].kind == .word }
    let numbers = first.indices.filter { first[$0].kind == .number || first[$0].kind == .decimalComma }
    let wordsOverNumbers = words.filter { isNumeric($0, body) }
    if numbers.isEmpty {
      return !wordsOverNumbers.isEmpty || (body.isEmpty ? !words.isEmpty : words.count > 1)
    }
    guard !wordsOverNumbers.isEmpty || areColumnNumbers(first, words, numbers, body) else { return false }
    let shown = first.prefix(5).map { shortened($0.text, to: 20) }.joined(separator: ", ")
    throw Failure(
      .badData,
      "\(head.path): line \(head.first.number) (\(shown)\(first.count > 5 ? ", …" : "")) may name the columns or be "
        + "the first sample. Say which: header = true or false in [data], or --header or --no-header.")
  }

  /// Whether a column holds numbers alone, and some.
  private func isNumeric(_ j: Int, _ body: [[CSVCells.Cell]]) -> Bool {
    let kinds = body.map { $0[j].kind }.filter { $0 != .missing }
    return !kinds.isEmpty && kinds.allSatisfy { $0 == .number }
  }

  /// Whether the numbers of line 1 follow each other, as column numbers and years do, and the lines below differ from
  /// it: in fractions, or in that its words come only once.
  private func areColumnNumbers(
    _ first: [CSVCells.Cell], _ words: [Int], _ numbers: [Int], _ body: [[CSVCells.Cell]]
  ) -> Bool {
    let values = numbers.compactMap { Int(first[$0].text) }
    guard values.count == numbers.count, numbers.count >= (words.isEmpty ? 3 : 2),
      zip(values, values.dropFirst()).allSatisfy({ $0 < Int.max && $0 + 1 == $1 })
    else { return false }
    if numbers.contains(where: { j in body.contains { $0[j].kind == .number && Int($0[j].text) == nil } }) {
      return true
    }
    return body.count >= 5 && !words.isEmpty
      && words.allSatisfy { j in !body.contains { $0[j].text == first[j].text } }
  }
}
