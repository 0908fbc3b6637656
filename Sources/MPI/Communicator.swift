import Basics
import CMPI
import Glibc

/// A group of ranks that talk to each other: the handful of verbs that this program needs.
///
/// Every verb but `abort`, `send` and `receive` is collective: all ranks call it, in the same order. The handle is
/// freed by `Job.finalize`, not at the end of its scope: freeing is collective, and after an error ranks leave at
/// different places.
public struct Communicator: ~Copyable {
  /// The C handle, for libraries that take one (HDF5).
  package let handle: mpi_communicator
  /// This process's number, `0..<size`.
  public let rank: Int
  /// How many ranks there are.
  public let size: Int
  /// What travels along with reductions.
  public let notices = Notices()

  /// A duplicate of `original` whose errors come back as `MPIError`. Collective; MPI 3.1, section 6.4.2.
  init(duplicating original: mpi_communicator) throws(MPIError) {
    var handle = mpi_communicator()
    var rank: CInt = 0
    var size: CInt = 0
    try check(mpi_comm_dup(original, &handle), "MPI_Comm_dup")
    try check(mpi_comm_set_errors_return(handle), "MPI_Comm_set_errhandler")
    try check(mpi_comm_rank(handle, &rank), "MPI_Comm_rank")
    try check(mpi_comm_size(handle, &size), "MPI_Comm_size")
    self.handle = handle
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// This process by itself, a group of one rank: `MPI_COMM_SELF`, whose errors come back too. Local; MPI 3.1, section
  /// 6.2.
  public static func alone() throws(MPIError) -> Communicator {
    try check(mpi_comm_set_errors_return(mpi_comm_self()), "MPI_Comm_set_errhandler")
    return Communicator(mpi_comm_self(), rank: 0, size: 1)
  }

  private init(_ handle: mpi_communicator, rank: Int, size: Int) {
    self.handle = handle
    self.rank = rank
    self.size = size
  }

  /// Whether this is rank 0, which reads the configuration and speaks for all.
  public var isRoot: Bool { rank == 0 }

  /// Releases the handle. Collective.
  func free() throws(MPIError) {
    try check(mpi_comm_free(handle), "MPI_Comm_free")
  }

  /// Ends the whole job at once with `status`, from any one rank. Local; never returns.
  public func abort(status: Int32) -> Never {
    mpi_abort(handle, status)
    // Open MPI may return before the signal arrives.
    exit(status)
  }

  /// Waits until every rank has arrived. Collective; MPI 3.1, section 5.3.
  public func barrier() throws(MPIError) {
    try check(mpi_barrier(handle), "MPI_Barrier")
  }

  // MARK: Reductions

  /// x ← Σ over ranks of x, entry by entry, in place. Collective; every rank gets the same bits. MPI 3.1, section
  /// 5.9.6.
  ///
  /// - Precondition: all ranks pass the same number of elements. Long vectors go in pieces of 2³⁰.
  public func sum<T: MPINumber>(_ x: UnsafeMutableBufferPointer<T>) throws(MPIError) {
    try reduce(x, mpi_sum())
  }

  /// x ← Σ over ranks of x, entry by entry, in place. Collective.
  public func sum<T: MPINumber>(_ x: inout [T]) throws(MPIError) { try reduce(&x, mpi_sum()) }

  /// x ← max over ranks of x, entry by entry, in place. Collective.
  public func max<T: MPINumber>(_ x: inout [T]) throws(MPIError) { try reduce(&x, mpi_max()) }

  /// x ← min over ranks of x, entry by entry, in place. Collective.
  public func min<T: MPINumber>(_ x: inout [T]) throws(MPIError) { try reduce(&x, mpi_min()) }

  /// Σ over ranks of one number. Collective.
  public func sum<T: MPINumber>(_ x: T) throws(MPIError) -> T { try reduced(x, mpi_sum()) }

  /// The largest of one number a rank. Collective.
  public func max<T: MPINumber>(_ x: T) throws(MPIError) -> T { try reduced(x, mpi_max()) }

  /// The smallest of one number a rank. Collective.
  public func min<T: MPINumber>(_ x: T) throws(MPIError) -> T { try reduced(x, mpi_min()) }

  private func reduced<T: MPINumber>(_ x: T, _ operation: mpi_operation) throws(MPIError) -> T {
    var one = [x]
    try reduce(&one, operation)
    return one[0]
  }

  private func reduce<T: MPINumber>(_ x: inout [T], _ operation: mpi_operation) throws(MPIError) {
    try x.withUnsafeMutableBufferPointer { buffer throws(MPIError) in try reduce(buffer, operation) }
  }

  private func reduce<T: MPINumber>(
    _ x: UnsafeMutableBufferPointer<T>, _ operation: mpi_operation
  ) throws(MPIError) {
    guard size > 1, let base = x.baseAddress else { return }
    for piece in Pieces(x.count) {
      try check(
        mpi_allreduce_in_place(base + piece.lowerBound, CInt(piece.count), T.datatype, operation, handle),
        "MPI_Allreduce")
    }
  }

  /// Σ over the ranks before this one of `x`; 0 on rank 0. Collective; MPI 3.1, section 5.11.2.
  public func sumOfLowerRanks(_ x: Int) throws(MPIError) -> Int {
    var own = x
    var before = 0
    try check(mpi_exscan(&own, &before, 1, Int.datatype, mpi_sum(), handle), "MPI_Exscan")
    return rank == 0 ? 0 : before
  }

  // MARK: Copies

  /// Every rank gets `root`'s elements, whatever its own were. Collective; MPI 3.1, section 5.4.
  public func broadcast<T: MPINumber>(_ x: inout [T], from root: Int = 0) throws(MPIError) {
    guard size > 1 else { return }
    var count = x.count
    try check(mpi_bcast(&count, 1, Int.datatype, CInt(root), handle), "MPI_Bcast")
    if rank != root {
      x = [T](unsafeUninitializedCapacity: count) { _, initialized in initialized = count }
    }
    try x.withUnsafeMutableBufferPointer { buffer throws(MPIError) in
      guard let base = buffer.baseAddress else { return }
      for piece in Pieces(count) {
        try check(
          mpi_bcast(base + piece.lowerBound, CInt(piece.count), T.datatype, CInt(root), handle), "MPI_Bcast")
      }
    }
  }

  /// Every rank gets `root`'s text. Collective.
  public func broadcast(_ text: String, from root: Int = 0) throws(MPIError) -> String {
    var bytes = Array(text.utf8)
    try broadcast(&bytes, from: root)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Every rank gets every rank's elements, in the order of the ranks. Lengths may differ. Collective.
  ///
  /// For a few kilobytes a rank, such as names and counts. MPI 3.1, section 5.7.
  ///
  /// - Throws: `MPIError`, alike on all ranks, for 2³¹ elements or more in all.
  public func gather<T: MPINumber>(_ x: [T]) throws(MPIError) -> [[T]] {
    var own = x.count
    var counts = [Int](repeating: 0, count: size)
    try check(mpi_allgather(&own, &counts, 1, Int.datatype, handle), "MPI_Allgather")
    let layout = try GatherLayout(counts)
    var code = mpi_success()
    let all = [T](unsafeUninitializedCapacity: layout.total) { buffer, initialized in
      code = Progress.inMPI {
        mpi_allgatherv(
          x, layout.counts[rank], buffer.baseAddress, layout.counts, layout.starts, T.datatype, handle)
      }
      initialized = layout.total
    }
    try check(code, "MPI_Allgatherv")
    return zip(layout.starts, layout.counts).map { Array(all[Int($0)..<Int($0 + $1)]) }
  }

  /// Every rank gets every rank's text, in the order of the ranks. Collective.
  public func gather(_ text: String) throws(MPIError) -> [String] {
    try gather(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Sends elements to one rank, which must `receive` as many. Not collective; MPI 3.1, section 3.2.
  public func send<T: MPINumber>(_ x: UnsafeBufferPointer<T>, to rank: Int) throws(MPIError) {
    guard let base = x.baseAddress else { return }
    for piece in Pieces(x.count) {
      try check(
        mpi_send(base + piece.lowerBound, CInt(piece.count), T.datatype, CInt(rank), handle), "MPI_Send")
    }
  }

  /// Receives as many elements as `x` holds from one rank. Not collective.
  public func receive<T: MPINumber>(_ x: UnsafeMutableBufferPointer<T>, from rank: Int) throws(MPIError) {
    guard let base = x.baseAddress else { return }
    for piece in Pieces(x.count) {
      try check(
        mpi_recv(base + piece.lowerBound, CInt(piece.count), T.datatype, CInt(rank), handle),
        "MPI_Recv")
    }
  }

  /// Each rank sends `sendCounts[r]` consecutive elements to each rank r and gets what the others send to it, in the
  /// order of the ranks. Collective; the shape of `MPI_Alltoallv` (MPI 3.1, section 5.8), for any length.
  ///
  /// - Parameters:
  ///   - x: what to send, rank 0's part first.
  ///   - sendCounts: how many elements go to each rank; their sum is `x.count`.
  /// - Returns: the parts received from rank 0, 1, … one after the other, and how long each is.
  public func exchange<T: MPINumber>(
    _ x: UnsafeBufferPointer<T>, sendCounts: [Int]
  ) throws(MPIError) -> (elements: [T], counts: [Int]) {
    precondition(sendCounts.count == size, "\(sendCounts.count) counts for \(size) ranks")
    precondition(sendCounts.reduce(0, +) == x.count, "the counts \(sendCounts) don't sum to \(x.count)")
    var receiveCounts = [Int](repeating: 0, count: size)
    try check(
      mpi_alltoall(sendCounts, &receiveCounts, 1, Int.datatype, handle), "MPI_Alltoall")
    let sendStarts = starts(sendCounts)
    let receiveStarts = starts(receiveCounts)
    let total = receiveCounts.reduce(0, +)
    let received = UnsafeMutableBufferPointer<T>.allocate(capacity: total)
    defer { received.deallocate() }
    // Step s: to the rank s above, from the rank s below, so that nobody waits in a queue.
    for step in 0..<size {
      let to = (rank + step) % size
      let from = (rank - step + size) % size
      try transfer(
        UnsafeBufferPointer(rebasing: x[sendStarts[to]..<sendStarts[to] + sendCounts[to]]), to: to,
        UnsafeMutableBufferPointer(
          rebasing: received[receiveStarts[from]..<receiveStarts[from] + receiveCounts[from]]), from: from)
    }
    return (Array(received), receiveCounts)
  }

  /// Sends to one rank while receiving from another.
  private func transfer<T: MPINumber>(
    _ sent: UnsafeBufferPointer<T>, to: Int, _ received: UnsafeMutableBufferPointer<T>, from: Int
  ) throws(MPIError) {
    var requests: [mpi_request] = []
    for piece in Pieces(received.count) {
      var request = mpi_request()
      try check(
        mpi_irecv(
          received.baseAddress.map { $0 + piece.lowerBound }, CInt(piece.count), T.datatype, CInt(from),
          handle, &request),
        "MPI_Irecv")
      requests.append(request)
    }
    for piece in Pieces(sent.count) {
      var request = mpi_request()
      try check(
        mpi_isend(
          sent.baseAddress.map { $0 + piece.lowerBound }, CInt(piece.count), T.datatype, CInt(to), handle,
          &request),
        "MPI_Isend")
      requests.append(request)
    }
    for i in requests.indices { try check(mpi_wait(&requests[i]), "MPI_Wait") }
  }

  private func starts(_ counts: [Int]) -> [Int] {
    var start = 0
    return counts.map { count in
      defer { start += count }
      return start
    }
  }
}
