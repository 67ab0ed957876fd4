// A fixed pool of threads, or the host's own, behind one call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "moefb/executor.h"
#include "moefb/result.h"

namespace moefb::cpu {

/// Shares ranges of work among threads. One caller at a time (the Executor sees to it). Never allocates after start().
/// The caller works too and waits only for workers that have begun: what sleeps, or waits for a core, holds up nobody.
class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Starts threads - 1 workers (the caller is the last one), or takes the host's. @return kOutOfMemory if the system
  /// has no more threads
  Status start(int threads, const HostThreads& host) noexcept;

  int threads() const noexcept { return threads_; }

  /// Calls fn(begin, end) for pieces of 0..n, each at least `grain` long (but the last), on all threads; returns when
  /// all are done.
  template <typename Fn>
  void parallel_for(int64_t n, int64_t grain, const Fn& fn) noexcept {
    if (n <= 0) return;
    if (threads_ == 1 || n <= grain) {
      fn(int64_t{0}, n);
      return;
    }
    // A few pieces a thread: uneven ones even out, and taking a piece costs one atomic addition.
    const int64_t pieces = std::min((n + grain - 1) / grain, int64_t{threads_} * 4);
    Task<Fn> task{&fn, n, pieces};
    dispatch(int(pieces), &Task<Fn>::run, &task);
  }

  /// Calls fn(i) for every i in 0..n-1, each taken alone by the next free thread; returns when all are done. For
  /// units that are few, large or uneven.
  template <typename Fn>
  void for_each(int64_t n, const Fn& fn) noexcept {
    if (threads_ == 1 || n <= 1) {
      for (int64_t i = 0; i < n; ++i) fn(i);
      return;
    }
    dispatch(
        int(n), [](void* self, int i) { (*static_cast<const Fn*>(self))(int64_t{i}); }, const_cast<Fn*>(&fn));
  }

 private:
  template <typename Fn>
  struct Task {
    const Fn* fn;
    int64_t n;
    int64_t pieces;
    static void run(void* self, int piece) {
      const auto& t = *static_cast<const Task*>(self);
      (*t.fn)(t.n * piece / t.pieces, t.n * (piece + 1) / t.pieces);
    }
  };

  using PieceFn = void (*)(void* task, int piece);
  void dispatch(int pieces, PieceFn fn, void* task) noexcept;
  void work() noexcept;  ///< a worker's life
  bool join() noexcept;  ///< @return false if the round is over
  void leave() noexcept;
  void take_pieces() noexcept;

  HostThreads host_;
  int threads_ = 1;
  int workers_ = 0;
  std::unique_ptr<std::thread[]> pool_;

  PieceFn fn_ = nullptr;
  void* task_ = nullptr;
  int pieces_ = 0;
  std::atomic<int> next_piece_{0};
  static constexpr uint32_t kClosed = 1u << 31;
  std::atomic<uint32_t> inside_{kClosed};  ///< workers in the current round, and kClosed once no more may join
  std::atomic<uint32_t> round_{0};         ///< grows by one with every dispatch; workers wait for it
  std::atomic<bool> stop_{false};
};

}  // namespace moefb::cpu
