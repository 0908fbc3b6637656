import Glibc

/// The bytes of a matrix with its padding; ends the process where 64 bits can't count them.
func matrixBytes(_ rows: Int, _ columns: Int, stride: Int) -> Int {
  let (count, isTooMany) = rows.multipliedReportingOverflow(by: columns)
  let (bytes, isTooLarge) = (count &+ laneCount).multipliedReportingOverflow(by: stride)
  guard !isTooMany && !isTooLarge && bytes > 0 else {
    endWithoutMemory("a matrix of \(rows) × \(columns) numbers")
  }
  return bytes
}

/// Says that there is no memory, and ends this process with status 71 (EX_OSERR). The launcher then ends the others.
///
/// What large arrays take is up to the user, so that this is no error of the program.
///
/// - Parameter purpose: what it was for; follows "no memory for".
package func endWithoutMemory(_ purpose: String) -> Never {
  var text =
    "admm-mpi: error: no memory for \(purpose). Raise the limit (ulimit -v), start fewer ranks on a host, or take a "
    + "smaller network or fewer samples.\n"
  text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  _exit(71)
}
