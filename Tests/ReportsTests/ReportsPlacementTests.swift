import MPI
import Reports
import Testing

/// A job of `admm-mpi x.toml`.
///
/// - Parameters:
///   - hosts: how many cores each has, and of each of its ranks the cores that it may run on.
///   - threads: of a rank.
private func launch(
  _ hosts: [(name: String, cores: Int, ranks: [String])], threads: Int = 1, mpi: String = "Open MPI v4.1.4"
) -> Launch {
  Launch(
    start: "", command: "admm-mpi x.toml", slurmJob: nil,
    machine: Machine(
      hosts: hosts.map { Machine.Host(name: $0.name, ranks: $0.ranks.count, cores: $0.cores) },
      hostOfRank: hosts.flatMap { [String](repeating: $0.name, count: $0.ranks.count) }, threads: threads,
      coresOfRank: hosts.flatMap(\.ranks).map { Cores(list: $0) }),
    versions: Versions(commit: "", mpi: mpi, blas: "", blasKernel: "", hdf5: ""))
}

/// Ranks that are not bound.
private func free(_ ranks: Int, of cores: Int) -> [String] {
  [String](repeating: "0-\(cores - 1)", count: ranks)
}

@Suite struct ReportsPlacementTests {
  @Test(arguments: [
    ("0", 1, "0"), ("0-3,8", 5, "0-3,8"), ("3,0,1,2\n", 4, "0-3"), ("", 0, ""), ("0-1,x,5-4", 2, "0-1"),
  ])
  func coresAreListedAsLinuxDoes(list: String, count: Int, again: String) {
    #expect(Cores(list: list).count == count)
    #expect(Cores(list: list).list == again)
  }

  @Test func aJobThatFitsIsNotWarnedOf() {
    #expect(launch([("a", 64, free(64, of: 64)), ("b", 64, free(64, of: 64))]).warnings.isEmpty)
    #expect(launch([("a", 2, ["0", "1"])]).warnings.isEmpty)
    #expect(launch([("a", 8, ["0-3", "4-7"])], threads: 4).warnings.isEmpty)
    // Bound with overlap, but with a core for everyone.
    #expect(launch([("a", 3, ["0-1", "1-2", "0,2"])]).warnings.isEmpty)
    // The same core numbers on different hosts are different cores.
    #expect(launch([("a", 2, ["0"]), ("b", 2, ["0"])]).warnings.isEmpty)
  }

