import Basics
import Glibc

/// The threads of a rank: they do one piece of work together, then wait for the next. They call no MPI.
package final class ThreadTeam {
  /// How many threads there are, that of the owner included.
  package let count: Int
  private let room: Room
  private var threads: [pthread_t] = []

  /// What the threads share.
  private final class Room: @unchecked Sendable {
    let start: UnsafeMutablePointer<pthread_barrier_t>
    let end: UnsafeMutablePointer<pthread_barrier_t>
    /// The work at hand; nil asks the threads to leave. Written before `start`, read after it.
    var work: ((Int) -> Void)? = nil

    init(count: Int) {
      start = .allocate(capacity: 1)
      end = .allocate(capacity: 1)
      pthread_barrier_init(start, nil, CUnsignedInt(count))
      pthread_barrier_init(end, nil, CUnsignedInt(count))
    }

    /// Does a thread's part of the work at hand, if there is any. Holds no reference to it when it returns.
    @inline(never)
    func doWork(_ number: Int) -> Bool {
      guard let work else { return false }
      work(number)
      return true
    }

    deinit {
      pthread_barrier_destroy(start)
      pthread_barrier_destroy(end)
      start.deallocate()
      end.deallocate()
    }
  }

  /// Who a new thread is.
  private final class Seat {
    let room: Room
    let number: Int

    init(_ room: Room, _ number: Int) {
      self.room = room
      self.number = number
    }
  }

  /// - Throws: a `Failure` of this rank where the system gives no more threads.
  package init(count: Int) throws {
    precondition(count > 0, "a team of \(count) threads")
    self.count = count
    room = Room(count: count)
    for number in 1..<max(count, 1) {
      var thread = pthread_t()
      let seat = Unmanaged.passRetained(Seat(room, number))
      let code = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          let seat = Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue()
          while true {
            pthread_barrier_wait(seat.room.start)
            guard seat.room.doWork(seat.number) else { return nil }
            pthread_barrier_wait(seat.room.end)
          }
        }, seat.toOpaque())
      guard code == 0 else {
        seat.release()
        throw Failure(
          .inputOutput,
          "thread \(number + 1) of \(count) can't be started: \(String(cString: strerror(code))). "
            + "Ask for fewer threads a rank.")
      }
      threads.append(thread)
    }
  }

  deinit {
    // Without one of them the others can't be called back: they wait until the process ends.
    guard count > 1 && threads.count == count - 1 else { return }
    room.work = nil
    pthread_barrier_wait(room.start)
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Calls `body` once on every thread, with its number from 0, and waits for all. Must not be called by `body`.
  package func run(_ body: (_ thread: Int) -> Void) {
    guard count > 1 else { return body(0) }
    withoutActuallyEscaping(body) { body in
      room.work = body
      pthread_barrier_wait(room.start)
      body(0)
      pthread_barrier_wait(room.end)
      room.work = nil
    }
  }
}
