#include "trainer/distributed/launch.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "trainer/distributed/child_processes.h"
#include "trainer/distributed/store.h"

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
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  /// The next one; 0: none came for a while.
  int wait() const {
    const timespec a_while = {0, 200'000'000};
    const int number = sigtimedwait(&set_, nullptr, &a_while);
    return number < 0 ? 0 : number;
  }

 private:
  sigset_t set_, before_;
};

std::vector<std::string> variables_of(int64_t rank, int64_t size, int64_t port) {
  return {"RANK=" + std::to_string(rank),
          "WORLD_SIZE=" + std::to_string(size),
          "LOCAL_RANK=" + std::to_string(rank),
          "LOCAL_WORLD_SIZE=" + std::to_string(size),
          "MASTER_ADDR=127.0.0.1",
          "MASTER_PORT=" + std::to_string(port),
          "TORCHELASTIC_USE_AGENT_STORE=True",
          "TORCHELASTIC_RESTART_COUNT=0"};
}

/// A process that was asked to stop, and says so as shells do, has not failed.
bool stops_as_asked(const ProcessEnd& end) {
  return end.signal == 0 && end.exit_code > 128;
}

/// Watches until all have ended.
class Watch {
 public:
  Watch(ChildProcesses& children, const BlockedSignals& signals)
      : children_(children), signals_(signals), ends_(children.running()) {}

  int run() {
    while (children_.running() > 0) {
      note(signals_.wait());
      note_ended();
      if (!killing_at_ && first_failed()) end_the_others();
      if (killing_at_ && Clock::now() >= *killing_at_) children_.tell_all(SIGKILL);
    }
    if (!failed_) return killing_at_ ? 128 + asked_ : highest_exit_code();
    throw std::runtime_error("process " + std::to_string(*failed_) + " of " + std::to_string(ends_.size()) + " " +
                             ends_[*failed_]->text() +
                             ", and the run with it. A checkpoint that was saved before is whole: go on with `resume`");
  }

 private:
  void note(int number) {
    if (number != SIGINT && number != SIGTERM) return;
    asked_ = number;
    children_.tell_all(number);
  }

  void note_ended() {
    while (const auto child = children_.ended()) ends_[child->number] = child->end;
  }

  void end_the_others() {
    // Whom a dead process leaves alone may have ended before we hear of the dead one.
    note(signals_.wait());
    note_ended();
    const size_t first = *first_failed();
    if (!was_asked_to_end(*ends_[first])) failed_ = first;
    children_.tell_all(SIGTERM);
    killing_at_ = Clock::now() + kGrace;
  }

  /// One that a signal ended comes before one that ended by itself, perhaps for want of the other.
  std::optional<size_t> first_failed() const {
    std::optional<size_t> found;
    for (size_t i = 0; i < ends_.size(); ++i) {
      if (!ends_[i] || ends_[i]->exit_code == 0 || stops_as_asked(*ends_[i])) continue;
      if (ends_[i]->signal != 0) return i;
      if (!found) found = i;
    }
    return found;
  }

  /// Early enough, before it could say that it stops as asked.
  bool was_asked_to_end(const ProcessEnd& end) const { return asked_ != 0 && end.signal == asked_; }

  int highest_exit_code() const {
    int code = 0;
    for (const auto& end : ends_) code = std::max(code, end->exit_code);
    return code;
  }

  ChildProcesses& children_;
  const BlockedSignals& signals_;
  std::vector<std::optional<ProcessEnd>> ends_;
  int asked_ = 0;  ///< the signal that we were told to end by
  std::optional<size_t> failed_;
  std::optional<Clock::time_point> killing_at_;
};

}  // namespace

int launch(const std::vector<std::string>& command, int64_t processes) {
  // Before the store, whose threads would take the signals.
  const BlockedSignals signals;
  const StoreServer store;
  ChildProcesses children;
  for (int64_t rank = 0; rank < processes; ++rank) {
    children.start(command, {variables_of(rank, processes, store.port()), /*log=*/""});
  }
  return Watch(children, signals).run();
}

}  // namespace moefb::trainer
