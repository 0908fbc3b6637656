import ADMM
import LinearAlgebra
import MPI
import NetworkSupport
import Networks

extension Taylor {
  /// Algorithm 1 at its start values. Collective.
  static func start(
    _ problem: Problem, _ part: borrowing Samples, _ settings: TaylorSettings, seed: UInt64 = 1,
    threads: Int = 1, tileColumns: Int? = nil, over ranks: borrowing Communicator
  ) throws -> Taylor {
    try start(
      problem.network, settings, part, StartOptions(seed: seed, threads: threads), tileColumns: tileColumns,
      over: ranks)
  }
}

extension TaylorSettings {
  /// β_l and γ_l of about `beta` and `gamma`, but different in every layer: equal ones would hide a wrong index.
  init(
    _ network: Network, beta: Float = 1, gamma: Float = 10, ridge: Double = 1e-3, warmStart: Int = 3,
    hasMultiplier: Bool = true, dualStep: Float = 1, start: StartValues = .gaussian,
    storage: ActivationStorage = .automatic
  ) {
    self.init()
    self.beta = .each((1...network.L).map { beta * [1, 1.5, 0.75, 2, 1.25][$0 % 5] })
    self.gamma = .each((1..<network.L).map { gamma * [1, 1.25, 0.5, 1.5, 0.75][$0 % 5] })
    self.ridge = ridge
    self.warmStart = warmStart
    multiplier = hasMultiplier ? .last : .none
    self.dualStep = dualStep
    self.start = start
    self.storage = storage
  }
}
