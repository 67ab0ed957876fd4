// --selftest of moe-infer.
#include <gtest/gtest.h>

#include "apps/fixture_model.h"
#include "apps/process.h"

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

}  // namespace
}  // namespace moefb::testing
