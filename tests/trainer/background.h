// A program that runs while the test goes on, to be interrupted or killed.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace moefb::testing {

class Background {
 public:
  /// @param command  the program's path, then its arguments
  /// @param errors   a file for what it says on stderr; empty: where the test's goes
  explicit Background(const std::vector<std::string>& command, const std::string& errors = "") {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("cannot run " + command[0]);
    if (id_ > 0) return;
    if (!errors.empty() && !std::freopen(errors.c_str(), "w", stderr)) ::_exit(126);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ~Background() {
    send(SIGKILL);
    exit_code();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  pid_t id() const { return id_; }
  /// Its own processes.
  std::vector<pid_t> children() const {
    const std::string id = std::to_string(id_);
    std::ifstream file("/proc/" + id + "/task/" + id + "/children");
    std::vector<pid_t> found;
    for (pid_t child = 0; file >> child;) found.push_back(child);
    return found;
  }

  void send(int signal_number) const {
    if (!ended_) ::kill(id_, signal_number);
  }
  /// Waits for `moment`, the end of the program, or that patience runs out.
  /// @return whether the program still runs
  bool runs_until(const std::function<bool()>& moment, std::chrono::microseconds poll = std::chrono::milliseconds(2)) {
    const auto start = std::chrono::steady_clock::now();
    while (!has_ended() && !moment() && std::chrono::steady_clock::now() - start < kPatience) {
      std::this_thread::sleep_for(poll);
    }
    return !has_ended();
  }
  /// Waits for its end. @return -1 if a signal ended it
  int exit_code() {
    if (!ended_) ::waitpid(id_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  static constexpr auto kPatience = std::chrono::minutes(4);

  bool has_ended() {
    if (!ended_) ended_ = ::waitpid(id_, &status_, WNOHANG) == id_;
    return ended_;
  }

  pid_t id_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace moefb::testing
