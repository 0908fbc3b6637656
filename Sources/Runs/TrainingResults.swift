// Temporary: stands in until Model.swift and Metrics.swift are here.
import ADMM
import Baselines
import LinearAlgebra
import MPI
import Datasets
struct TrainingResults {
  var final: JSON; var best: JSON?; var baselines: JSON; var lines: [String]
  init(
    _ outcome: borrowing TrainingOutcome, _ network: Network, _ linear: borrowing LinearModel,
    _ data: borrowing TrainingData, over ranks: borrowing Communicator
  ) throws {
    final = outcome.last.json; best = outcome.best?.json; lines = []
    var r = IterationRecord(iteration: 0)
    try r.addQuality(of: linear.W, linear.network, data, over: ranks)
    baselines = .object([JSON.Member("linear", r.json)])
    lines = ["linear \(r)"]
  }
}
struct Model: ~Copyable {
  let weightsSHA256: String
  init(_ c: Configuration, _ n: Network, _ o: borrowing TrainingOutcome, _ d: borrowing TrainingData) {
    var b: [UInt8] = []
    for l in 1...n.L { let W = o.W[l].base; b += UnsafeRawBufferPointer(start: W, count: o.W[l].count * 4) }
    weightsSHA256 = sha256Hex(b)
  }
  func write(to: String, over: borrowing Communicator) throws {}
}
