import FuzzTargets
import Glibc
import TestSupport

/// The target that `ADMM_FUZZ_TARGET` names.
private let target: FuzzTarget = {
  let name = getenv("ADMM_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("ADMM_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

private let scratch: Scratch = {
  do {
    let scratch = try TestWorld.with { try Scratch(over: $0) }
    atexit { removeScratch() }
    return scratch
  } catch { fatalError("\(error)") }
}()

private func removeScratch() {
  try? TestWorld.with { try scratch.remove(over: $0) }
}

/// What libFuzzer calls with each input. The bytes decide in which of the target's ways they are read.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  var hash: UInt32 = 2_166_136_261
  for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
  do {
    _ = try TestWorld.with { ranks in
      try target.read(bytes, variant: Int(hash >> 8) % target.variants, in: scratch, over: ranks)
    }
  } catch { fatalError("finding: \(error)") }
  return 0
}
