import Foundation
import MPI

/// Python with NumPy and SciPy, for tests that hold our results against code that shares nothing with it.
public enum Python {
  /// A run that failed: its exit status and what it wrote.
  public struct Failed: Error, CustomStringConvertible {
    public let description: String
  }

  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static var interpreter: String { repository.appendingPathComponent(".venv/bin/python3").path }

  /// Whether the project's virtual environment is there.
  public static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: interpreter) }

  /// Why a test is skipped, and what to do about it.
  public static let howToInstall =
    "no .venv: python3 -m venv .venv && .venv/bin/pip install numpy scipy h5py"

  /// Runs a program text: `python3 -c program INPUT.json OUTPUT.json`. Local.
  ///
  /// - Returns: what the program wrote to OUTPUT.json.
  public static func run<Input: Encodable, Output: Decodable>(
    program: String, input: Input, timeout seconds: Double = 120
  ) throws -> Output {
    try JSONDecoder().decode(Output.self, from: output(["-c", program], input, seconds))
  }

  /// Runs a script: `python3 SCRIPT INPUT.json OUTPUT.json`. Local.
  ///
  /// - Parameter script: the path from the repository's root.
  /// - Returns: what the script wrote to OUTPUT.json.
  public static func run<Input: Encodable, Output: Decodable>(
    script: String, input: Input, timeout seconds: Double = 120
  ) throws -> Output {
    try JSONDecoder().decode(Output.self, from: output([path(script)], input, seconds))
  }

  /// Runs a script on rank 0: `python3 SCRIPT INPUT.json OUTPUT.json`. Collective.
  ///
  /// - Returns: what the script wrote to OUTPUT.json, on every rank.
  public static func run<Input: Encodable, Output: Decodable>(
    script: String, input: Input, timeout seconds: Double = 120, over ranks: borrowing Communicator
  ) throws -> Output {
    let isRoot = ranks.isRoot
    var bytes = try ranks.agree {
      isRoot ? [UInt8](try output([path(script)], input, seconds)) : []
    }
    try ranks.broadcast(&bytes)
    return try JSONDecoder().decode(Output.self, from: Data(bytes))
  }

  private static func path(_ script: String) -> String { repository.appendingPathComponent(script).path }

  private static func output(
    _ arguments: [String], _ input: some Encodable, _ seconds: Double
  ) throws -> Data {
    let directory = try TemporaryDirectory()
    let (inputPath, outputPath) = (directory.path("input.json"), directory.path("output.json"))
    try JSONEncoder().encode(input).write(to: URL(fileURLWithPath: inputPath))
    let log = URL(fileURLWithPath: directory.path("log.txt"))
    try Data().write(to: log)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: interpreter)
    process.arguments = arguments + [inputPath, outputPath]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"]
    ) { $1 }
    let written = try FileHandle(forWritingTo: log)
    process.standardOutput = written
    process.standardError = written
    try process.run()
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning && Date() < deadline { usleep(10_000) }
    let isLate = process.isRunning
    if isLate { process.terminate() }
    process.waitUntilExit()
    guard !isLate && process.terminationStatus == 0 else {
      let end = isLate ? "took more than \(seconds) s" : "ended with status \(process.terminationStatus)"
      let text = String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self)
      throw Failed(description: "python3 \(arguments.joined(separator: " ").prefix(200)) \(end): \(text)")
    }
    return try Data(contentsOf: URL(fileURLWithPath: outputPath))
  }
}
