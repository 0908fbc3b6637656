import Foundation
import TestSupport

extension TemporaryDirectory {
  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Data(text.utf8))
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: Data) throws -> String {
    try bytes.write(to: url.appending(path: name))
    return path(name)
  }

  /// What the file `name` holds; empty where there is none.
  func text(_ name: String) -> String {
    String(decoding: bytes(name), as: UTF8.self)
  }

  /// What the file `name` holds; empty where there is none.
  func bytes(_ name: String) -> Data {
    FileManager.default.contents(atPath: path(name)) ?? Data()
  }

  /// Writes config.toml: 3 iterations of `taylor` with a net of 8 hidden units and hinges on `train`, results in `run`.
  /// Returns its path.
  ///
  /// - Parameters:
  ///   - data: more lines of the table [data]; all of them where the samples are synthetic.
  ///   - tables: more tables.
  func configuration(train: String? = nil, test: String? = nil, data: String = "", _ tables: String = "")
    throws -> String
  {
    try write(
      "config.toml",
      """
      [data]
      \(train.map { "train = \"\($0)\"" } ?? "")
      \(test.map { "test = \"\($0)\"" } ?? "")
      \(data)
      [network]
      hidden = [8]
      \(data.contains("regression") ? "" : "loss = \"hinge\"")
      [training]
      method = "taylor"
      iterations = 3
      [output]
      directory = "\(path("run"))"
      overwrite = true
      \(tables)
      """)
  }

  /// Waits, a minute at the most, until the run in `run` has a line in its log or the job has ended.
  func waitForIteration(of job: borrowing Running) -> Bool {
    wait(atMost: 60) { !job.isRunning || !bytes("run/iterations.jsonl").isEmpty }
  }

  /// run.json of the run in `directory`.
  func result(_ directory: String = "run") throws -> RunResult {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(RunResult.self, from: bytes("\(directory)/run.json"))
  }
}

/// What the tests read of run.json.
struct RunResult: Decodable {
  struct Final: Decodable {
    let trainAccuracy: Double?
    let testAccuracy: Double?
    let testAuc: Double?
  }
  struct Seconds: Decodable {
    let perIteration: Double
  }
  struct Memory: Decodable {
    let sum: Int
  }
  struct Count: Decodable {
    let train: Int
    let test: Int?
  }
  let status: String
  let exitStatus: Int32
  let iterations: Int
  let ranks: Int
  let threadsPerRank: Int
  let seed: UInt64
  let warnings: [String]
  let layers: [Int]
  let samples: Count
  let final: Final
  let seconds: Seconds
  let peakRssBytes: Memory
  let bytesReducedPerIteration: Int
  let weightsSha256: String
}
