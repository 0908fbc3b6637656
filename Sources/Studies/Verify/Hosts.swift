import Basics
import Glibc
import LinearAlgebra
import MPI
import Reports

/// What should be alike on all ranks, by its name.
package typealias Traits = [(name: String, value: String)]

extension Check {
  /// The ranks' libraries, kernels, byte order, locale and clocks.
  ///
  /// - Parameters:
  ///   - traits: of this rank.
  ///   - clock: the seconds since 1970.
  package static func hosts(
    traits: @escaping @Sendable () -> Traits = ownTraits, clock: @escaping @Sendable () -> Double = timeOfDay
  ) -> Check {
    let advice =
      "Start the same program with the same libraries and environment on all hosts. Other BLAS kernels round "
      + "differently: set OPENBLAS_CORETYPE to one that all hosts have. For clocks see to NTP."
    return Check(name: "hosts", advice: advice) { site, ranks in
      let own = traits()
      let all = try ranks.gather(own.map { "\($0.name)\t\($0.value)" }.joined(separator: "\n"))
      try ranks.barrier()
      let clocks = Spread(try ranks.gather([clock()]).map { $0[0] })
      let before = monotonicSeconds()
      var faults = Faults()
      for (k, trait) in own.enumerated() {
        let values = all.map { value(k, of: $0) }
        let usual = mostCommon(values)
        faults.expect(trait.value == usual, "\(trait.name) is \(trait.value), and on most ranks \(usual)")
      }
      let off = clock() - clocks.median
      faults.expect(abs(off) < 60, "the clock is \(duration(abs(off))) \(off > 0 ? "ahead" : "behind")")
      faults.expect(monotonicSeconds() >= before, "the clock that only goes forward went back")
      for (name, needed) in [("byte order", "little endian"), ("decimal point", ".")] {
        let found = own.first { $0.name == name }?.value ?? needed
        faults.expect(found == needed, "\(name): \(found), and the program needs \(needed)")
      }
      let kernel = own.first { $0.name == "BLAS kernel" }?.value ?? "?"
      return Finding(
        faults.first,
        else: "\(site.launch.machine.summary): the same libraries, BLAS kernel \(kernel), clocks within "
          + duration(max(clocks.max - clocks.min, 1e-6)))
    }
  }
}

private func value(_ k: Int, of text: String) -> String {
  let lines = text.split(separator: "\n")
  return k < lines.count ? String(lines[k].drop { $0 != "\t" }.dropFirst()) : "unknown"
}

/// The value that most have; of several the first.
func mostCommon(_ values: [String]) -> String {
  let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
  let most = counts.values.max() ?? 0
  return values.first { counts[$0] == most } ?? ""
}

/// Those of this process. Local.
package func ownTraits() -> Traits {
  let versions = Versions.current
  let isLittle = UInt32(1).littleEndian == 1
  let point = localeconv().pointee.decimal_point.map { String(cString: $0) } ?? "unknown"
  return [
    ("the program", versions.title), ("MPI", versions.mpi), ("BLAS", versions.blas),
    ("BLAS kernel", versions.blasKernel), ("HDF5", versions.hdf5),
    ("byte order", isLittle ? "little endian" : "big endian"), ("decimal point", point),
    ("digits", fixed(1234.5, 2)),
  ]
}

/// The seconds since 1970, as this host's clock has them. Local.
package func timeOfDay() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
