#include "cpu/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <new>

namespace moefb::cpu {
namespace {

// A hand-off costs 0.1 us spinning and 45 us through the kernel, so a worker spins for about one layer's time before it
// sleeps. Every so often it offers its core to others: beside another job, the thread that has the work may be waiting
// for just that core. That may cost it a whole slice of the scheduler, so nobody waits for a thread that does not work.
constexpr int kSpins = 4000;
constexpr int kSpinsBetweenYields = 50;

inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Returns once `value` is no longer `old`.
template <typename T>
void wait_for_change(const std::atomic<T>& value, T old) noexcept {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    if (i % kSpinsBetweenYields == kSpinsBetweenYields - 1) {
      sched_yield();
    } else {
      relax();
    }
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Status ThreadPool::start(int threads, const HostThreads& host) noexcept {
  host_ = host;
  if (host_.parallel_for != nullptr) {
    threads_ = host_.threads;
    return {};
  }
  pool_.reset(new (std::nothrow) std::thread[size_t(threads - 1)]);
  if (pool_ == nullptr) return Status(Code::kOutOfMemory, "no memory for the thread pool");
  for (; workers_ < threads - 1; ++workers_) {
    // std::thread reports failure by exception, which this library is built without: ask the system first.
    pthread_t probe;
    if (pthread_create(
            &probe, nullptr, [](void*) -> void* { return nullptr; }, nullptr) != 0) {
      return Status(Code::kOutOfMemory, "the system has no more threads").values(workers_ + 1, threads);
    }
    pthread_join(probe, nullptr);
    pool_[size_t(workers_)] = std::thread([this] { work(); });
  }
  threads_ = threads;
  return {};
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (int i = 0; i < workers_; ++i) pool_[size_t(i)].join();
}

void ThreadPool::take_pieces() noexcept {
  for (int piece; (piece = next_piece_.fetch_add(1, std::memory_order_relaxed)) < pieces_;) fn_(task_, piece);
}

bool ThreadPool::join() noexcept {
  uint32_t inside = inside_.load(std::memory_order_relaxed);
  while ((inside & kClosed) == 0) {
    if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

void ThreadPool::leave() noexcept {
  if (inside_.fetch_sub(1, std::memory_order_acq_rel) == kClosed + 1) inside_.notify_one();
}

// A worker that comes late may find its round over, or join a later one than it was woken for, even one that it has
// already left: then no pieces are left, or it takes some.
void ThreadPool::work() noexcept {
  for (uint32_t seen = 0;;) {
    wait_for_change(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    if (!join()) continue;
    take_pieces();
    leave();
  }
}

void ThreadPool::dispatch(int pieces, PieceFn fn, void* task) noexcept {
  if (host_.parallel_for != nullptr) {
    host_.parallel_for(host_.ctx, pieces, fn, task);
    return;
  }
  fn_ = fn;
  task_ = task;
  pieces_ = pieces;
  next_piece_.store(0, std::memory_order_relaxed);
  inside_.store(0, std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_pieces();
  uint32_t inside = inside_.fetch_or(kClosed, std::memory_order_acq_rel) | kClosed;
  for (; inside != kClosed; inside = inside_.load(std::memory_order_acquire)) wait_for_change(inside_, inside);
}

}  // namespace moefb::cpu
