import Glibc

/// The seconds until the Slurm job that this process is in ends; nil where it is in none, or Slurm does not say.
func secondsToEndOfSlurmJob() -> Double? {
  if let text = getenv("SLURM_JOB_END_TIME"), let end = Double(String(cString: text)) {
    return end - Double(time(nil))
  }
  guard let job = getenv("SLURM_JOB_ID").map({ String(cString: $0) }), job.allSatisfy(\.isNumber),
    let answer = output(of: "squeue --noheader --jobs=\(job) --format=%L 2> /dev/null")
  else { return nil }
  return seconds(ofSlurm: answer)
}

/// What Slurm calls a time that is left: minutes:seconds, hours:minutes:seconds or days-hours:minutes:seconds.
package func seconds(ofSlurm text: String) -> Double? {
  let text = text.filter { !$0.isWhitespace }
  let parts = text.split(separator: "-", omittingEmptySubsequences: false)
  guard (1...2).contains(parts.count), let clock = parts.last,
    let days = parts.count == 2 ? Double(parts[0]) : 0
  else { return nil }
  let numbers = clock.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
  guard (1...3).contains(numbers.count), !numbers.contains(nil) else { return nil }
  return days * 86_400 + numbers.compactMap { $0 }.reduce(0) { $0 * 60 + $1 }
}

private func output(of command: String) -> String? {
  guard let pipe = popen(command, "r") else { return nil }
  defer { pclose(pipe) }
  var line = [CChar](repeating: 0, count: 256)
  guard fgets(&line, CInt(line.count), pipe) != nil else { return nil }
  return String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
