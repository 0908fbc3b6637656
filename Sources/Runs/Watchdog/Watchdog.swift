import Basics
import Configuration
import Files
import Glibc
import MPI
import Reports
import Synchronization

/// Watches on threads of its own that this rank's main thread gets on, and says who the job waits for where it does
/// not: `stop.stall_limit`, `stop.stall_action`.
///
/// What the main thread is at it leaves in `Progress`. Now and then one thread, the heart, writes that to the rank's
/// line of a file in the run directory (`RankStates`); it may hang with the disk. The other watches the clock. When
/// nothing has changed for half the limit it has the heart read the others' lines, and after all of it tells who neither
/// waits nor says a word (`Stall`). Neither calls MPI. Ranks that compute for long are named, but nothing more: that is
/// progress.
final class Watchdog: @unchecked Sendable {
  /// Seconds without progress that are a stall, and whether the job then ends.
  private let limit: Double
  private let ends: Bool
  /// Seconds between two looks.
  private let interval: Double
  private let rank: Int
  private let hosts: [String]
  private let states: RankStates
  /// What both threads share.
  private let shared = Mutex(Shared())
  /// A pipe: when its one end is closed the threads wake up and leave.
  private let over: (read: CInt, write: CInt)
  private let threadsLeft = Atomic<Int>(0)

  private struct Shared {
    /// What this rank does, as the watching thread has last seen it.
    var own = RankState(.computing, phase: -1, iteration: 0, idle: 0, beat: 0)
    /// Whether the others' lines are wanted.
    var isLooking = false
    /// One a rank; nil where the file could not be read when that was last tried.
    var sightings: [Sighting?]?
    /// What was said, for run.json.
    var reports: [String] = []
  }

  /// Begins to watch. Collective.
  ///
  /// - Parameters:
  ///   - directory: the run directory.
  ///   - hosts: the host of each rank.
  init(
    _ stop: StopSection, in directory: String, hosts: [String], over ranks: borrowing Communicator
  ) throws {
    let job = try ranks.broadcast(String(UInt32.random(in: 0 ... .max), radix: 16))
    limit = stop.stallLimit
    ends = stop.stallAction == .end
    interval = min(max(limit / 8, 0.02), 10)
    rank = ranks.rank
    self.hosts = hosts
    states = RankStates(in: directory, job: job, ranks: ranks.size)
    var pipe: [CInt] = [-1, -1]
    Glibc.pipe(&pipe)
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    over = (pipe[0], pipe[1])
    start { $0.beat() }
    start { $0.watch() }
  }

  /// Ends the watch. Local; once.
  ///
  /// A thread that hangs with its disk is left behind.
  func end() {
    close(over.write)
    for _ in 0..<1_000 where threadsLeft.load(ordering: .acquiring) > 0 { usleep(1_000) }
    if rank == 0 { states.remove() }
  }

  /// What this rank has said so far.
  var reports: [String] { shared.withLock { $0.reports } }

  // MARK: The heart

  /// Writes this rank's line now and then, and reads the others' while that is asked for.
  private func beat() {
    var beats = 0
    repeat {
      beats += 1
      let (own, isLooking) = shared.withLock { ($0.own, $0.isLooking) }
      var line = own
      line.beat = beats
      _ = states.write(line, of: rank)
      guard isLooking else { continue }
      let lines = states.read()
      shared.withLock { shared in
        guard let lines else { return shared.sightings = nil }
        let known = shared.sightings ?? lines.map { _ in nil }
        shared.sightings = zip(lines, known).map { line, former in
          guard let line else { return former }
          return Sighting(line, isAlive: former.map { $0.isAlive || $0.state.beat != line.beat } ?? false)
        }
      }
    } while pause()
  }

  // MARK: The watch

  /// What the watching thread remembers.
  private struct Watch {
    var last = Progress.state
    var lastLook = monotonicSeconds()
    /// Seconds since the last progress in which this process was not stopped itself.
    var idle = 0.0
    /// The process's own seconds on processors when there was progress last.
    var computed = processSeconds()
    var isTold = false
    /// Of what was told, whether somebody computes.
    var wasBusy = false
  }

