import Basics

/// A value as a TOML file has it.
public enum SettingValue: Sendable, Equatable {
  case text(String)
  case whole(Int)
  case number(Double)
  case truth(Bool)
  case list([SettingValue])
  case table
  case time

  /// The value in TOML; what can stand in a key's value is JSON as well.
  package var toml: String {
    switch self {
    case .text(let text): quoted(text)
    case .whole(let whole): "\(whole)"
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    case .list(let list): "[\(list.map(\.toml).joined(separator: ", "))]"
    case .table: "{…}"
    case .time: "a date or time"
    }
  }
}
