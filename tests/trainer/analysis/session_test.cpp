#include "trainer/analysis/session.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "converter/temporary_folder.h"
#include "trainer/analysis/known_matrix.h"
#include "trainer/analysis/lanczos.h"

namespace moefb::trainer {
namespace {

class SessionTest : public ::testing::Test {
 protected:
  /// Runs Lanczos in a session that is stopped after so many further products. @return whether it reached the end
  bool run(int64_t products, Lanczos& lanczos, const std::string& fingerprint = "same") {
    const int64_t last = known_.products + products;
    Session session(path_, fingerprint, [&] { return known_.products >= last; });
    try {
      session.run("train.eigenvalues", "eigenvalues", lanczos);
    } catch (const Stopped&) {
      return false;
    }
    return true;
  }
  Lanczos fresh() { return {op_, 20, 3, 1}; }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "partial.safetensors";
  KnownMatrix known_{bulk_and({9, -7, 5}, 60)};
  SymmetricOperator op_ = known_.as_operator();
};

TEST_F(SessionTest, StoppedAnywhereItGoesOnToTheSameResult) {
  Lanczos whole = fresh();
  finish(whole);
  for (int round = 0;; ++round) {
    ASSERT_LT(round, 10);
    Lanczos part = fresh();
    if (!run(3, part)) continue;
    EXPECT_EQ(part.leading().values, whole.leading().values);
    EXPECT_TRUE(part.leading().vectors.equal(whole.leading().vectors));
    EXPECT_EQ(round, 6);
    break;
  }
  EXPECT_EQ(known_.products, 40) << "a product was taken twice";
}

TEST_F(SessionTest, FinishedTasksAreNotDoneAgain) {
  Lanczos first = fresh();
  ASSERT_TRUE(run(100, first));
  Lanczos second = fresh();
  ASSERT_TRUE(run(0, second));
  EXPECT_EQ(known_.products, 20);
  EXPECT_EQ(second.leading().values, first.leading().values);
}

TEST_F(SessionTest, AFileOfOtherSettingsIsOfNoAccount) {
  Lanczos first = fresh();
  ASSERT_FALSE(run(7, first));
  Lanczos second = fresh();
  ASSERT_TRUE(run(100, second, "other"));
  EXPECT_EQ(known_.products, 27);
}

TEST_F(SessionTest, FinishRemovesTheFile) {
  Lanczos lanczos = fresh();
  ASSERT_TRUE(run(100, lanczos));
  ASSERT_TRUE(std::filesystem::exists(path_));
  Session session(path_, "same", [] { return false; });
  EXPECT_TRUE(session.resumed());
  session.finish();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace moefb::trainer
