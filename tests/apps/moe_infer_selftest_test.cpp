// --selftest of moe-infer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "apps/fixture_model.h"
#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/convert.h"
#include "schema/container.h"

namespace moefb::testing {
namespace {

class MoeInferSelftest : public ::testing::TestWithParam<const char*> {};

TEST_P(MoeInferSelftest, PassesOnWhatConvertWrote) {
  const FixtureModel model(GetParam());
  for (const char* kernels : {"auto", "reference"}) {
    const Outcome outcome = run({MOEFB_INFER, "--selftest", "--model", model.file(), "--kernels", kernels});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
    ASSERT_EQ(lines(outcome.out).size(), 1u) << outcome.out;
    EXPECT_TRUE(outcome.out.starts_with("golden vector 0: passed, error ")) << outcome.out;
    EXPECT_TRUE(contains(outcome.out, "limit "));
    EXPECT_TRUE(contains(outcome.out, "from the reference kernels"));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, MoeInferSelftest,
                         ::testing::Values(kPictureFixture, kFeatureFixture, kMapFixture, kPatchFixture),
                         [](const auto& info) { return std::string(info.param); });

TEST(MoeInferSelftest, IgnoresDispatchAndCapacityGroup) {
  const FixtureModel model(kPatchFixture);
  const Outcome plain = run({MOEFB_INFER, "--selftest", "--model", model.file()});
  const Outcome other =
      run({MOEFB_INFER, "--selftest", "--model", model.file(), "--dispatch", "all", "--capacity-group", "none"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(other.out, plain.out);
}

TEST(MoeInferSelftest, LeavesStandardOutputToJson) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome = run({MOEFB_INFER, "--selftest", "--json", "--model", model.file()});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, "golden vector 0: passed"));
}

/// Puts the checksum `now` of a segment where the graph holds `before`, and makes header and graph agree with it.
void replace_checksum(std::span<std::byte> file, uint32_t before, uint32_t now) {
  container::Header header = container::decode_header(file);
  const std::span<std::byte> graph = file.subspan(container::kHeaderBytes, header.graph_bytes);
  const auto wanted = std::as_bytes(std::span(&before, 1));
  const auto found = std::search(graph.begin(), graph.end(), wanted.begin(), wanted.end());
  ASSERT_NE(found, graph.end());
  std::memcpy(&*found, &now, sizeof now);
  header.graph_crc32c = container::crc32c(graph);
  header.header_crc32c = container::header_crc32c(header);
  container::encode_header(header, file);
}

/// Overwrites the first value of the golden segment, its input, so that the stored answer is no longer right.
void falsify_golden_vector(const std::string& model) {
  const nlohmann::json info = nlohmann::json::parse(run({MOEFB_INFO, model, "--json"}).out);
  for (const nlohmann::json& segment : info["checksums"]["segments"]) {
    if (segment["kind"] != "golden") continue;
    std::vector<std::byte> file = read_file(model);
    const auto golden = std::span(file).subspan(segment["offset"], segment["bytes"]);
    const uint32_t before = container::crc32c(golden);
    const float wrong = 7;
    std::memcpy(golden.data(), &wrong, sizeof wrong);
    replace_checksum(file, before, container::crc32c(golden));
    write_file_atomically(model, file);
    return;
  }
  FAIL() << "no golden segment";
}

TEST(MoeInferSelftest, WrongGoldenVectorFails) {
  const FixtureModel model(kFeatureFixture);
  falsify_golden_vector(model.file());
  const Outcome outcome = run({MOEFB_INFER, "--selftest", "--model", model.file()});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("golden vector 0: FAILED, error ")) << outcome.out;
}

TEST(MoeInferSelftest, ModelWithoutGoldenVectorsSaysSoAndFails) {
  const FixtureModel model(kFeatureFixture);
  convert::Options options;
  options.source = std::string(MOEFB_TEST_DATA "/golden/") + kFeatureFixture + "/state_dict.safetensors";
  options.config = model.path("config.json");
  options.output = model.path("bare.moefb");
  options.with_golden = false;
  convert::convert(options);
  const Outcome outcome = run({MOEFB_INFER, "--selftest", "--model", options.output});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, options.output + ": holds no golden vectors"));
}

}  // namespace
}  // namespace moefb::testing