  @Test func tooMuchForAHost() {
    #expect(
      launch([("a", 2, free(4, of: 2))]).warnings == [
        "a has 2 cores for 4 ranks × 1 thread, which will wait for each other. "
          + "Better: mpirun -n 2 --bind-to core admm-mpi x.toml"
      ])
    #expect(
      launch([("a", 16, free(5, of: 16))], threads: 4).warnings == [
        "a has 16 cores for 5 ranks × 4 threads, which will wait for each other. "
          + "Better: mpirun -n 4 --map-by slot:PE=4 --bind-to core admm-mpi x.toml"
      ])
    // No number of ranks helps where one rank's threads are too many.
    #expect(
      launch([("a", 2, free(1, of: 2))], threads: 4).warnings == [
        "a has 2 cores for 1 rank × 4 threads, which will wait for each other. "
          + "Better: mpirun -n 1 --map-by slot:PE=2 --bind-to core admm-mpi x.toml "
          + "--set training.threads_per_rank=2"
      ])
  }

  @Test func theWorstHostIsNamedAndAllHostsShareTheRanks() {
    #expect(
      launch([("a", 64, free(2, of: 64)), ("b", 64, free(65, of: 64)), ("c", 64, free(66, of: 64))]).warnings
        == [
          "c has 64 cores for 66 ranks × 1 thread, which will wait for each other. "
            + "Better: mpirun -n 133 --map-by ppr:45:node --bind-to core admm-mpi x.toml"
        ])
    #expect(
      launch([("a", 64, free(65, of: 64)), ("b", 32, free(65, of: 32))], threads: 2).warnings == [
        "b has 32 cores for 65 ranks × 2 threads, which will wait for each other. "
          + "Better: mpirun -n 32 --map-by ppr:16:node:PE=2 --bind-to core admm-mpi x.toml"
      ])
  }

  @Test func ranksBoundToOneCore() {
    #expect(
      launch([("a", 2, ["0", "0"])]).warnings == [
        "ranks 0-1 on a, 1 thread each, have only core 0 together and will wait for each other. "
          + "Leave out taskset and --cpu-set, or, where the job may use no other cores, start 1 rank there. "
          + "Better: mpirun -n 2 --bind-to core admm-mpi x.toml"
      ])
    #expect(
      launch([("a", 8, ["0-1", "2-3", "0-1"])], threads: 2).warnings == [
        "ranks 0,2 on a, 2 threads each, have only cores 0-1 together and will wait for each other. "
          + "Leave out taskset and --cpu-set, or, where the job may use no other cores, start 1 rank there. "
          + "Better: mpirun -n 3 --map-by slot:PE=2 --bind-to core admm-mpi x.toml"
      ])
  }

  /// Ranks that share no set may still have too few cores together, and one that is free may not.
  @Test func sharingIsFoundThroughSubsets() throws {
    let chain = launch([("a", 8, ["0", "1", "0-1", "0-7"])]).warnings
    #expect(
      try #require(chain.first).hasPrefix("ranks 0-2 on a, 1 thread each, have only cores 0-1 together"))
    let union = launch([("a", 8, ["0-1", "1-2", "0,2", "0-2"])]).warnings
    #expect(
      try #require(union.first).hasPrefix("ranks 0-3 on a, 1 thread each, have only cores 0-2 together"))
    #expect(launch([("a", 8, ["0", "1", "0-7", "0-7"])]).warnings.isEmpty)
  }

  @Test func aRankWithFewerCoresThanThreads() {
    #expect(
      launch([("a", 8, ["0-3"]), ("b", 8, ["5"])], threads: 4).warnings == [
        "rank 1 on b may use only 1 core (5) for 4 threads, which will wait for each other. "
          + "Better: mpirun -n 2 --map-by ppr:1:node:PE=4 --bind-to core admm-mpi x.toml"
      ])
    // One reason is enough.
    #expect(launch([("a", 8, ["0", "0"])], threads: 2).warnings.count == 1)
    #expect(launch([("a", 2, ["0", "0"])], threads: 2).warnings.count == 1)
  }

  @Test(arguments: [
    ("Open MPI v3.1.6", "mpirun -n 4 --map-by slot:PE=4 --bind-to core admm-mpi x.toml"),
    ("Open MPI v5.0.3", "mpirun -n 4 --map-by slot:pe=4 --bind-to core admm-mpi x.toml"),
    ("MPICH Version: 4.1", "4 ranks, each bound to 4 cores of its own: admm-mpi x.toml"),
  ])
  func commandLinesOfOtherLibraries(mpi: String, line: String) throws {
    let warnings = launch([("a", 16, free(5, of: 16))], threads: 4, mpi: mpi).warnings
    #expect(try #require(warnings.first).hasSuffix("Better: \(line)"))
  }

  // MARK: Slow ranks

  private let machine = launch([("a", 2, ["0", "1"]), ("b", 2, ["0", "1"])]).machine

  @Test func aRankWithSlowProducts() throws {
    #expect(machine.slowProducts(Spread([70, 71, 43, 69])) == nil)
    #expect(
      try #require(machine.slowProducts(Spread([70, 71, 35, 69]))).hasPrefix(
        "rank 2 on b multiplies matrices at 35.0 GFLOP/s, the median of all ranks is 69.5: "))
    #expect(launch([("a", 1, ["0"])]).machine.slowProducts(Spread([35])) == nil)
  }

  @Test func aRankWithSlowSweeps() throws {
    #expect(
      try #require(machine.slowSweeps([(10, 100), (10, 100), (10, 100), (16, 100)])).hasPrefix(
        "rank 3 on b spent 16.0 s on its samples in the iterations, 1.6 times as long a sample as the median")
    )
    #expect(machine.slowSweeps([(10, 100), (10, 100), (10, 100), (14, 100)]) == nil)
    // More samples, more time; too short to say; nothing to compare with.
    #expect(machine.slowSweeps([(10, 100), (10, 100), (10, 100), (20, 200)]) == nil)
    #expect(machine.slowSweeps([(0.1, 100), (0.1, 100), (0.1, 100), (0.9, 100)]) == nil)
    #expect(machine.slowSweeps([(10, 100), (0.1, 0), (0.1, 0), (0.1, 0)]) == nil)
    #expect(
      try #require(machine.slowSweeps([(0, 0), (10, 100), (10, 100), (40, 100)])).hasPrefix("rank 3 on b"))
  }
}
