#include "moefb/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace moefb {
namespace {

std::string text_of(Status status) {
  char buffer[128];
  return status.describe(buffer, sizeof buffer);
}

TEST(CodeName, IsDifferentForEveryCode) {
  std::set<std::string> names;
  for (int i = 0; i <= int(Code::kBackend); ++i) names.insert(code_name(Code(i)));
  EXPECT_EQ(names.size(), size_t(Code::kBackend) + 1);
  EXPECT_EQ(names.count("unknown error"), 0u);
  EXPECT_STREQ(code_name(Code(200)), "unknown error");
}

TEST(Describe, TellsWhatIsKnown) {
  const Status status(Code::kCorruptFile, "segment checksum differs");
  EXPECT_EQ(text_of(status), "corrupt file: segment checksum differs");
  EXPECT_EQ(text_of(status.at(3)), "corrupt file: segment checksum differs (at 3)");
  EXPECT_EQ(text_of(status.values(17, -42)), "corrupt file: segment checksum differs (found 17, expected -42)");
  EXPECT_EQ(text_of(status.at(3).values(17, 42)),
            "corrupt file: segment checksum differs (at 3; found 17, expected 42)");
}

TEST(Describe, SuccessIsOk) {
  EXPECT_EQ(text_of(Status()), "ok");
}

TEST(Describe, IsCutToTheBuffer) {
  char buffer[8] = "unused";
  const Status status(Code::kBusy, "another thread is here");
  EXPECT_STREQ(status.describe(buffer, sizeof buffer), "busy: a");
  EXPECT_STREQ(status.describe(buffer, 1), "");
  EXPECT_EQ(status.describe(nullptr, 0), nullptr);
}

TEST(Result, HoldsAValueThatMoves) {
  Result<std::unique_ptr<int>> first(std::make_unique<int>(5));
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(first.status().ok());
  Result<std::unique_ptr<int>> second(std::move(first));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(**second, 5);
}

TEST(Result, HoldsAStatus) {
  const Result<int> result = Status(Code::kNotFound, "no such file").at(1);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), Code::kNotFound);
  EXPECT_EQ(result.status().where(), 1);
}

Status fails_through_try(bool* reached) {
  MOEFB_TRY(Status());
  MOEFB_TRY(Status(Code::kIo, "first"));
  *reached = true;
  return Status();
}

TEST(Try, ReturnsTheFirstFailure) {
  bool reached = false;
  EXPECT_EQ(fails_through_try(&reached).code(), Code::kIo);
  EXPECT_FALSE(reached);
}

}  // namespace
}  // namespace moefb
