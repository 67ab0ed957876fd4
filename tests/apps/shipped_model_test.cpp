// What a user does first: the default model on the pictures that come with it, each named after what it shows.
#include <gtest/gtest.h>

#include <filesystem>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

namespace fs = std::filesystem;

TEST(ShippedModel, IsRightAboutTheExamplePictures) {
  std::vector<std::string> command = {MOEFB_INFER, "--json", "--top", "1"};
  std::vector<std::string> shown;
  for (const auto& entry : fs::directory_iterator(MOEFB_SOURCE_DIR "/examples/images")) {
    const std::string type = entry.path().extension();
    if (type != ".png" && type != ".jpg") continue;
    command.push_back(entry.path());
    shown.push_back(entry.path().stem());
  }
  ASSERT_FALSE(shown.empty());
  const Outcome outcome = run(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<std::string> answers = lines(outcome.out);
  ASSERT_EQ(answers.size(), shown.size());
  for (size_t i = 0; i < shown.size(); ++i) {
    EXPECT_EQ(nlohmann::json::parse(answers[i])["top"][0]["class"], shown[i]) << answers[i];
  }
}

TEST(ShippedModel, PassesItsSelftest) {
  const Outcome outcome = run({MOEFB_INFER, "--selftest"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "from the trainer"));
}

}  // namespace
}  // namespace moefb::testing
