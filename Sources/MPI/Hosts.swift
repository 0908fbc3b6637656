import CMPI

extension Communicator {
  /// The name of the machine that this rank runs on. Local; MPI 3.1, section 8.1.2.
  public func hostName() throws(MPIError) -> String {
    let (name, code) = text(capacity: mpi_max_processor_name(), mpi_get_processor_name)
    try check(code, "MPI_Get_processor_name")
    return name
  }
}
