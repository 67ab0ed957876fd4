// --metrics of moe-infer: the router metrics over all pictures given.
#include <gtest/gtest.h>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

using nlohmann::json;

Outcome infer(const FixtureModel& model, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {MOEFB_INFER, "--model", model.file(), "--metrics"});
  return run(arguments);
}

TEST(MoeInferMetrics, LastLineOfJsonAddsUpTheRoutingOfEveryPicture) {
  const FixtureModel model(kPatchFixture, {{"capacity_factor_val", 1.0}});
  const Outcome outcome = infer(
      model, {"--json", "--routing", model.write_picture("a.bmp", 64, 64, 1), model.write_picture("b.bmp", 90, 70, 2)});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<std::string> text = lines(outcome.out);
  ASSERT_EQ(text.size(), 3u);
  const json answers[] = {json::parse(text[0]), json::parse(text[1])}, all = json::parse(text[2]);
  EXPECT_EQ(all["pictures"], 2);
  EXPECT_EQ(all["metrics"].size(), 19u);
  double tokens = 0, dropped = 0, slots = 0;
  ASSERT_EQ(all["layers"].size(), answers[0]["routing"].size());
  for (size_t i = 0; i < all["layers"].size(); ++i) {
    const json &layer = all["layers"][i], &first = answers[0]["routing"][i], &second = answers[1]["routing"][i];
    EXPECT_EQ(layer["layer"], first["layer"]);
    EXPECT_EQ(layer["capacity"], first["capacity"].get<double>() + second["capacity"].get<double>());
    EXPECT_EQ(layer["dropped"], first["dropped"].get<double>() + second["dropped"].get<double>());
    for (size_t e = 0; e < layer["usage"].size(); ++e) {
      EXPECT_EQ(layer["usage"][e], first["tokens"][e].get<double>() + second["tokens"][e].get<double>());
    }
    tokens += layer["tokens"].get<double>();
    dropped += layer["dropped"].get<double>();
    slots += layer["capacity"].get<double>() * double(layer["usage"].size());
  }
  EXPECT_GT(dropped, 0);
  EXPECT_NEAR(all["metrics"]["drop_rate"], dropped / tokens, 1e-8);
  EXPECT_NEAR(all["metrics"]["capacity_efficiency"], (tokens - dropped) / slots, 1e-8);
}

TEST(MoeInferMetrics, TextHasALinePerLayerAndThePublishedNames) {
  const FixtureModel model(kPatchFixture);
  const Outcome outcome = infer(model, {model.write_picture("a.bmp", 64, 64), "--top", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<std::string> text = lines(outcome.out);
  ASSERT_EQ(text.size(), 2u + 1 + 1 + 5 + 1 + 19) << outcome.out;
  EXPECT_EQ(text[2], "router metrics over 1 picture");
  EXPECT_TRUE(text[10].starts_with("  drop_rate")) << text[10];
}

TEST(MoeInferMetrics, PicturesThatFailDoNotCount) {
  const FixtureModel model(kPatchFixture);
  const Outcome outcome = infer(model, {"--json", model.write_picture("a.bmp", 64, 64), model.path("absent.png")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(json::parse(lines(outcome.out).back())["pictures"], 1);
  const Outcome none = infer(model, {"--json", model.path("absent.png")});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(none.out, "");
}

TEST(MoeInferMetrics, ModelThatRoutesWholePicturesIsRefused) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome = infer(model, {model.write_picture("a.bmp", 32, 32)});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("router metrics are of patch networks"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace moefb::testing
