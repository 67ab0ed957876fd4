// Programs that run beside this one, each with a log for what it says.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace moefb::trainer {

class ChildProcesses {
 public:
  /// Those still running get SIGTERM, and are waited for.
  ~ChildProcesses();
  ChildProcesses() = default;
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  /// Starts a program. It leads a process group of its own, so that Ctrl-C reaches it only through interrupt(), and
  /// once; should this process die, it gets SIGTERM.
  /// @param command  its path, then its arguments
  /// @param log      receives both outputs, at its end
  /// @return what finished() will call it
  /// @throws std::runtime_error  the log cannot be opened, or no process made
  pid_t start(const std::vector<std::string>& command, const std::string& log);

  /// SIGTERM to all that run.
  void interrupt();

  struct Finished {
    pid_t id;
    int exit_code;  ///< 128 + the signal's number where one ended it, as shells report it
  };
  /// One that has ended, if any has.
  std::optional<Finished> finished();

  size_t running() const { return running_.size(); }

 private:
  std::vector<pid_t> running_;
};

}  // namespace moefb::trainer
