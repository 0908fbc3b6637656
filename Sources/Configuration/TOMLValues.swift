import Settings
import TOMLKit

extension SettingValue {
  init(_ value: TOMLValueConvertible) {
    self =
      switch value.type {
      case .string: .text(value.string ?? "")
      case .int: .whole(value.int ?? 0)
      case .double: .number(value.double ?? .nan)
      case .bool: .truth(value.bool ?? false)
      case .array: .list((value.array ?? TOMLArray()).map { SettingValue($0) })
      case .table: .table
      case .date, .time, .dateTime: .time
      }
  }

  /// The value of a `--set` option: TOML, or else a bare word that stands for a string.
  init(option text: String) {
    guard !text.contains("\n"), (try? keyLines("value = \(text)")) != nil,
      let table = try? TOMLTable(string: "value = \(text)"), table.count == 1,
      let value = table["value"]
    else {
      self = .text(text)
      return
    }
    self = SettingValue(value)
  }
}
