import Basics

extension Launch {
  /// What is wrong with where the ranks run, each with the command line that mends it.
  ///
  /// One warning a kind at the most, of the host where it is worst; of a host's faults the one that explains the
  /// others. Local.
  public var warnings: [String] {
    [machine.crowdedHost(self), machine.sharedCores(self), machine.fewCores(self)].compactMap { $0 }
  }
}

extension Machine {
  /// A host with fewer cores than threads of all its ranks.
  fileprivate func crowdedHost(_ launch: Launch) -> String? {
    guard let host = hosts.max(by: { $0.ranks * $1.cores < $1.ranks * $0.cores }), isCrowded(host) else {
      return nil
    }
    let least = hosts.reduce(host.cores) { min($0, $1.cores) }
    let threads = min(self.threads, least)
    let ranks = min(self.ranks, max(least / threads, 1) * hosts.count)
    return "\(host.name) has \(counted(host.cores, "core")) for \(counted(host.ranks, "rank")) × "
      + "\(counted(self.threads, "thread")), which will wait for each other. "
      + launch.better(ranks: ranks, threads: threads)
  }

  private func isCrowded(_ host: Host) -> Bool { host.ranks * threads > host.cores }

  /// Ranks of a host that are bound to the same cores, fewer than they have threads.
  fileprivate func sharedCores(_ launch: Launch) -> String? {
    var worst: (group: Cores, cores: Cores, host: Host)? = nil
    for host in hosts where !isCrowded(host) {
      for (group, cores) in sharers(on: host) {
        if let worst, group.count * worst.cores.count <= worst.group.count * cores.count { continue }
        worst = (group, cores, host)
      }
    }
    guard let worst else { return nil }
    let fitting = max(worst.cores.count / threads, 1)
    return "ranks \(worst.group.list) on \(worst.host.name), \(counted(threads, "thread")) each, have "
      + "\(worst.cores.count == 1 ? "only core" : "only cores") \(worst.cores.list) together and will wait for "
      + "each other. Leave out taskset and --cpu-set, or, where the job may use no other cores, start "
      + "\(counted(fitting, "rank")) there. " + launch.better(ranks: ranks, threads: threads)
  }

  /// Groups of two or more ranks that have fewer cores together than threads. Cores are those that one of the ranks
  /// may use, or all of them.
  private func sharers(on host: Host) -> [(group: Cores, cores: Cores)] {
    let own = hostOfRank.indices.filter { hostOfRank[$0] == host.name }
    var sets = Set(own.map { coresOfRank[$0] })
    sets.insert(sets.reduce(Cores()) { $0.union($1) })
    return sets.compactMap { cores in
      let group = own.filter { coresOfRank[$0].isSubset(of: cores) }
      guard group.count > 1 && group.count * threads > cores.count else { return nil }
      return (Cores(group.map { $0..<$0 + 1 }), cores)
    }
  }

  /// A rank that may use fewer cores than it has threads.
  fileprivate func fewCores(_ launch: Launch) -> String? {
    let known = Set(hosts.filter { isCrowded($0) || !sharers(on: $0).isEmpty }.map(\.name))
    let ranks = hostOfRank.indices.filter { !known.contains(hostOfRank[$0]) }
    guard let rank = ranks.min(by: { coresOfRank[$0].count < coresOfRank[$1].count }),
      coresOfRank[rank].count < threads
    else { return nil }
    let cores = coresOfRank[rank]
    return
      "rank \(rank) on \(hostOfRank[rank]) may use only \(counted(cores.count, "core")) (\(cores.list)) for "
      + "\(counted(threads, "thread")), which will wait for each other. "
      + launch.better(ranks: self.ranks, threads: threads)
  }
}

extension Launch {
  /// "Better: " and the command line that gives each of so many ranks a core of its own for each of its threads.
  fileprivate func better(ranks: Int, threads: Int) -> String {
    let hosts = machine.hosts.count
    let perHost = (ranks + hosts - 1) / hosts
    let program =
      threads == machine.threads ? command : command + " --set training.threads_per_rank=\(threads)"
    guard let major = openMPIMajor else {
      return "Better: \(counted(ranks, "rank"))\(hosts > 1 ? ", \(perHost) a host" : ""), each bound to "
        + "\(counted(threads, "core")) of its own: \(program)"
    }
    // mpirun(1): "slot" and "ppr:N:node" take the modifier PE=N, cores of a rank.
    let modifier = threads > 1 ? (major < 5 ? ":PE=\(threads)" : ":pe=\(threads)") : ""
    let map = hosts > 1 ? "ppr:\(perHost):node" : threads > 1 ? "slot" : ""
    return "Better: mpirun -n \(ranks) " + (map.isEmpty ? "" : "--map-by \(map)\(modifier) ")
      + "--bind-to core \(program)"
  }

  /// 4 of "Open MPI v4.1.4"; nil for other libraries.
  private var openMPIMajor: Int? {
    let prefix = "Open MPI v"
    guard versions.mpi.hasPrefix(prefix) else { return nil }
    return Int(versions.mpi.dropFirst(prefix.count).prefix { $0.isNumber })
  }
}

// MARK: Slow ranks

extension Machine {
  /// A rank whose matrix products are far slower than half the ranks', by the speed of each in 10⁹ operations a
  /// second. Local.
  package func slowProducts(_ speeds: Spread) -> String? {
    guard ranks > 1, speeds.min < 0.6 * speeds.median else { return nil }
    let host = hostOfRank[speeds.minRank]
    return
      "rank \(speeds.minRank) on \(host) multiplies matrices at \(fixed(speeds.min, 1)) GFLOP/s, the median "
      + "of all ranks is \(fixed(speeds.median, 1)): in every iteration they will wait for it. "
      + advice(host)
  }

  /// A rank that took far longer over its samples than half the ranks did over theirs. Local.
  ///
  /// - Parameter local: of each rank its seconds in the phases `update` and `sum` and how many samples it owns.
  package func slowSweeps(_ local: [(seconds: Double, samples: Int)]) -> String? {
    // A rank without samples can't be compared, and the time of a short run is chance.
    let busy = local.indices.filter { local[$0].samples > 0 }
    guard busy.count > 1 else { return nil }
    let times = Spread(busy.map { local[$0].seconds / Double(local[$0].samples) })
    let slowest = busy[times.maxRank]
    guard times.max > 1.5 * times.median, local[slowest].seconds >= 1 else { return nil }
    return
      "rank \(slowest) on \(hostOfRank[slowest]) spent \(fixed(local[slowest].seconds, 1)) s on its samples in "
      + "the iterations, \(fixed(times.max / times.median, 1)) times as long a sample as the median of all ranks, "
      + "which waited for it. " + advice(hostOfRank[slowest])
  }

  private func advice(_ host: String) -> String {
    "Look on \(host) for other programs (top), for a low clock or throttling (lscpu, sensors) and for a limit of "
      + "the container\(hosts.count > 1 ? "; or leave that host out" : "")."
  }
}
