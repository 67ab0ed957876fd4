#include "trainer/distributed/launch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "trainer/distributed/store.h"

extern char** environ;

namespace moefb::trainer {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kGrace = std::chrono::seconds(5);  ///< between SIGTERM and SIGKILL

/// Blocks the signals that end or concern a parent while it lives, so that sigtimedwait() hears of them.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&set_);
    for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set_, number);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~BlockedSignals() { restore(); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  void restore() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  /// The next one; 0: none came for a while.
  int wait() const {
    const timespec a_while = {0, 200'000'000};
    const int number = sigtimedwait(&set_, nullptr, &a_while);
    return number < 0 ? 0 : number;
  }

 private:
  sigset_t set_, before_;
};

/// Texts as execve() takes them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

bool sets(const char* entry, const std::vector<std::string>& variables) {
  const auto name_length = [](const std::string& text) { return text.find('=') + 1; };
  return std::any_of(variables.begin(), variables.end(), [&](const std::string& variable) {
    return std::strncmp(entry, variable.c_str(), name_length(variable)) == 0;
  });
}

std::vector<std::string> environment_of(int64_t rank, int64_t size, int64_t port) {
  std::vector<std::string> variables = {"RANK=" + std::to_string(rank),
                                        "WORLD_SIZE=" + std::to_string(size),
                                        "LOCAL_RANK=" + std::to_string(rank),
                                        "LOCAL_WORLD_SIZE=" + std::to_string(size),
                                        "MASTER_ADDR=127.0.0.1",
                                        "MASTER_PORT=" + std::to_string(port),
                                        "TORCHELASTIC_USE_AGENT_STORE=True",
                                        "TORCHELASTIC_RESTART_COUNT=0"};
  std::vector<std::string> all = variables;
  for (char** entry = environ; *entry; ++entry) {
    if (!sets(*entry, variables)) all.emplace_back(*entry);
  }
  return all;
}

/// How a process ended, as a person reads it.
std::string describe(int status) {
  if (WIFEXITED(status)) return "ended with exit code " + std::to_string(WEXITSTATUS(status));
  return std::string("was ended by a signal (") + strsignal(WTERMSIG(status)) + ")";
}

/// As shells report it.
int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A process that was asked to stop, and says so as shells do, has not failed.
bool stops_as_asked(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) > 128;
}

class Children {
 public:
  explicit Children(const BlockedSignals& signals) : signals_(signals) {}
  ~Children() {
    tell_all(SIGKILL);
    while (running() > 0) reap(/*wait=*/true);
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  void start(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
    const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
    if (child == 0) {
      // A group of its own: Ctrl-C on the terminal reaches the parent alone, which passes it on once.
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(1);  // it ended before we could ask to hear of it
      signals_.restore();
      ::execve(arguments[0], arguments.data(), variables.data());
      ::_exit(127);
    }
    pids_.push_back(child);
    status_.emplace_back();
  }

  void tell_all(int number) const {
    for (size_t i = 0; i < pids_.size(); ++i) {
      if (!status_[i]) ::kill(pids_[i], number);
    }
  }

  /// Notes who has ended.
  void reap(bool wait = false) {
    for (size_t i = 0; i < pids_.size(); ++i) {
      int status = 0;
      if (!status_[i] && ::waitpid(pids_[i], &status, wait ? 0 : WNOHANG) == pids_[i]) status_[i] = status;
    }
  }

  /// The first that failed: one that a signal ended before one that ended by itself, perhaps for want of the other.
  std::optional<size_t> failed() const {
    std::optional<size_t> found;
    for (size_t i = 0; i < status_.size(); ++i) {
      if (!status_[i] || exit_code(*status_[i]) == 0 || stops_as_asked(*status_[i])) continue;
      if (WIFSIGNALED(*status_[i])) return i;
      if (!found) found = i;
    }
    return found;
  }

  size_t running() const { return size_t(std::count(status_.begin(), status_.end(), std::nullopt)); }
  int status(size_t i) const { return *status_[i]; }
  std::string describe_end(size_t i) const {
    return "process " + std::to_string(i) + " of " + std::to_string(pids_.size()) + " " + describe(*status_[i]);
  }
  int highest_exit_code() const {
    int code = 0;
    for (const auto& status : status_) code = std::max(code, exit_code(*status));
    return code;
  }

 private:
  const BlockedSignals& signals_;
  std::vector<pid_t> pids_;
  std::vector<std::optional<int>> status_;
};

/// Watches until all have ended.
class Watch {
 public:
  Watch(Children& children, const BlockedSignals& signals) : children_(children), signals_(signals) {}

  int run() {
    while (children_.running() > 0) {
      note(signals_.wait());
      children_.reap();
      if (!killing_at_ && children_.failed()) end_the_others();
      if (killing_at_ && Clock::now() >= *killing_at_) children_.tell_all(SIGKILL);
    }
    if (!failed_) return killing_at_ ? 128 + asked_ : children_.highest_exit_code();
    throw std::runtime_error(children_.describe_end(*failed_) +
                             ", and the run with it. A checkpoint that was saved before is whole: go on with `resume`");
  }

 private:
  void note(int number) {
    if (number != SIGINT && number != SIGTERM) return;
    asked_ = number;
    children_.tell_all(number);
  }

  void end_the_others() {
    // Whom a dead process leaves alone may have ended before we hear of the dead one.
    note(signals_.wait());
    children_.reap();
    const size_t first = *children_.failed();
    if (!was_asked_to_end(first)) failed_ = first;
    children_.tell_all(SIGTERM);
    killing_at_ = Clock::now() + kGrace;
  }

  /// Early enough, before it could say that it stops as asked.
  bool was_asked_to_end(size_t i) const {
    const int status = children_.status(i);
    return asked_ != 0 && WIFSIGNALED(status) && WTERMSIG(status) == asked_;
  }

  Children& children_;
  const BlockedSignals& signals_;
  int asked_ = 0;  ///< the signal that we were told to end by
  std::optional<size_t> failed_;
  std::optional<Clock::time_point> killing_at_;
};

}  // namespace

int launch(const std::vector<std::string>& command, int64_t processes) {
  // Before the store, whose threads would take the signals.
  const BlockedSignals signals;
  const StoreServer store;
  Children children(signals);
  for (int64_t rank = 0; rank < processes; ++rank) {
    children.start(command, environment_of(rank, processes, store.port()));
  }
  return Watch(children, signals).run();
}

}  // namespace moefb::trainer
