import Files

extension Configuration {
  /// Every key with its value in force, nil where it is unset; values are TOML and JSON at the same time.
  public var settings: [(section: String, name: String, value: String?)] {
    Self.keys.map { ($0.section, $0.name, $0.text(self)) }
  }

  /// The whole configuration in TOML, without comments. Reading it gives the same configuration.
  public var resolved: String { toml(isCommented: false) }

  /// The whole configuration in TOML, each key headed by its meaning: what `--print-config` prints.
  public var commented: String { toml(isCommented: true) }

  /// The fingerprint of the resolved configuration.
  public var sha256: String { sha256Hex(Array(resolved.utf8)) }

  private func toml(isCommented: Bool) -> String {
    var out = ""
    for section in Self.sections {
      out += (out.isEmpty ? "" : "\n") + "[\(section)]\n"
      for key in Self.keys where key.section == section {
        let value = key.text(self)
        if isCommented { out += "\n# \(key.meaning)\n# \(key.accepts)\n" }
        if let value {
          out += "\(key.name) = \(value)\n"
        } else if isCommented {
          out += "# \(key.name) = (not set)\n"
        }
      }
    }
    return out
  }
}

extension Configuration.Key {
  /// What the key accepts and what it is by default, as a sentence.
  fileprivate var accepts: String {
    let accepts = expected.prefix(1).uppercased() + expected.dropFirst()
    guard let standard = text(Configuration()) else { return "\(accepts). Not set by default." }
    let others = presets.map { ", or \($0.value) with preset \($0.name)" }
    return "\(accepts). Default: \(standard)\(others.joined())."
  }

  /// The key's row in docs/configuration.md: name, what it accepts, default, meaning.
  public var manualRow: String {
    let others = presets.map { "; \($0.name): `\($0.value)`" }
    let standard = text(Configuration()).map { "`\($0)`\(others.joined())" } ?? "not set"
    return "| `\(name)` | \(expected) | \(standard) | \(meaning) |"
  }

  /// The defaults under presets, where they are others.
  private var presets: [(name: String, value: String)] {
    Configuration.presets.compactMap { preset in
      guard let value = text(preset.defaults), value != text(Configuration()) else { return nil }
      return (preset.name, value)
    }
  }
}
