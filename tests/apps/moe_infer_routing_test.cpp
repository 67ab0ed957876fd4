// --routing of moe-infer, against what a second way of computing it gives.
#include <gtest/gtest.h>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

using nlohmann::json;

json answer(const FixtureModel& model, const std::string& picture, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {MOEFB_INFER, picture, "--model", model.file(), "--json", "--routing"};
  command.insert(command.end(), more.begin(), more.end());
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return json::parse(outcome.out);
}

TEST(MoeInferRouting, SparseHeadNamesItsExpertsBestFirst) {
  const FixtureModel model(kPictureFixture);
  const json experts = answer(model, model.write_picture("a.bmp", 32, 32))["routing"];
  ASSERT_EQ(experts.size(), 2u) << experts;
  EXPECT_NE(experts[0]["expert"], experts[1]["expert"]);
  EXPECT_GE(experts[0]["weight"], experts[1]["weight"]);
  EXPECT_NEAR(experts[0]["weight"].get<double>() + experts[1]["weight"].get<double>(), 1.0, 2e-6);
  for (const json& share : experts) {
    EXPECT_GE(share["expert"], 0);
    EXPECT_LT(share["expert"], 8);
  }
}

TEST(MoeInferRouting, HardHeadUnderRuleGateShowsTheProbabilityBeforeTheMask) {
  const json hard = {{"head", "hard"}, {"k", 1}};
  const FixtureModel published(kPictureFixture, hard);
  const FixtureModel gate(kPictureFixture, {{"head", "hard"}, {"k", 1}, {"combine_weight", "gate"}});
  const std::string picture = published.write_picture("a.bmp", 32, 32);
  const json full = answer(published, picture)["routing"], scaled = answer(gate, picture)["routing"];
  ASSERT_EQ(full.size(), 1u);
  ASSERT_EQ(scaled.size(), 1u);
  EXPECT_EQ(full[0]["expert"], scaled[0]["expert"]);
  EXPECT_EQ(full[0]["weight"], 1.0);
  EXPECT_GT(scaled[0]["weight"], 1.0 / 8);  // the largest of eight that are not all equal
  EXPECT_LT(scaled[0]["weight"], 1.0);
}

TEST(MoeInferRouting, TextNamesExpertsInPercent) {
  const FixtureModel model(kPictureFixture);
  const std::string picture = model.write_picture("a.bmp", 32, 32);
  const json experts = answer(model, picture)["routing"];
  const Outcome outcome = run({MOEFB_INFER, picture, "--model", model.file(), "--routing"});
  const std::string last = lines(outcome.out).back();
  EXPECT_TRUE(last.starts_with("  experts: " + std::to_string(experts[0]["expert"].get<int>()) + " (")) << last;
  EXPECT_TRUE(last.ends_with(" %)")) << last;
}

// The patch fixture: 64 x 64 pixels, 32 x 32 after the stem in patches of 8; patch and map shrink together until the
// patch has reached 2.
constexpr int kLayers = 5;
constexpr int kPublished[kLayers] = {0, 1, 3, 5, 7};
constexpr int kTokens[kLayers] = {16, 16, 16, 16, 4};

TEST(MoeInferRouting, PatchLayersAccountForEveryToken) {
  const FixtureModel model(kPatchFixture);
  const json layers = answer(model, model.write_picture("a.bmp", 64, 64))["routing"];
  ASSERT_EQ(layers.size(), size_t(kLayers)) << layers;
  for (size_t i = 0; i < kLayers; ++i) {
    EXPECT_EQ(layers[i]["layer"], kPublished[i]);
    EXPECT_EQ(layers[i]["capacity"], kTokens[i] / 2);  // twice the fair share of four experts
    ASSERT_EQ(layers[i]["tokens"].size(), 4u);
    int64_t kept = 0;
    for (const json& tokens : layers[i]["tokens"]) {
      EXPECT_LE(tokens, layers[i]["capacity"]);
      kept += tokens.get<int64_t>();
    }
    EXPECT_EQ(kept + layers[i]["dropped"].get<int64_t>(), kTokens[i]);
  }
}

TEST(MoeInferRouting, TightCapacityDropsTokensAndGroupNoneKeepsThem) {
  const FixtureModel model(kPatchFixture, {{"capacity_factor_val", 0.25}});  // one slot for each of four experts
  const std::string picture = model.write_picture("a.bmp", 64, 64);
  const json tight = answer(model, picture)["routing"];
  const json free = answer(model, picture, {"--capacity-group", "none"})["routing"];
  ASSERT_EQ(tight.size(), size_t(kLayers));
  ASSERT_EQ(free.size(), size_t(kLayers));
  for (size_t i = 0; i < kLayers; ++i) {
    EXPECT_EQ(tight[i]["capacity"], 1);
    EXPECT_GE(tight[i]["dropped"], kTokens[i] - 4);
    EXPECT_EQ(free[i]["capacity"], kTokens[i]);
    EXPECT_EQ(free[i]["dropped"], 0);
  }
  EXPECT_GE(tight[0]["dropped"], 12);
}

TEST(MoeInferRouting, TextOfPatchLayersIsATable) {
  const FixtureModel model(kPatchFixture);
  const Outcome outcome =
      run({MOEFB_INFER, model.write_picture("a.bmp", 64, 64), "--model", model.file(), "--routing", "--top", "1"});
  const std::vector<std::string> text = lines(outcome.out);
  ASSERT_EQ(text.size(), 2u + 1u + 5u) << outcome.out;
  EXPECT_EQ(text[2], "  layer  capacity  dropped  tokens per expert");
}

TEST(MoeInferRouting, DispatchDoesNotChangeTheRoutes) {
  const FixtureModel model(kPatchFixture);
  const std::string picture = model.write_picture("a.bmp", 64, 64);
  const json grouped = answer(model, picture)["routing"];
  EXPECT_EQ(answer(model, picture, {"--dispatch", "naive"})["routing"], grouped);
  EXPECT_EQ(answer(model, picture, {"--dispatch", "all"})["routing"], grouped);
}

}  // namespace
}  // namespace moefb::testing
