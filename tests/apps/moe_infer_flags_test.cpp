// The command line of moe-infer: what is accepted, what is refused, and that refusing exits 1.
#include <gtest/gtest.h>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

Outcome infer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MOEFB_INFER);
  return run(arguments);
}

TEST(MoeInferFlags, HelpAndVersionSucceed) {
  const Outcome help = infer({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* flag :
       {"PICTURE", "--model", "--top", "--json", "--routing", "--dispatch", "--capacity-group", "--kernels",
        "--threads", "--selftest", "--input", "--output", "--trace", "--metrics", "--routing-image", "--version"}) {
    EXPECT_TRUE(contains(help.out, flag));
  }
  const Outcome version = infer({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.out.starts_with("moe-infer 0.")) << version.out;
}

struct Refusal {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;
};

class MoeInferRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(MoeInferRefuses, WithMessageAndExitCodeOne) {
  const Outcome outcome = infer(GetParam().arguments);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("moe-infer: ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, GetParam().message));
}

const Refusal kRefusals[] = {
    {"NothingToDo", {}, "nothing to do"},
    {"UnknownFlag", {"a.png", "--speed"}, "--speed"},
    {"MissingValue", {"a.png", "--top"}, "--top"},
    {"TopThatIsNoNumber", {"a.png", "--top", "many"}, "--top"},
    {"TopZero", {"a.png", "--top", "0"}, "--top 0: expected 1 or more"},
    {"ThreadsZero", {"a.png", "--threads", "0"}, "--threads 0: expected 1 to 256"},
    {"ThreadsNegative", {"a.png", "--threads", "-2"}, "--threads -2: expected 1 to 256"},
    {"ThreadsBeyondReason", {"a.png", "--threads", "100000"}, "expected 1 to 256"},
    {"KernelsNative",
     {"a.png", "--kernels", "native"},
     "kernels native do not exist yet in this version: use auto, onednn or reference"},
    {"KernelsUnknown", {"a.png", "--kernels", "fast"}, "\"fast\": use auto, onednn or reference"},
    {"BackendCuda", {"a.png", "--backend", "cuda"}, "backend cuda does not exist yet in this version: use cpu"},
    {"DispatchUnknown", {"a.png", "--dispatch", "some"}, "\"some\": use grouped, naive or all"},
    {"CapacityGroupUnknown", {"a.png", "--capacity-group", "row"}, "\"row\": use batch, image or none"},
    {"InputWithoutOutput", {"--input", "x.safetensors"}, "--input and --output go together"},
    {"OutputWithoutInput", {"a.png", "--output", "y.safetensors"}, "--input and --output go together"},
    {"PicturesAndInput", {"a.png", "--input", "x", "--output", "y"}, "not both"},
    {"TraceOfPictures", {"a.png", "--trace"}, "--trace needs --input and --output"},
    {"MetricsOfATensor", {"--input", "x", "--output", "y", "--metrics"}, "--metrics needs pictures"},
    {"RoutingImageOfATensor",
     {"--input", "x", "--output", "y", "--routing-image", "z.png"},
     "--routing-image needs pictures"},
    {"RoutingImageThatIsNoPng", {"a.png", "--routing-image", "b.jpg"}, "b.jpg: expected a name that ends in .png"},
    {"ModelThatIsNotThere", {"a.png", "--model", "absent.moefb"}, "absent.moefb: "},
};

INSTANTIATE_TEST_SUITE_P(Lines, MoeInferRefuses, ::testing::ValuesIn(kRefusals),
                         [](const auto& info) { return info.param.name; });

TEST(MoeInferFlags, EveryFlagIsAcceptedForEveryPictureModel) {
  for (const char* fixture : {kPictureFixture, kPatchFixture}) {
    const FixtureModel model(fixture);
    const std::string picture = model.write_picture("a.bmp", 32, 32);
    const Outcome plain = infer({picture, "--model", model.file(), "--json"});
    for (const char* kernels : {"auto", "reference"}) {
      for (const char* group : {"batch", "image"}) {
        const Outcome outcome =
            infer({"--kernels", kernels, "--capacity-group", group, "--backend", "cpu", "--dispatch", "grouped",
                   "--threads", "2", picture, "--json", "--model", model.file()});
        ASSERT_EQ(outcome.exit_code, 0) << fixture << ": " << outcome.err;
        EXPECT_EQ(nlohmann::json::parse(outcome.out)["top"][0]["class"],
                  nlohmann::json::parse(plain.out)["top"][0]["class"]);
      }
    }
  }
}

TEST(MoeInferFlags, DashDashEndsTheFlags) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome = infer({"--model", model.file(), "--json", "--", "-dash.png"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "moe-infer: -dash.png: "));  // taken as a picture, which is not there
}

}  // namespace
}  // namespace moefb::testing
