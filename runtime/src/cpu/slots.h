// Workspaces for those who are inside one op at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "moefb/result.h"

namespace moefb::cpu {

/// Numbers 0 to count - 1, each lent to one thread at a time.
class Slots {
 public:
  Status make(int count) noexcept {
    taken_.reset(new (std::nothrow) std::atomic<bool>[size_t(count)] {});
    if (taken_ == nullptr) return Status(Code::kOutOfMemory, "no memory for slots");
    count_ = count;
    return {};
  }
  int count() const noexcept { return count_; }

  /// A slot for one scope. Waits for one while a host runs more threads at once than it said.
  class Lease {
   public:
    explicit Lease(Slots& slots) noexcept : slots_(slots), index_(slots.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { slots_.taken_[size_t(index_)].store(false, std::memory_order_release); }
    int index() const noexcept { return index_; }

   private:
    Slots& slots_;
    int index_;
  };

 private:
  int take() noexcept {
    for (int i = 0;; i = i + 1 < count_ ? i + 1 : 0) {
      if (!taken_[size_t(i)].exchange(true, std::memory_order_acquire)) return i;
    }
  }

  int count_ = 0;
  std::unique_ptr<std::atomic<bool>[]> taken_;
};

}  // namespace moefb::cpu
