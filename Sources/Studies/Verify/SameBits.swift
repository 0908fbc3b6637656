import Basics
import Configuration
import MPI
import Networks
import Reports

/// How the same training may be shared out.
package enum Sharing: String, Sendable, CaseIterable {
  case alone = "on this rank alone"
  case ranks = "on all ranks"
  case threads = "on all ranks with two threads each"
}

extension Check {
  /// A small training by each method comes to the same bits on all ranks, with more threads, and on each rank alone.
  ///
  /// - Parameter weights: is given the SHA-256 of what a training on this rank came to.
  package static func sameBits(
    _ weights: @escaping @Sendable (_ rank: Int, _ sharing: Sharing, _ digest: String) -> String = { $2 }
  ) -> [Check] {
    Configuration.methods.map { method in
      let advice =
        "Results would depend on the number of ranks. If hosts differ in \"hosts\" or \"products\", mend that; else "
        + "report it, with the output of admm-mpi --version."
      return Check(name: "same bits, \(method.name)", advice: advice) { site, ranks in
        let training = SmallTraining(isQuick: site.isQuick)
        let alone = try Communicator.alone()
        var alike: [String] = []
        var lone = ""
        let fault = faultOf { lone = try training.weights(method.init(), over: alone) }
        alike.append(weights(ranks.rank, .alone, lone))
        alike.append(weights(ranks.rank, .ranks, try training.weights(method.init(), over: ranks)))
        alike.append(
          weights(ranks.rank, .threads, try training.weights(method.init(), threads: 2, over: ranks)))
        let usual = mostCommon(try ranks.gather(alike[0]))
        var faults = Faults()
        faults.expect(fault == nil, fault ?? "")
        for (sharing, digest) in zip(Sharing.allCases, alike) {
          faults.expect(
            digest == usual,
            "the weights trained \(sharing.rawValue) are \(brief(digest)), and should be \(brief(usual))")
        }
        return Finding(
          faults.first,
          else: "\(brief(usual)) on \(onRanks(ranks.size)), with 1 and 2 threads")
      }
    }
  }
}

/// "1 and 4 ranks".
func onRanks(_ count: Int) -> String { count == 1 ? "1 rank" : "1 and \(counted(count, "rank"))" }
