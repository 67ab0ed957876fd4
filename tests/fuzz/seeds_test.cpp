// Every seed, and every input that once crashed a target, through its target: without a fuzzer, so in every build.
#include <gtest/gtest.h>

#include <filesystem>

#include "converter/atomic_file.h"
#include "fuzz/targets.h"
#include "moefb/image.h"
#include "moefb/model.h"
#include "runtime/format/run_model.h"

namespace moefb::fuzz {
namespace {

namespace fs = std::filesystem;

class FuzzTarget : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTarget, ComesBackFromEverySeed) {
  const std::vector<Seed> seeds = seeds_for(GetParam().name);
  EXPECT_GE(seeds.size(), 3u);
  for (const Seed& seed : seeds) {
    SCOPED_TRACE(seed.name);
    GetParam().run(seed.bytes);
  }
}

TEST_P(FuzzTarget, ComesBackFromEveryInputThatOnceCrashedIt) {
  const fs::path folder = fs::path(MOEFB_SOURCE_DIR "/tests/fuzz/regressions") / GetParam().name;
  if (!fs::exists(folder)) GTEST_SKIP() << "no input has crashed it yet";
  for (const auto& entry : fs::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    GetParam().run(read_file(entry.path().string()));
  }
}

INSTANTIATE_TEST_SUITE_P(, FuzzTarget, ::testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

// A seed that is refused, or too large to be run, would lead a fuzzer nowhere.
TEST(FuzzSeeds, ModelsLoadAndAreRun) {
  for (const Seed& seed : seeds_for("run")) {
    const auto model = Model::load(seed.bytes);
    ASSERT_TRUE(model.ok()) << seed.name << ": " << model.status().text();
    EXPECT_TRUE(testing::run_if_small(*model)) << seed.name;
  }
}

TEST(FuzzSeeds, PicturesDecode) {
  for (const Seed& seed : seeds_for("picture")) EXPECT_TRUE(decode_image(seed.bytes).ok()) << seed.name;
}

}  // namespace
}  // namespace moefb::fuzz
