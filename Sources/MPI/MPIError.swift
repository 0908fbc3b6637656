import COpenMPI

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

/// Throws when `code`, returned by the C function `call`, is not `MPI_SUCCESS`.
func check(_ code: CInt, _ call: String) throws(MPIError) {
  guard code != MPI_SUCCESS else { return }
  throw MPIError(call: call, code: code, message: errorText(code))
}

private func errorText(_ code: CInt) -> String {
  var length: CInt = 0
  let bytes = [CChar](unsafeUninitializedCapacity: Int(shim_max_error_string()) + 1) { buffer, count in
    buffer.initialize(repeating: 0)
    count = buffer.count
    if let base = buffer.baseAddress, MPI_Error_string(code, base, &length) != MPI_SUCCESS { length = 0 }
  }
  return length > 0 ? text(bytes, length: length) : "no text"
}

/// The first `length` bytes of a C string as a `String`.
func text(_ bytes: [CChar], length: CInt) -> String {
  String(decoding: bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
