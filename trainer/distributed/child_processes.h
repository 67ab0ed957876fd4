// Programs that this one starts and waits for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace moefb::trainer {

/// How a process ended.
struct ProcessEnd {
  int exit_code = 0;  ///< 128 + the signal's number where one ended it, as shells report it
  int signal = 0;     ///< that ended it; 0: it ended by itself

  /// "ended with exit code 1", "was ended by a signal (Killed)"
  std::string text() const;
};

struct ChildOptions {
  std::vector<std::string> variables;  ///< NAME=VALUE: beside this process's own, instead of those of the same name
  std::string log;                     ///< receives both outputs, at its end; empty: they go where this process's go
};

class ChildProcesses {
 public:
  /// Those still running get SIGTERM, and are waited for.
  ~ChildProcesses();
  ChildProcesses() = default;
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  /// Starts a program, with no signal blocked and nothing to read. It leads a process group of its own, so that Ctrl-C
  /// reaches it only through tell_all(), and once; should the thread that started it end, it gets SIGTERM.
  /// @param command  its path, then its arguments. Where it cannot be executed, it ends with exit code 127
  /// @return its number: 0 for the first
  /// @throws std::runtime_error  the log cannot be opened, or no process made
  size_t start(const std::vector<std::string>& command, const ChildOptions& options);

  /// A signal to all that run.
  void tell_all(int signal) const;

  struct Ended {
    size_t number;
    ProcessEnd end;
  };
  /// One that has ended, if any has; each once.
  std::optional<Ended> ended();

  size_t running() const { return running_.size(); }

 private:
  struct Child {
    size_t number;
    pid_t id;
  };
  std::vector<Child> running_;
  size_t started_ = 0;
};

}  // namespace moefb::trainer
