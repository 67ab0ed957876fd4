// What a user does first: the models that come with moefb, on the pictures that come with it, each named after what it
// shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files(const std::string& folder, const std::vector<std::string>& types) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(std::string(MOEFB_SOURCE_DIR "/") + folder)) {
    if (std::count(types.begin(), types.end(), entry.path().extension())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void expect_named_after_content(std::vector<std::string> command, const std::vector<fs::path>& pictures) {
  ASSERT_FALSE(pictures.empty());
  command.insert(command.end(), pictures.begin(), pictures.end());
  const Outcome outcome = run(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<std::string> answers = lines(outcome.out);
  ASSERT_EQ(answers.size(), pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    EXPECT_EQ(nlohmann::json::parse(answers[i])["top"][0]["class"], pictures[i].stem().string()) << answers[i];
  }
}

TEST(ShippedModels, ShapesIsRightAboutTheDrawnPictures) {
  expect_named_after_content(
      {MOEFB_INFER, "--json", "--top", "1", "--model", MOEFB_SOURCE_DIR "/models/shapes-sparse.moefb"},
      files("examples/images", {".png", ".jpg"}));
}

TEST(ShippedModels, ShapesByPatchesIsRightAboutThemToo) {
  expect_named_after_content(
      {MOEFB_INFER, "--json", "--top", "1", "--model", MOEFB_SOURCE_DIR "/models/shapes-patch.moefb"},
      files("examples/images", {".png", ".jpg"}));
}

TEST(ShippedModels, DefaultIsRightAboutThePhotographs) {
  expect_named_after_content({MOEFB_INFER, "--json", "--top", "1"}, files("examples/photographs", {".jpg"}));
}

TEST(ShippedModels, PassTheirSelftestWithEveryKindOfKernels) {
  const std::vector<fs::path> models = files("models", {".moefb"});
  ASSERT_FALSE(models.empty());
  for (const fs::path& model : models) {
    for (const char* kernels : {"auto", "reference"}) {
      const Outcome outcome = run({MOEFB_INFER, "--selftest", "--model", model, "--kernels", kernels});
      EXPECT_EQ(outcome.exit_code, 0) << model << " " << kernels << "\n" << outcome.out << outcome.err;
      EXPECT_TRUE(contains(outcome.out, "golden vector 0: passed")) << model << " " << kernels;
    }
  }
}

TEST(ShippedModels, HaveACardAndAConfiguration) {
  for (const fs::path& model : files("models", {".moefb"})) {
    EXPECT_TRUE(fs::exists(fs::path(model).replace_extension(".md"))) << model;
    EXPECT_TRUE(fs::exists(fs::path(MOEFB_SOURCE_DIR "/trainer/configs") / (model.stem().string() + ".toml"))) << model;
  }
}

}  // namespace
}  // namespace moefb::testing
