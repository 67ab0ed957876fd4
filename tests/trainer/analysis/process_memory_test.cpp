// That a peak is seen, also one that is over before the action ends, and in memory that was used before.
#include "trainer/analysis/process_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace moefb::trainer {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr int64_t kCounted = kMebibyte;  // Linux counts pages core by core and adds up now and then: it may miss some

void touch(int64_t mebibytes) {
  std::vector<char> memory(size_t(mebibytes * kMebibyte), 1);
  volatile char seen = memory[memory.size() / 2];
  (void)seen;
}

TEST(ProcessMemory, PeakIsWhatTheActionTouchedThoughItIsFreedAgain) {
  const auto growth = peak_growth_bytes([] { touch(48); });
  if (!growth) GTEST_SKIP() << "this system does not let the high-water mark be set back";
  EXPECT_GE(*growth, 48 * kMebibyte - kCounted);
  EXPECT_LT(*growth, 64 * kMebibyte);
}

TEST(ProcessMemory, EarlierPeaksDoNotCount) {
  touch(96);
  const auto growth = peak_growth_bytes([] { touch(16); });
  if (!growth) GTEST_SKIP() << "this system does not let the high-water mark be set back";
  EXPECT_GE(*growth, 16 * kMebibyte - kCounted);
  EXPECT_LT(*growth, 32 * kMebibyte);
}

TEST(ProcessMemory, ResidentMemoryGrowsByWhatIsHeld) {
  const auto before = resident_bytes();
  ASSERT_TRUE(before.has_value());
  const std::vector<char> held(size_t(40 * kMebibyte), 1);
  EXPECT_GE(*resident_bytes() - *before, 40 * kMebibyte - kCounted);
}

}  // namespace
}  // namespace moefb::trainer
