import Basics
import Configuration
import Networks
import Sums

/// What a checkpoint is of: a run goes on from it only where all of this is its own.
package struct RunIdentity: Equatable {
  /// d_0 … d_L.
  var widths: [Int]
  var data: DataFingerprint
  /// The resolved configuration, in TOML.
  var configuration: String

  package init(_ network: Network, _ data: DataFingerprint, _ configuration: Configuration) {
    widths = network.widths
    self.data = data
    self.configuration = configuration.resolved
  }

  /// Makes sure that `other`, a checkpoint's, is of the same run.
  ///
  /// - Throws: a shared `Failure` of status `badConfiguration` that says what differs.
  package func check(_ other: RunIdentity, method: String, path: String) throws {
    let (own, theirs) = (Self.values(configuration), Self.values(other.configuration))
    func differing(_ isMeant: (String) -> Bool) -> [String] {
      own.keys.filter { isMeant($0) && theirs[$0] != nil && theirs[$0] != own[$0] }.sorted()
        .map { "\($0) is \(own[$0] ?? ""), it was \(theirs[$0] ?? "")" }
    }
    let settings = differing { Self.decides($0, method: method) }
    guard settings.isEmpty else { throw refusal(path, settings.joined(separator: "; ")) }
    guard widths == other.widths else {
      throw refusal(path, "the network has the widths \(widths), it had \(other.widths)")
    }
    for (part, (own, theirs)) in zip(DataPart.allCases, zip(data.sets, other.data.sets)) where own != theirs {
      let keys = differing { $0.hasPrefix("data.") }
      throw refusal(
        path,
        "the \(part.rawValue) set holds other samples"
          + (keys.isEmpty ? "" : ": " + keys.joined(separator: "; ")))
    }
  }

  private func refusal(_ path: String, _ fault: String) -> Failure {
    Failure(
      .badConfiguration,
      "the run can't go on from \(path): \(fault). Set it as it was, or choose another output.directory.",
      isShared: true)
  }

  /// Whether the key decides what training does. Data decide by what they hold.
  private static func decides(_ key: String, method: String) -> Bool {
    let free = ["training.iterations", "training.threads_per_rank", "taylor.activations"]
    return ["network.", "training.", "\(method)."].contains { key.hasPrefix($0) } && !free.contains(key)
  }

  /// The values of a resolved configuration by `section.key`.
  private static func values(_ text: String) -> [String: String] {
    var (section, values) = ("", [String: String]())
    for line in text.split(separator: "\n") {
      if line.hasPrefix("[") {
        section = String(line.dropFirst().dropLast())
      } else if let end = line.firstIndex(of: " ") {
        // "key = value"
        values["\(section).\(line[..<end])"] = String(line[end...].dropFirst(3))
      }
    }
    return values
  }
}

extension RunIdentity {
  /// All of it. Collective.
  mutating func archive(_ state: any StateArchive) throws {
    try state.within("identity") {
      try state.list("widths", &widths, count: nil)
      try state.list("data", &data.sets, count: nil)
      try state("configuration", &configuration)
    }
  }
}
