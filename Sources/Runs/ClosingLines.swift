import Basics
import Reports

extension RunSummary {
  /// The phases, the speed, where the results lie, and the status: the end of a run's output.
  func closingLines(_ directory: RunDirectory) -> [String] {
    [""] + phases.lines(hosts: launch.machine.hostOfRank) + [""]
      + (outcome.iterations > 0 ? [speedLine, phaseLine] : []) + [
        "memory: \(memory.text)",
        "results: \(directory.path) (\(RunDirectory.results.joined(separator: ", ")))",
        "status: \(outcome.status.rawValue) after \(counted(outcome.iterations, "iteration"))"
          + (outcome.exitStatus == .inputOutput ? ", results missing" : ""),
      ]
  }

  private var speedLine: String {
    let speed = "\(duration(secondsPerIteration)) an iteration, \(fixed(gflopsPerRank, 1)) GFLOP/s a rank"
    guard let peak = cost.sgemmGflopsPerRank else { return speed }
    return speed + ", \(percent(gflopsPerRank / peak, 0)) % of sgemm's \(fixed(peak, 1))"
  }

  /// "of which update 158 ms (221.3 GFLOP/s, 91 %), sum …".
  private var phaseLine: String {
    let parts = [Phase.update, .sum, .solve, .reduce].map { phase in
      let time = "\(phase.name) \(duration(phases[phase].mean / Double(outcome.iterations)))"
      guard let speed = gflopsPerRank(phase), speed.isFinite else { return time }
      let share = cost.sgemmGflopsPerRank.map { ", \(percent(speed / $0, 0)) %" } ?? ""
      return time + " (\(fixed(speed, 1)) GFLOP/s\(share))"
    }
    return "of which " + parts.joined(separator: ", ")
  }
}
