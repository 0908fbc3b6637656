import ADMM
import LinearAlgebra
import MPI
import NetworkSupport
import Networks

extension Taylor {
  /// Algorithm 1 at its start values. Collective.
  static func start(
    _ problem: Problem, _ part: borrowing Problem.Part, _ settings: TaylorSettings,
    threads: Int = 1, tileColumns: Int? = nil, over ranks: borrowing Communicator
  ) throws -> Taylor {
    try start(
      problem.network, settings, a0: part.a0.all, y: part.y.all, partition: part.partition, threads: threads,
      tileColumns: tileColumns, over: ranks)
  }
}

extension TaylorSettings {
  /// β_l and γ_l of about `beta` and `gamma`, but different in every layer: equal ones would hide a wrong index.
  init(
    _ network: Network, beta: Float = 1, gamma: Float = 10, ridge: Double = 1e-3, warmStart: Int = 3,
    hasMultiplier: Bool = true, dualStep: Float = 1, start: Start = .gaussian, seed: UInt64 = 1,
    storage: ActivationStorage = .automatic
  ) {
    self.init(
      beta: (1...network.L).map { beta * [1, 1.5, 0.75, 2, 1.25][$0 % 5] },
      gamma: (1..<network.L).map { gamma * [1, 1.25, 0.5, 1.5, 0.75][$0 % 5] }, ridge: ridge,
      warmStart: warmStart, hasMultiplier: hasMultiplier, dualStep: dualStep, start: start, seed: seed,
      storage: storage)
  }
}
