#include "cpu/thread_pool.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace moefb::cpu
