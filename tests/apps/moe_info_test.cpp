// moe-info: text for a person, JSON for a program, both about the same model.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

using nlohmann::json;

json info(const FixtureModel& model, const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {MOEFB_INFO, model.file(), "--json"};
  command.insert(command.end(), more.begin(), more.end());
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return json::parse(outcome.out);
}

/// All numbers in the fixture's weights that are trained: running statistics and counters are not.
uint64_t trained_parameters(const std::string& fixture) {
  uint64_t count = 0;
  for (const auto& [name, tensor] :
       safetensors::read(std::string(MOEFB_TEST_DATA "/golden/") + fixture + "/state_dict.safetensors").tensors) {
    const bool statistic = name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
    if (!statistic) count += uint64_t(tensor.elements());
  }
  return count;
}

TEST(MoeInfo, JsonHasTheSizesOfTheModel) {
  for (const char* fixture : {kPictureFixture, kFeatureFixture, kPatchFixture, kMapFixture}) {
    const FixtureModel model(fixture);
    const json report = info(model);
    EXPECT_EQ(report["parameters"], trained_parameters(fixture)) << fixture;
    EXPECT_LT(report["active_parameters"], report["parameters"]) << fixture;
    EXPECT_GT(report["active_parameters"], 0) << fixture;
    EXPECT_GT(report["multiply_adds"], 0) << fixture;
    EXPECT_GT(report["arena_bytes"], 0) << fixture;
    EXPECT_EQ(report["file_bytes"], std::filesystem::file_size(model.file())) << fixture;
    EXPECT_FALSE(report["layers"].empty()) << fixture;
  }
}

TEST(MoeInfo, JsonDescribesTheRouterOfAHead) {
  const json report = info(FixtureModel(kPictureFixture, {{"temperature", 0.85}}));
  EXPECT_EQ(report["kind"], "cifar_e2e");
  EXPECT_EQ(report["head"], "sparse");
  EXPECT_EQ(report["classes"], 10);
  EXPECT_EQ(report["class_names"][3], "class 3");
  EXPECT_EQ(report["input"]["shape"], json({3, 32, 32}));
  EXPECT_EQ(report["preprocessing"]["filter"], "bilinear");
  const json& routing = report["layers"].back()["routing"];
  EXPECT_EQ(routing["experts"], 8);
  EXPECT_EQ(routing["k"], 2);
  EXPECT_EQ(routing["temperature"], 0.85);
  EXPECT_EQ(routing["mask_rule"], "threshold");
}

TEST(MoeInfo, JsonDescribesTheRoutersOfAPatchNetwork) {
  const json report = info(FixtureModel(kPatchFixture, {{"capacity_group", "image"}}));
  EXPECT_EQ(report["capacity_group"], "image");
  std::vector<int> published, tokens;
  for (const json& layer : report["layers"]) {
    if (!layer.contains("routing")) continue;
    published.push_back(layer["published_layer"]);
    tokens.push_back(layer["routing"]["tokens_per_image"]);
    EXPECT_EQ(layer["routing"]["capacity_factor"], 2.0);
    EXPECT_EQ(layer["routing"]["experts"], 4);
  }
  EXPECT_EQ(published, (std::vector<int>{0, 1, 3, 5, 7}));
  EXPECT_EQ(tokens, (std::vector<int>{16, 16, 16, 16, 4}));
}

TEST(MoeInfo, ShowsWhetherPaddingIsCropped) {
  for (const bool cropped : {false, true}) {
    const FixtureModel model(kPatchFixture, {{"crop_padding", cropped}});
    const json report = info(model);
    int routers = 0;
    for (const json& layer : report["layers"]) {
      if (!layer.contains("routing")) continue;
      EXPECT_EQ(layer["routing"]["crop_padding"], cropped);
      ++routers;
    }
    EXPECT_EQ(routers, 5);
    const Outcome outcome = run({MOEFB_INFO, model.file()});
    EXPECT_EQ(outcome.out.find("padding is cropped") != std::string::npos, cropped) << outcome.out;
  }
}

TEST(MoeInfo, ModelWithoutStemHasNoPreprocessing) {
  const json report = info(FixtureModel(kFeatureFixture));
  EXPECT_TRUE(report["preprocessing"].is_null());
  EXPECT_EQ(report["input"]["takes"], "features");
  EXPECT_EQ(report["input"]["shape"], json({48}));
}

TEST(MoeInfo, ArenaGrowsWithTheLargestBatch) {
  const FixtureModel model(kPictureFixture);
  const uint64_t one = info(model)["arena_bytes"], eight = info(model, {"--max-batch", "8"})["arena_bytes"];
  EXPECT_GT(eight, 4 * one);
}

TEST(MoeInfo, TextShowsEveryStageAndSection) {
  const FixtureModel model(kPatchFixture);
  const json report = info(model);
  const Outcome outcome = run({MOEFB_INFO, model.file()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<std::string> text = lines(outcome.out);
  EXPECT_EQ(text[0], model.file());
  for (const char* heading : {"graph", "routing", "sizes", "golden vectors"}) {
    EXPECT_NE(std::find(text.begin(), text.end(), heading), text.end()) << heading;
  }
  for (const json& segment : report["checksums"]["segments"]) {
    EXPECT_TRUE(contains(outcome.out, segment["crc32c"]));
  }
  const auto graph = std::find(text.begin(), text.end(), "graph");
  const auto end = std::find(graph, text.end(), "");
  EXPECT_EQ(size_t(end - graph), report["layers"].size() + 3) << "heading, column titles, stages, sum";
}

TEST(MoeInfo, UsageErrorsExitOne) {
  const FixtureModel model(kFeatureFixture);
  const std::vector<std::vector<std::string>> bad = {{MOEFB_INFO, model.file(), "--loud"},
                                                     {MOEFB_INFO, model.file(), "--max-batch", "0"},
                                                     {MOEFB_INFO, model.file(), "--kernels", "native"},
                                                     {MOEFB_INFO, model.file(), model.file()}};
  for (const std::vector<std::string>& command : bad) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("moe-info: ")) << outcome.err;
  }
  EXPECT_EQ(run({MOEFB_INFO, "--help"}).exit_code, 0);
  EXPECT_EQ(run({MOEFB_INFO, "--version"}).exit_code, 0);
}

TEST(MoeInfo, LostStandardOutputIsAFailureNotASignal) {
  const FixtureModel model(kFeatureFixture);
  for (const Outcome& outcome :
       {run({MOEFB_INFO, model.file()}, "/dev/full"), run_into_closed_pipe({MOEFB_INFO, model.file()})}) {
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, 1);
  }
}

}  // namespace
}  // namespace moefb::testing
