import Settings

/// How files of data are to be read: a format, and the options of every format there is, for it may be found out by
/// the file.
public struct SourceOptions: Sendable, Equatable {
  /// The format that goes by the file: by its name, and by its first bytes where the name does not tell.
  public static let automatic = "auto"

  /// The name of the files' format.
  public var format = automatic
  /// One value of each type of `dataFormats`, in its order.
  private var formats: [any DataFormat] = dataFormats.map { $0.init() }

  public init() {}

  /// - Parameter given: the options of some formats; the others' are the defaults.
  init(_ given: [any DataFormat], format: String) {
    self.format = format
    for format in given { take(format) }
  }

  /// The options of one format.
  package subscript<Format: DataFormat>(_ type: Format.Type) -> Format {
    get {
      guard let format = formats[place(of: type)] as? Format else {
        preconditionFailure("the options of \(type.name) are of another type")
      }
      return format
    }
    set { formats[place(of: type)] = newValue }
  }

  /// Whether labels are read at all: the label column "none" holds for every format.
  package var hasLabels: Bool { self[CSVFormat.self].labelColumn != .none }

  /// The format of a file. Local; the same on every rank.
  ///
  /// - Precondition: `format` is the name of one, or automatic.
  func format(of file: FileHead) -> any DataFormat {
    guard format == Self.automatic else {
      guard let named = formats.first(where: { type(of: $0).name == format }) else {
        preconditionFailure("there is no format \(format)")
      }
      return named
    }
    let name = file.nameWithoutGzip
    return formats.first { type(of: $0).endings.contains(where: name.hasSuffix) }
      ?? formats.first { type(of: $0).isLikely(file.bytes) }
      ?? self[CSVFormat.self]
  }

  private mutating func take<Format: DataFormat>(_ format: Format) { self[Format.self] = format }

  private func place(of type: any DataFormat.Type) -> Int {
    guard let place = dataFormats.firstIndex(where: { $0 == type }) else {
      preconditionFailure("\(type.name) is not in dataFormats")
    }
    return place
  }

  public static func == (a: SourceOptions, b: SourceOptions) -> Bool {
    a.format == b.format && a.formats.indices.allSatisfy { areEqual(a.formats[$0], b.formats[$0]) }
  }

  private static func areEqual<Format: DataFormat>(_ a: Format, _ b: any DataFormat) -> Bool {
    a == b as? Format
  }
}

// MARK: Keys

extension SourceOptions {
  /// The keys of [data] that say how files are read.
  public static let keys: [SettingKey<SourceOptions>] =
    [
      SettingKey(
        "format", .word(of: [automatic] + dataFormats.map { $0.name }), \.format,
        "The files' format; \"auto\" goes by a file's name, and where that does not tell by its first bytes.")
    ] + dataFormats.flatMap { keys(of: $0) }

  private static func keys<Format: DataFormat>(of type: Format.Type) -> [SettingKey<SourceOptions>] {
    type.keys.map { key in
      key.of {
        $0[Format.self]
      } _: {
        $1(&$0[Format.self])
      }
    }
  }
}
