import Datasets
import Settings

extension ValueKind where Value == String {
  static var className: ValueKind {
    ValueKind(expected: "the name of a class") {
      switch $0 {
      case .text(let text) where !text.isEmpty: text
      case .whole(let whole): "\(whole)"
      default: nil
      }
    } write: {
      .text($0)
    }
  }
}

extension ValueKind where Value == Character? {
  static var delimiter: ValueKind {
    ValueKind(
      expected: "\"auto\", \"tab\", \"space\" or one character"
    ) {
      guard case .text(let text) = $0 else { return nil }
      switch text {
      case "auto": return .some(.none)
      case "tab": return "\t"
      case "space": return " "
      default:
        guard let only = text.first, text.count == 1, only.isASCII, !only.isNewline, only != "\"" else {
          return nil
        }
        return only
      }
    } write: {
      switch $0 {
      case nil: .text("auto")
      case "\t": .text("tab")
      case " ": .text("space")
      case .some(let character): .text(String(character))
      }
    }
  }
}

extension ValueKind where Value == Source.LabelColumn {
  static var labelColumn: ValueKind {
    ValueKind(
      expected: "a column's number from 1, its name, or \"none\""
    ) {
      switch $0 {
      case .whole(let number) where number >= 1: .number(number)
      case .text("none"): Source.LabelColumn.none
      case .text(let name) where !name.isEmpty: .name(name)
      default: nil
      }
    } write: {
      switch $0 {
      case .none: .text("none")
      case .number(let number): .whole(number)
      case .name(let name): .text(name)
      }
    }
  }
}
