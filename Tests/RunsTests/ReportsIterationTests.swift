import Foundation
import Runs
import Testing

/// A record of a classification with all that can apply.
private func record(_ iteration: Int) -> IterationRecord {
  var record = IterationRecord(iteration: iteration, seconds: 1.25 * Double(iteration))
  record.objective = 1234.5678 / Double(iteration)
  record.loss = 321.09876 / Double(iteration)
  record.residual_z = 0.0123456
  record.residual_a = 1.23456e-7
  record.residual_output = 0.5
  record.lambda_max = 3.75
  record.train_accuracy = 0.87654
  record.validation_accuracy = 0.86
  record.test_accuracy = 1
  record.gflops_per_rank = 41.237
  return record
}

/// The keys of a line of JSON in their order, and its values.
private func parsed(_ line: String) throws -> (keys: [String], values: [String: Any]) {
  let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
  let keys = line.matches(of: #/"(\w+)":/#).map { String($0.1) }
  return (keys, try #require(object as? [String: Any]))
}

@Suite struct ReportsIterationTests {
  /// LAMMPS once had its rows and its log a step apart.
  @Test func theRowAndTheLineSayTheSame() throws {
    var table = IterationTable()
    for iteration in 1...3 {
      let record = record(iteration)
      let row = try #require(table.lines(record).last).split(separator: " ").map(String.init)
      let (keys, values) = try parsed(record.json.compact)
      try #require(keys.count == row.count && keys.count == 12)
      for (key, text) in zip(keys, row) {
        let exact = try #require(values[key] as? Double)
        let shown = try #require(Double(text)) / (key.hasSuffix("accuracy") ? 100 : 1)
        #expect(abs(shown - exact) <= 0.005 * abs(exact), "\(key): \(text) is not \(exact)")
      }
    }
  }

  @Test func theLineHasEveryDigit() throws {
    let (_, values) = try parsed(record(7).json.compact)
    #expect(values["objective"] as? Double == 1234.5678 / 7)
    #expect(values["residual_a"] as? Double == 1.23456e-7)
    #expect(values["iteration"] as? Int == 7)
  }

  @Test func headingsStandOverTheirColumns() throws {
    var table = IterationTable()
    let lines = table.lines(record(1))
    let (header, row) = (lines[lines.count - 2], lines[lines.count - 1])
    #expect(header.split(separator: " ").count == row.split(separator: " ").count)
    #expect(header.count == row.count)
    // Columns are flush right: where a heading ends, a number ends.
    let ends = { (line: String) in
      line.indices.filter {
        line[$0] != " " && (line.index(after: $0) == line.endIndex || line[line.index(after: $0)] == " ")
      }
      .map { line.distance(from: line.startIndex, to: $0) }
    }
    #expect(ends(header) == ends(row))
  }

  @Test func whatDoesNotApplyHasNoColumnAndNoKey() throws {
    var regression = IterationRecord(iteration: 1, seconds: 2)
    regression.objective = 10
    regression.train_rmse = 0.25
    var table = IterationTable()
    let lines = table.lines(regression)
    #expect(
      lines.suffix(2).map { $0.split(separator: " ").map(String.init) } == [
        ["iter", "objective", "train_rmse", "seconds"], ["1", "1.0000e+01", "0.25000", "2.00"],
      ])
    #expect(
      regression.json.compact == #"{"iteration": 1, "objective": 10.0, "train_rmse": 0.25, "seconds": 2.0}"#)
    #expect(!lines.contains { $0.contains("λ") || $0.contains("accuracy") })
  }

  @Test func notFiniteIsShownAndIsNull() throws {
    var diverged = record(2)
    diverged.objective = .nan
    diverged.residual_z = .infinity
    var table = IterationTable()
    let row = try #require(table.lines(diverged).last).split(separator: " ").map(String.init)
    #expect(row[1] == "nan" && row[3] == "inf")
    let (_, values) = try parsed(diverged.json.compact)
    #expect(values["objective"] is NSNull && values["residual_z"] is NSNull)
  }

  @Test func notesEndTheRowAndTheLine() throws {
    var noted = record(3)
    noted.notes = ["W_2: ridge raised to 1e-3", "best"]
    var table = IterationTable()
    #expect(try #require(table.lines(noted).last).hasSuffix("  W_2: ridge raised to 1e-3; best"))
    let (keys, values) = try parsed(noted.json.compact)
    #expect(keys.last == "notes" && values["notes"] as? [String] == noted.notes)
  }

  @Test func theHeaderComesAgainAfterFortyRowsAndTheKeyOnce() {
    var table = IterationTable()
    let lines = (1...100).flatMap { table.lines(record($0)) }
    let headers = lines.indices.filter {
      lines[$0].hasPrefix("  iter ") && lines[$0].contains("GFLOP/s ") == false
        && lines[$0].hasSuffix("GFLOP/s")
    }
    #expect(headers.count == 3)
    #expect(zip(headers, headers.dropFirst()).map { $1 - $0 } == [42, 42])
    #expect(lines.filter { $0.contains("largest entry of the multiplier") }.count == 1)
    #expect(lines.allSatisfy { $0.count <= 110 && $0.last != " " })
  }
}
