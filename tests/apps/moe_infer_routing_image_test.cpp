// --routing-image of moe-infer: that a good picture appears, or a clear message and none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/fixture_model.h"
#include "apps/process.h"
#include "moefb/image.h"

namespace moefb::testing {
namespace {

Outcome infer(const FixtureModel& model, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {MOEFB_INFER, "--model", model.file()});
  return run(arguments);
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class MoeInferRoutingImage : public ::testing::Test {
 protected:
  const FixtureModel model_{kPatchFixture};
  const std::string picture_ = model_.write_picture("a.bmp", 200, 150);
};

TEST_F(MoeInferRoutingImage, IsAPictureOfEveryLayerThatOurDecoderReads) {
  const Outcome outcome = infer(model_, {picture_, "--routing-image", model_.path("out.png")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.out).back(), "  routing drawn in " + model_.path("out.png"));
  const Result<Image> drawn = load_image(model_.path("out.png").c_str());
  ASSERT_TRUE(drawn.ok()) << drawn.status().text();
  EXPECT_GT(int64_t(drawn->width) * drawn->height, 6 * 350 * 350);  // five layers and the plain view
}

TEST_F(MoeInferRoutingImage, IsTheSameBytesEveryTime) {
  for (const char* name : {"1.png", "2.png"}) infer(model_, {picture_, "--routing-image", model_.path(name)});
  const std::string first = content(model_.path("1.png"));
  ASSERT_GT(first.size(), 10000u);
  EXPECT_TRUE(first == content(model_.path("2.png")));
}

TEST_F(MoeInferRoutingImage, ShowsTheRoutingOfTheOptionsInForce) {
  const FixtureModel tight(kPatchFixture, {{"capacity_factor_val", 0.5}});
  infer(tight, {picture_, "--routing-image", model_.path("dropped.png")});
  infer(tight, {picture_, "--routing-image", model_.path("all.png"), "--capacity-group", "none"});
  EXPECT_FALSE(content(model_.path("dropped.png")) == content(model_.path("all.png")));
}

TEST_F(MoeInferRoutingImage, SeveralPicturesAreNumberedByTheirPlace) {
  const Outcome outcome = infer(model_, {picture_, model_.path("absent.png"), model_.write_picture("b.bmp", 64, 64, 2),
                                         "--routing-image", model_.path("out.png")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(std::filesystem::exists(model_.path("out-1.png")));
  EXPECT_FALSE(std::filesystem::exists(model_.path("out-2.png")));
  EXPECT_TRUE(std::filesystem::exists(model_.path("out-3.png")));
  EXPECT_FALSE(std::filesystem::exists(model_.path("out.png")));
}

TEST_F(MoeInferRoutingImage, JsonNamesTheFile) {
  const Outcome outcome = infer(model_, {picture_, "--json", "--routing-image", model_.path("out.png")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["routing_image"], model_.path("out.png"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(MoeInferRoutingImage, PictureOfAnySizeIsDrawn) {
  for (const auto& [width, height] : {std::pair(1, 1), std::pair(900, 3), std::pair(3, 900), std::pair(1500, 1200)}) {
    const Outcome outcome =
        infer(model_, {model_.write_picture("odd.bmp", width, height), "--routing-image", model_.path("out.png")});
    EXPECT_EQ(outcome.exit_code, 0) << width << 'x' << height << ": " << outcome.err;
  }
}

TEST_F(MoeInferRoutingImage, GridThatDoesNotDivideTheInputIsDrawn) {
  const FixtureModel odd(kPatchFixture, {{"image", nlohmann::json::array({50, 70})}, {"resize_to", 60}});
  const Outcome outcome = infer(odd, {picture_, "--routing-image", odd.path("out.png")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_F(MoeInferRoutingImage, FolderThatIsNotThereIsNamedAndNothingIsAnswered) {
  const std::string file = model_.path("nowhere/out.png");
  const Outcome outcome = infer(model_, {picture_, "--routing-image", file});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find(file + ": "), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST_F(MoeInferRoutingImage, PictureItselfIsNotOverwritten) {
  const std::string png = model_.write_text("same.png", content(picture_));
  const Outcome outcome = infer(model_, {png, "--routing-image", png});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("one of the pictures to classify"), std::string::npos) << outcome.err;
  EXPECT_TRUE(content(png) == content(picture_));
}

TEST_F(MoeInferRoutingImage, NumberedPictureIsNotOverwrittenEither) {
  const std::string png = model_.write_text("sheet-1.png", content(picture_));
  const Outcome outcome = infer(model_, {png, picture_, "--routing-image", model_.path("sheet.png")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("would replace " + png), std::string::npos) << outcome.err;
  EXPECT_TRUE(content(png) == content(picture_));
}

TEST(MoeInferRoutingImageOfHeads, RefusesAndDrawsNothing) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome =
      infer(model, {model.write_picture("a.bmp", 32, 32), "--routing-image", model.path("out.png")});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("its router sends whole pictures"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(model.path("out.png")));
}

}  // namespace
}  // namespace moefb::testing
