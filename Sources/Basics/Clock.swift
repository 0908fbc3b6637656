import Glibc

/// Seconds on a clock that only goes forward; its zero means nothing. Local, some 20 ns.
public func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
