import Networks

/// Two settings that are right one by one and don't go together: the key to change, and why.
struct Conflict {
  let section: String
  let key: String
  /// Follows the key's name and section.
  private let reason: String

  init(_ section: String, _ key: String, _ reason: String) {
    self.section = section
    self.key = key
    self.reason = reason
  }

  /// In words for the user.
  var message: String { "\(key) in [\(section)] \(reason)" }
}

extension Configuration {
  /// All settings that don't go together.
  var conflicts: [Conflict] {
    data.conflicts + network.conflicts + methodConflicts + baselineConflicts + regressionConflicts
      + targetConflicts
  }

  private var methodConflicts: [Conflict] {
    methods.all.flatMap { settings in
      settings.mistakes(hidden: network.hidden).map { Conflict(type(of: settings).name, $0.key, $0.message) }
    }
  }

  private var baselineConflicts: [Conflict] {
    Set(baselines.methods).count < baselines.methods.count
      ? [Conflict("baselines", "methods", "names a method twice.")] : []
  }

  private var regressionConflicts: [Conflict] {
    guard data.task == .regression else { return [] }
    var found: [Conflict] = []
    if let loss = network.loss, !loss.isForRegression {
      found.append(
        Conflict(
          "network", "loss",
          "is \"\(loss)\", which is for classes. With task = \"regression\" use \"auto\", or \(Loss.forRegression)."
        ))
    }
    if stop.targetAccuracy != nil {
      found.append(Conflict("stop", "target_accuracy", "can't be set with task = \"regression\"."))
    }
    return found
  }

  private var targetConflicts: [Conflict] {
    guard stop.targetAccuracy != nil && data.test == nil && data.syntheticTest == 0 else { return [] }
    return [
      Conflict(
        "stop", "target_accuracy",
        "needs a test set. Set test in [data], or synthetic_test beside synthetic.")
    ]
  }
}
