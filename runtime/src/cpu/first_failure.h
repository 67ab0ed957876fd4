// What becomes of an error in one of several threads.
#pragma once

#include <atomic>

#include "moefb/result.h"

namespace moefb::cpu {

/// Keeps the first failure that any thread notes; read once all are done.
class FirstFailure {
 public:
  void note(const Status& status) noexcept {
    if (!status.ok() && !failed_.exchange(true, std::memory_order_relaxed)) status_ = status;
  }
  Status status() const noexcept { return status_; }

 private:
  std::atomic<bool> failed_{false};
  Status status_;
};

}  // namespace moefb::cpu
