import Foundation
import TestSupport
import Testing

/// The batch scripts under a real Slurm, where there is one.
@Suite struct BatchTests {
  private static let hasSlurm: Bool = {
    guard let idle = try? Program.run(command: ["sinfo", "--noheader", "--states=idle", "--format=%n"]) else {
      return false
    }
    return idle.status == 0 && !idle.output.isEmpty
  }()

  /// Submits a script of jobs/ for a configuration, waits for the end of the job and returns sbatch's exit status.
  private func submit(
    _ script: String, _ options: [String], configuration: String, in directory: borrowing TemporaryDirectory
  ) throws -> Int32 {
    let outcome = try Program.run(
      command: [
        "sbatch", "--wait", "--ntasks=2", "--chdir=\(directory.path(""))",
        "--export=ALL,ADMM_MPI=\(Program.path),CONFIG=\(configuration)",
      ] + options + [Program.root.appending(path: "jobs/\(script)").path(percentEncoded: false)],
      limit: 240)
    #expect(!outcome.isTimedOut, "\(outcome.transcript)")
    return outcome.status
  }

  @Test(.enabled("needs a Slurm with an idle node", { hasSlurm }))
  func oneRunPassesItsStatusOn() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(200, seed: 1).csv)
    let good = try submit(
      "higgs.slurm", [], configuration: directory.configuration(train: train), in: directory)
    #expect(good == 0)
    let bad = try submit(
      "higgs.slurm", [], configuration: directory.configuration(train: directory.path("absent.csv")),
      in: directory)
    #expect(bad == 66)
  }

  @Test(.enabled("needs a Slurm with an idle node", { hasSlurm }))
  func theScalingStudyRunsOnEachCount() throws {
    let directory = try TemporaryDirectory()
    let train = try directory.write("train.csv", Samples(200, seed: 1).csv)
    let status = try submit(
      "higgs-scaling.slurm", ["--array=0-1%1"], configuration: directory.configuration(train: train),
      in: directory)
    #expect(status == 0)
    let runs = directory.url.appending(path: "runs")
    let study = try #require(try FileManager.default.contentsOfDirectory(atPath: runs.path).first)
    let one = try directory.result("runs/\(study)/1")
    let two = try directory.result("runs/\(study)/2")
    #expect(one.ranks == 1)
    #expect(two.ranks == 2)
    #expect(one.weightsSha256 == two.weightsSha256)
  }
}
