// Who runs when, whose times count, and that nobody is timed who answers otherwise. Engines made by hand.
#include "trainer/analysis/contest.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

/// Answers a batch (n, 2) with itself plus `error`, and writes down that it ran and on which.
class EchoEngine : public Engine {
 public:
  EchoEngine(char letter, float error, std::string& log) : letter_(letter), error_(error), log_(log) {}

  void load(const at::Tensor& batch) override { batch_ = batch; }
  void run() override {
    log_ += letter_ + std::to_string(batch_[0][0].item<int>()) + " ";
    logits_ = batch_ + at::tensor({error_, 0.0f});
  }
  at::Tensor logits() const override { return logits_; }

 private:
  char letter_;
  float error_;
  std::string& log_;
  at::Tensor batch_, logits_;
};

class Contest : public ::testing::Test {
 protected:
  void add(const std::string& dispatch, float error = 0) {
    const char letter = char('a' + contestants_.size());
    contestants_.push_back({{"libtorch", dispatch, "-", 1}, std::make_unique<EchoEngine>(letter, error, log_), {}, {}});
  }
  static Rounds rounds(int64_t warmup, int64_t timed) {
    Rounds rounds;
    for (int64_t i = 0; i < warmup + timed; ++i) {
      auto& to = i < warmup ? rounds.warmup : rounds.timed;
      to.push_back(at::tensor({float(i), 10.0f}).unsqueeze(0));
    }
    return rounds;
  }

  /// Takes the round's entries off the log. @return the letters in their order
  std::string take_round(int64_t contestants, int64_t round) {
    std::string letters;
    const std::string behind = std::to_string(round) + " ";
    for (int64_t i = 0; i < contestants; ++i) {
      EXPECT_EQ(log_.substr(1, behind.size()), behind);
      letters += log_.front();
      log_.erase(0, 1 + behind.size());
    }
    std::string all = letters;
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, std::string("abc").substr(0, size_t(contestants))) << "round " << round;
    return letters;
  }

  std::vector<Contestant> contestants_;
  std::string log_;
};

TEST_F(Contest, RoundsGoThroughAllInAnotherOrderEachTime) {
  add("a"), add("b"), add("c");
  constexpr int64_t kRounds = 60;
  const auto answers = run_contest(contestants_, rounds(kRounds, 0), nullptr);
  ASSERT_EQ(answers->size(), size_t(kRounds));
  EXPECT_EQ(answers->back()[0][0].item<int>(), kRounds - 1);
  std::map<std::string, int> orders;
  for (int64_t round = 0; round < kRounds; ++round) ++orders[take_round(3, round)];
  EXPECT_EQ(log_, "");
  EXPECT_EQ(orders.size(), 6u) << "every contestant follows every other one";
  for (const auto& [order, times] : orders) EXPECT_GE(times, 2) << order;
}

TEST_F(Contest, WhoIsTimedAnswersTheBatchBeforeFirst) {
  add("a");
  const auto answers = run_contest(contestants_, rounds(1, 2), nullptr);
  EXPECT_EQ(log_, "a0 a0 a1 a1 a2 ");
  ASSERT_EQ(answers->size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answers->at(size_t(i))[0][0].item<int>(), i);
}

TEST_F(Contest, OnlyTimedRoundsAreTimed) {
  add("a"), add("b");
  run_contest(contestants_, rounds(2, 5), nullptr);
  for (const Contestant& one : contestants_) EXPECT_EQ(one.milliseconds.size(), 5u);
}

TEST_F(Contest, WhoAnswersOtherwiseIsNamedAndNothingIsTimed) {
  add("index"), add("onehot", 20);
  const std::string message = message_of([&] { run_contest(contestants_, rounds(1, 3), nullptr); });
  EXPECT_TRUE(contains(message, "libtorch onehot, 1 thread"));
  EXPECT_TRUE(contains(message, "1 of 1 pictures"));
  EXPECT_EQ(log_.size(), std::string("a0 b0 ").size()) << "one round: " << log_;
}

TEST_F(Contest, RoundingIsNotAnotherAnswer) {
  add("index"), add("onehot", 1e-5f);
  EXPECT_TRUE(run_contest(contestants_, rounds(1, 1), nullptr).has_value());
}

TEST_F(Contest, WhoAnswersOtherwiseThanExpectedIsNamedToo) {
  add("a");
  Rounds given = rounds(1, 1);
  given.expected = at::tensor({20.0f, 10.0f}).unsqueeze(0);
  const std::string message = message_of([&] { run_contest(contestants_, given, nullptr); });
  EXPECT_TRUE(contains(message, "libtorch a, 1 thread: expected the classes that libtorch on the CPU gives"));
  given.expected = given.warmup.front();
  EXPECT_TRUE(run_contest(contestants_, given, nullptr).has_value());
}

TEST_F(Contest, AGpuMayRoundToShorterNumbers) {
  add("a", 10.4f);  // answers (10.4, 10)
  Rounds given = rounds(1, 1);
  given.expected = at::tensor({9.6f, 10.0f}).unsqueeze(0);
  EXPECT_THROW(run_contest(contestants_, given, nullptr), std::runtime_error);
  contestants_.front().name.device = "cuda";
  EXPECT_TRUE(run_contest(contestants_, given, nullptr).has_value());
}

TEST_F(Contest, StopsBetweenTwoRounds) {
  add("a");
  EXPECT_FALSE(run_contest(contestants_, rounds(1, 3), [](int64_t done, int64_t) { return done == 2; }).has_value());
  EXPECT_EQ(log_, "a0 a0 a1 ");
}

}  // namespace
}  // namespace moefb::trainer
