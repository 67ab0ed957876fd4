// Model files that are damaged, or no model files at all: a message and exit 1 from both programs, never a signal.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void expect_refused(const std::string& file, const std::string& what) {
  const std::vector<std::vector<std::string>> commands = {
      {MOEFB_INFER, "--selftest", "--model", file}, {MOEFB_INFER, "a.png", "--model", file}, {MOEFB_INFO, file}};
  for (const std::vector<std::string>& command : commands) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.signal, 0) << what;
    EXPECT_EQ(outcome.exit_code, 1) << what;
    EXPECT_EQ(outcome.out, "") << what;
    EXPECT_TRUE(contains(outcome.err, ": " + file + ": ")) << what;
  }
}

TEST(DamagedModel, IsRefusedWhereverItIsCutShort) {
  const FixtureModel model(kFeatureFixture);
  const std::string good = bytes_of(model.file());
  for (const size_t size : {size_t{0}, size_t{3}, size_t{40}, size_t{72}, good.size() / 2, good.size() - 1}) {
    expect_refused(model.write_text("cut.moefb", good.substr(0, size)), "cut to " + std::to_string(size));
  }
  expect_refused(model.write_text("long.moefb", good + '\0'), "one byte longer");
}

TEST(DamagedModel, IsRefusedWhereverABitIsFlipped) {
  const FixtureModel model(kFeatureFixture);
  const std::string good = bytes_of(model.file());
  for (size_t at = 0; at < good.size(); at += 1 + good.size() / 23) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << at % 8);
    expect_refused(model.write_text("flipped.moefb", bad), "bit flipped at " + std::to_string(at));
  }
}

TEST(DamagedModel, TextAndFoldersAndNothingAreNoModels) {
  const FixtureModel model(kFeatureFixture);
  expect_refused(model.write_text("text.moefb", std::string(5000, 'x')), "text");
  expect_refused(model.path("absent.moefb"), "absent");
  expect_refused(model.path(""), "a folder");
}

TEST(DamagedModel, MessageNamesFileCauseAndPlace) {
  const FixtureModel model(kFeatureFixture);
  std::string bad = bytes_of(model.file());
  bad[4096] = static_cast<char>(bad[4096] ^ 1);  // the first byte of the first segment
  const std::string file = model.write_text("bad.moefb", bad);
  const Outcome outcome = run({MOEFB_INFER, "a.png", "--model", file});
  EXPECT_TRUE(outcome.err.starts_with("moe-infer: " + file + ": corrupt file: ")) << outcome.err;
}

}  // namespace
}  // namespace moefb::testing
