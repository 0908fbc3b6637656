import Files

@preconcurrency import Glibc

/// Starts gnuplot on a script in a directory and waits for it. Local: for one rank.
///
/// - Parameter output: where the figure goes: the script's variable `figure`.
/// - Returns: what went wrong, or nil.
func runGnuplot(_ script: String, in directory: String, output: String) -> String? {
  // gnuplot's own `cd`: a working directory is no part of posix_spawn in every libc.
  let arguments = [
    "gnuplot", "-e", "cd \(quote(directory)); figure = \(quote(lastComponent(of: output)))", script,
  ]
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
  var words = arguments.map { strdup($0) } + [nil]
  defer { words.forEach { free($0) } }
  var child = pid_t()
  let error = posix_spawnp(&child, "gnuplot", &actions, nil, &words, environ)
  guard error == 0 else {
    return error == ENOENT
      ? "gnuplot is not installed" : "gnuplot can't be started: \(String(cString: strerror(error)))"
  }
  var status: CInt = 0
  while waitpid(child, &status, 0) < 0 {
    guard errno == EINTR else { return "gnuplot can't be waited for: \(String(cString: strerror(errno)))" }
  }
  return status == 0 ? nil : "gnuplot could not draw \(directory)/\(script)"
}
