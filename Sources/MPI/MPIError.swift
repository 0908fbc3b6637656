import Basics
import CMPI

/// A call to MPI that did not return `MPI_SUCCESS`.
public struct MPIError: Error, CustomStringConvertible {
  /// The C function that failed, for instance `MPI_Allreduce`.
  public let call: String
  /// Its return code.
  public let code: CInt
  /// MPI's own text for the code, read at the moment of failure (it can't be asked for after `MPI_Finalize`).
  public let message: String

  public var description: String { "\(call) failed with code \(code): \(message)" }
}

/// Calls the C function `call`, which may wait for other ranks, and throws when it does not return `MPI_SUCCESS`.
func check(_ code: @autoclosure () -> CInt, _ call: String) throws(MPIError) {
  let code = Progress.inMPI(code)
  guard code != mpi_success() else { return }
  let message = text(capacity: mpi_max_error_string()) { mpi_error_string(code, $0, $1) }.text
  throw MPIError(call: call, code: code, message: message.isEmpty ? "no text" : message)
}

/// The text that `write` puts into a buffer of `capacity` bytes, empty if it fails, and the code that it returns.
func text(
  capacity: CInt, _ write: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CInt>?) -> CInt
) -> (text: String, code: CInt) {
  var code = mpi_success()
  let text = String(unsafeUninitializedCapacity: Int(capacity) + 1) { buffer in
    var length: CInt = 0
    code = buffer.withMemoryRebound(to: CChar.self) { write($0.baseAddress, &length) }
    return code == mpi_success() ? Int(length) : 0
  }
  return (text, code)
}
