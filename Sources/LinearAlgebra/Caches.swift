import CLanes
import Glibc

/// The size of a core's second-level cache in bytes, as the system tells it; 1 MiB where it does not. Local.
public func secondLevelCacheBytes() -> Int {
  let bytes = sysconf(CInt(_SC_LEVEL2_CACHE_SIZE))
  return bytes > 0 ? bytes : 1 << 20
}

/// Consecutive memory that will be needed soon, to be asked for line by line while the processor computes.
public struct Prefetch {
  private var next: UnsafeRawPointer
  private let end: UnsafeRawPointer

  /// Nothing.
  public init() {
    next = UnsafeRawPointer(bitPattern: 64).unsafelyUnwrapped
    end = next
  }

  /// All of some columns of a matrix, which is consecutive.
  public init(_ columns: Tile<Float>) {
    next = UnsafeRawPointer(columns.base)
    end = next + columns.stride * columns.columns * MemoryLayout<Float>.size
  }

  /// Asks for the next few lines. Local; some nanoseconds. Whether there were any.
  public mutating func advance() -> Bool {
    guard next < end else { return false }
    for _ in 0..<24 {
      lanes_prefetch(next)
      next += 64
    }
    return true
  }
}
