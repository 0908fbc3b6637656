import COpenMPI

extension Communicator {
  /// The name of the machine that this rank runs on. Local; MPI 3.1, section 8.1.2.
  public func hostName() throws(MPIError) -> String {
    var length: CInt = 0
    var code = MPI_SUCCESS
    let bytes = [CChar](unsafeUninitializedCapacity: Int(shim_max_processor_name()) + 1) { buffer, count in
      buffer.initialize(repeating: 0)
      count = buffer.count
      if let base = buffer.baseAddress { code = MPI_Get_processor_name(base, &length) }
    }
    try check(code, "MPI_Get_processor_name")
    return text(bytes, length: length)
  }

  /// Which hosts the job runs on, in order of first rank, with the number of ranks on each. Collective.
  public func hosts() throws(MPIError) -> [(name: String, ranks: Int)] {
    var counts: [String: Int] = [:]
    var order: [String] = []
    for name in try gather(hostName()) {
      if counts[name] == nil { order.append(name) }
      counts[name, default: 0] += 1
    }
    return order.map { ($0, counts[$0] ?? 0) }
  }
}
