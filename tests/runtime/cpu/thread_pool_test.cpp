#include "cpu/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <vector>

namespace moefb::cpu {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 5));

TEST_P(ThreadPoolTest, VisitsEveryUnitOnce) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam(), {}).ok());
  for (int64_t n : {0, 1, 2, 7, 64, 1000}) {
    for (int64_t grain : {1, 5, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(n));
      pool.parallel_for(n, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) visits[size_t(i)].fetch_add(1);
      });
      for (const auto& v : visits) EXPECT_EQ(v.load(), 1) << "n " << n << " grain " << grain;
    }
  }
}

TEST_P(ThreadPoolTest, MakesWorkVisibleToTheCaller) {
  // Plain memory, hundreds of rounds: a missing fence or a worker that leaves a round late shows here, and under tsan.
  ThreadPool pool;
  ASSERT_TRUE(pool.start(GetParam(), {}).ok());
  std::vector<int> values(64, 0);
  for (int round = 1; round <= 500; ++round) {
    pool.parallel_for(64, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[size_t(i)] += 1;
    });
    ASSERT_EQ(values, std::vector<int>(64, round));
  }
}

TEST(ThreadPool, StopsWithoutHavingWorked) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(4, {}).ok());
}

void send(int pipe_end) {
  const char byte = 0;
  EXPECT_EQ(::write(pipe_end, &byte, 1), 1);
}

void receive(int pipe_end) {
  char byte = 0;
  EXPECT_EQ(::read(pipe_end, &byte, 1), 1);
}

/// While it lives, one thread stands in a signal handler, as if it had lost its core.
class Held {
 public:
  explicit Held(pthread_t thread) {
    EXPECT_EQ(::pipe(from_), 0);
    EXPECT_EQ(::pipe(to_), 0);
    struct sigaction action = {};
    action.sa_handler = [](int) {
      send(from_[1]);
      receive(to_[0]);
      send(from_[1]);
    };
    ::sigaction(SIGUSR1, &action, &before_);
    EXPECT_EQ(::pthread_kill(thread, SIGUSR1), 0);
    receive(from_[0]);
  }
  ~Held() {
    send(to_[1]);
    receive(from_[0]);
    ::sigaction(SIGUSR1, &before_, nullptr);
    for (const int end : {from_[0], from_[1], to_[0], to_[1]}) ::close(end);
  }

 private:
  static inline int from_[2], to_[2];
  struct sigaction before_ = {};
};

/// The one worker of a pool of two.
pthread_t worker_of(ThreadPool& pool) {
  std::atomic<int> inside{0};
  pthread_t worker{};
  const pthread_t caller = ::pthread_self();
  pool.for_each(2, [&](int64_t) {
    if (!::pthread_equal(::pthread_self(), caller)) worker = ::pthread_self();
    inside.fetch_add(1);
    while (inside.load() < 2) sched_yield();  // until both threads have come
  });
  return worker;
}

TEST(ThreadPool, CallerFinishesAloneWhileTheWorkerHasNoCore) {
  // Beside another job a run of 50 us took 8 ms: the caller waited for a worker that had yet to be given a core, only
  // to hear from it that nothing was left to do.
  ThreadPool pool;
  ASSERT_TRUE(pool.start(2, {}).ok());
  const pthread_t worker = worker_of(pool), caller = ::pthread_self();
  std::vector<int> visits(16, 0);
  {
    const Held held(worker);
    for (int round = 0; round < 3; ++round) {
      pool.for_each(16, [&](int64_t i) {
        EXPECT_TRUE(::pthread_equal(::pthread_self(), caller));
        ++visits[size_t(i)];
      });
    }
  }
  EXPECT_EQ(visits, std::vector<int>(16, 3));
  EXPECT_TRUE(::pthread_equal(worker_of(pool), worker)) << "and has a worker again once that goes on";
}

}  // namespace
}  // namespace moefb::cpu
