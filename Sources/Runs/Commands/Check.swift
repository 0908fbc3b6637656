import Basics
import Configuration
import Datasets
import Files
import MPI
import Networks
import Reports

/// Finds out whether training would begin, and prints what it would do and need. Collective.
///
/// Files of a moderate size are read as training reads them, so that whatever it would refuse is refused here, in the
/// same words. Of larger ones, and of samples that are generated, only the heads are looked at.
///
/// - Throws: a shared `Failure` where training would throw one.
public func check(_ configuration: Configuration, over ranks: borrowing Communicator) throws -> ExitStatus {
  let console = Console(isQuiet: false, ranks)
  switch try configuration.data.isReadWhole(over: ranks) {
  case true?: try checkWhole(configuration, console, over: ranks)
  case false?:
    try checkHeads(configuration, console, over: ranks)
    console.print(
      "The configuration and the heads of the files are in order. Files of more than \(amount(wholeBytes)) a rank are "
        + "not read whole here; admm-mpi describe does.")
  case nil:
    try checkHeads(configuration, console, over: ranks)
    console.print("The configuration is in order. Training generates the samples.")
  }
  return .done
}

/// Does all that training does before its first iteration. Collective.
private func checkWhole(
  _ configuration: Configuration, _ console: Console, over ranks: borrowing Communicator
) throws {
  let data = try TrainingData.read(configuration, over: ranks) { what, share in
    console.progress("reading the \(what)", share)
  }
  let network = configuration.network(features: data.samples.featureCount, outputs: data.samples.outputs)
  try checkMemory(
    configuration.stateBytes(network, samples: data.samples.count), beside: data.heldBytes, over: ranks)
  let memory = try "about \(amount(ranks.max(data.predictedBytes(configuration, network)))) a rank"
  let own = configuration.rows(
    network.widths.map(String.init), loss: network.loss.rawValue, memory: memory,
    defaults: configuration.rowsOfDefaults(network))
  console.print(lines(data.rows(configuration) + own))
  console.print("All samples were read. The configuration and the data are in order.")
}

/// Looks at what can be known without reading or generating samples. Collective.
private func checkHeads(
  _ configuration: Configuration, _ console: Console, over ranks: borrowing Communicator
) throws {
  let data = configuration.data
  let (train, test) = try outlines(data, over: ranks)
  let outputs = configuration.outputs
  let network = configuration.network(features: train.features, outputs: outputs ?? 1)
  let hasLoss = outputs != nil || configuration.network.loss != nil
  let widths = network.widths.dropLast().map(String.init) + [outputs.map(String.init) ?? "classes"]
  let memory = try configuration.memoryText(network, train, test, over: ranks)
  let own = configuration.rows(
    widths, loss: hasLoss ? network.loss.rawValue : "auto", memory: memory,
    defaults: hasLoss ? configuration.rowsOfDefaults(network) : [])
  let tested = test.map { [(name: "test", text: "\(data.testOrigin), \($0.summary)")] } ?? []
  console.print(lines([(name: "train", text: "\(data.trainOrigin), \(train.summary)")] + tested + own))
}

/// Rows of names and texts in two columns.
private func lines(_ rows: [(name: String, text: String)]) -> [String] {
  var table = TextTable([rows[0].name, rows[0].text], [.left, .left])
  for (name, text) in rows.dropFirst() { table.add([name, text]) }
  return table.lines
}

extension Configuration {
  /// What would be trained, what it needs, and where it goes.
  fileprivate func rows(
    _ widths: [String], loss: String, memory: String, defaults: [(name: String, text: String)]
  ) -> [(name: String, text: String)] {
    let traits =
      [widths.joined(separator: "-"), network.activation.rawValue, loss] + (network.bias ? ["bias"] : [])
    let holdsRun = RunDirectory.results.contains { isReadable("\(output.directory)/\($0)") }
    return [
      ("network", traits.joined(separator: ", ")), ("method", methodLine),
    ] + defaults + [
      ("memory", memory),
      ("results", output.directory + (holdsRun && !output.overwrite ? ", which holds a run already" : "")),
    ]
  }

  /// What a rank will need of memory. Collective.
  ///
  /// - Throws: a shared `Failure` where that is more than there is.
  fileprivate func memoryText(
    _ network: Network, _ train: Outline, _ test: Outline?, over ranks: borrowing Communicator
  ) throws -> String {
    let column = predictedBytes(network, training: 0, all: 1) - predictedBytes(network, training: 0, all: 0)
    guard let samples = train.samples else {
      let sample = column + stateBytes(network, samples: 1) - stateBytes(network, samples: 0)
      return "about \(amount(sample)) a sample; only a full read tells how many there are"
    }
    let own = largestShare(of: samples, ranks: ranks.size)
    let need = predictedBytes(
      network, training: own, all: own + largestShare(of: test?.samples ?? 0, ranks: ranks.size))
    try checkMemory(need, over: ranks)
    return "about \(amount(need)) a rank for training on \(counted(ranks.size, "rank"))"
  }
}