  private func watch() {
    var watch = Watch()
    while pause() { look(&watch) }
  }

  private func look(_ watch: inout Watch) {
    let (now, state) = (monotonicSeconds(), Progress.state)
    watch.idle += min(now - watch.lastLook, 2 * interval)
    watch.lastLook = now
    if state != watch.last {
      if watch.isTold { tell("there is progress again, in \(state.place)") }
      watch = Watch(last: state)
    }
    let work = work(state, watch)
    let sightings: [Sighting?]? = shared.withLock { shared in
      shared.own = RankState(
        work, phase: state.phase, iteration: state.iteration, idle: watch.idle, beat: 0)
      shared.isLooking = watch.idle >= limit / 2
      if !shared.isLooking { shared.sightings = nil }
      return shared.sightings
    }
    guard watch.idle >= limit,
      let stall = Stall(work, rank: rank, sightings: sightings, limit: limit)
    else { return }
    // Should the one who speaks for all not be able to, this rank does.
    let isLate = watch.idle >= 1.75 * limit
    guard stall.speaker == rank || (ends && isLate && !stall.isBusy) else { return }
    guard !watch.isTold || (watch.wasBusy && !stall.isBusy) else { return }
    (watch.isTold, watch.wasBusy) = (true, stall.isBusy)
    // The launcher ends the job already: its signal has woken up a rank that was stopped, and nothing is as it was.
    if ends && isLate && stall.speaker != rank && Signals.haveCome { _exit(ExitStatus.stoppedEarly.rawValue) }
    let text = stall.text(at: state.place, idle: watch.idle, hosts: hosts, sightings)
    if ends && !stall.isBusy { endJob(text) }
    tell(text)
  }

  private func work(_ state: Progress.State, _ watch: Watch) -> RankState.Work {
    if state.isInMPI { return .waiting }
    // A hundredth of a processor: what these threads use is less.
    let computed = processSeconds() - watch.computed
    return watch.idle <= 2 * interval || computed >= 0.01 * watch.idle ? .computing : .blocked
  }

  private func tell(_ text: String) {
    put("admm-mpi: warning: \(text)\n", to: STDERR_FILENO)
    shared.withLock { $0.reports.append(text) }
  }

  /// Ends the process, and with it the job: the launcher stops the other ranks, also one that is stopped already.
  private func endJob(_ text: String) -> Never {
    put(
      "admm-mpi: error: \(text)\nThe job ends (stop.stall_action = \"end\"). Start it again on other hosts.\n",
      to: STDERR_FILENO)
    _exit(ExitStatus.stoppedEarly.rawValue)
  }

  private func put(_ text: String, to file: CInt) {
    var text = printable(text)
    _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: file) }
  }

  // MARK: Threads

  /// Sleeps until the next look; false once the watch is over.
  private func pause() -> Bool {
    var request = pollfd(fd: over.read, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, CInt(1000 * interval)) == 0
  }

  /// What a new thread does.
  private final class Work {
    let watchdog: Watchdog
    let body: (Watchdog) -> Void

    init(_ watchdog: Watchdog, _ body: @escaping (Watchdog) -> Void) {
      self.watchdog = watchdog
      self.body = body
    }
  }

  /// Starts a thread with a small stack, which takes no signals. Where the system gives none nobody watches.
  private func start(_ body: @escaping (Watchdog) -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 1 << 19)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    var (all, former) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(self, body))
    threadsLeft.add(1, ordering: .relaxed)
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        work.body(work.watchdog)
        work.watchdog.threadsLeft.subtract(1, ordering: .releasing)
        return nil
      }, work.toOpaque())
    guard code != 0 else { return }
    work.release()
    threadsLeft.subtract(1, ordering: .relaxed)
  }
}

/// The seconds that this process has spent on processors.
private func processSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
