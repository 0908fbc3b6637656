import Glibc

/// The size of a core's second-level cache in bytes, as the system tells it; 1 MiB where it does not. Local.
public func secondLevelCacheBytes() -> Int {
  let bytes = sysconf(CInt(_SC_LEVEL2_CACHE_SIZE))
  return bytes > 0 ? bytes : 1 << 20
}
