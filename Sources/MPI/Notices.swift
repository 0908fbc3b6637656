/// What ranks have to tell each other while they work: a few whole numbers of each, which travel with reductions that
/// are made anyway, so that all ranks can decide alike without one more message.
public final class Notices {
  /// How many numbers.
  public static let count = 3

  /// Writes this rank's numbers; asked at each reduction that takes them along. Nothing is said by default.
  public var say: ((_ own: UnsafeMutableBufferPointer<Int64>) -> Void)?
  /// Their sums over ranks in the last reduction that took them along: the same on every rank.
  public private(set) var totals = [Int64](repeating: 0, count: Notices.count)

  /// Nothing to say yet.
  public init() {}

  /// Writes this rank's numbers into a message whose words are to be added up over ranks. Local.
  public func write(to message: UnsafeMutablePointer<Int64>) {
    let own = UnsafeMutableBufferPointer(start: message, count: Self.count)
    own.update(repeating: 0)
    say?(own)
  }

  /// Takes the sums from the message. Local.
  public func read(from message: UnsafePointer<Int64>) {
    for i in totals.indices { totals[i] = message[i] }
  }

  /// Forgets what was said. Local.
  public func clear() {
    for i in totals.indices { totals[i] = 0 }
  }
}
