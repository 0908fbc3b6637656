@preconcurrency import Glibc

/// Does `body` while no file of this process can grow beyond `bytes`, as on a disk that is full.
public func withFullDisk<T>(after bytes: Int, _ body: () throws -> T) rethrows -> T {
  let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
  var limit = rlimit()
  getrlimit(resource, &limit)
  // Writing too much then is an error, not a signal.
  signal(SIGXFSZ, SIG_IGN)
  var small = limit
  small.rlim_cur = rlim_t(bytes)
  setrlimit(resource, &small)
  defer { setrlimit(resource, &limit) }
  return try body()
}
