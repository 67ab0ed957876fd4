// From files to a file: what is written answers as the weights' makers say, and what fails leaves nothing behind.
#include "converter/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "converter/atomic_file.h"
#include "converter/safetensors.h"
#include "converter/synthetic_weights.h"
#include "converter/temporary_folder.h"
#include "moefb/executor.h"
#include "moefb/inspect.h"
#include "moefb/model.h"

namespace moefb::convert {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::message_of;
using testing::SyntheticWeights;
using testing::TemporaryFolder;

const std::string kGolden = std::string(MOEFB_TEST_DATA) + "/golden/";

Options options_for(const std::string& source, const std::string& output, WeightDtype dtype = WeightDtype::kF32) {
  Options options;
  options.source = source;
  options.output = output;
  options.dtype = dtype;
  return options;
}

Model load(const std::string& path, int max_batch) {
  LoadOptions options;
  options.max_batch = max_batch;
  Result<Model> model = Model::load(path.c_str(), options);
  if (!model.ok()) throw std::runtime_error(path + ": " + model.status().text());
  return std::move(*model);
}

/// Answers a fixture's stored input, and compares.
void expect_stored_logits(const std::string& file, const std::string& fixture, double relative) {
  const safetensors::File io = safetensors::read(kGolden + fixture + "/io.safetensors");
  const std::vector<float> input = io.tensors.at("input").to_f32(), expected = io.tensors.at("logits").to_f32();
  const Model model = load(file, int(io.tensors.at("input").shape[0]));
  Result<Executor> executor = Executor::create(model);
  ASSERT_TRUE(executor.ok()) << executor.status().text();
  std::vector<float> logits(expected.size());
  ASSERT_TRUE(executor->run(input, logits).ok());
  double largest = 0, error = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, double(std::fabs(expected[i])));
    error = std::max(error, std::fabs(double(logits[i]) - double(expected[i])));
  }
  EXPECT_LE(error, relative * largest);
}

struct Fixture {
  const char* name;
  double relative;  // design.md, section 6
};

class ConvertFixture : public ::testing::TestWithParam<Fixture> {};

TEST_P(ConvertFixture, AnswersAsPublished) {
  const TemporaryFolder folder;
  const std::string name = GetParam().name;
  Options options = options_for(kGolden + name + "/state_dict.safetensors", folder / "m.moefb");
  const Report report = convert(options);
  EXPECT_EQ(report.config_used, kGolden + name + "/config.json");
  EXPECT_EQ(report.file_bytes, fs::file_size(folder / "m.moefb"));
  EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
  expect_stored_logits(folder / "m.moefb", name, GetParam().relative);
}

INSTANTIATE_TEST_SUITE_P(, ConvertFixture,
                         ::testing::Values(Fixture{"seed1_head_dense", 2e-5}, Fixture{"seed1_head_soft", 2e-5},
                                           Fixture{"seed1_head_sparse", 2e-5}, Fixture{"seed1_head_hard", 2e-5},
                                           Fixture{"seed1_head_sparse_nodropout_keys", 2e-5},
                                           Fixture{"seed1_e2e_sparse", 2e-5}, Fixture{"seed2_layer", 5e-5},
                                           Fixture{"seed2_net_tiny_ckpt", 5e-5}),
                         [](const auto& info) { return info.param.name; });

TEST(Convert, RefusesTheUniformPhase) {
  const TemporaryFolder folder;
  const std::string message = message_of(
      [&] { convert(options_for(kGolden + "seed2_layer_uniform/state_dict.safetensors", folder / "m.moefb")); });
  EXPECT_TRUE(contains(message, "current_epoch"));
  EXPECT_EQ(folder.file_count(), 0u);
}

// ---- run folders -------------------------------------------------------------------------------------------------

/// A run folder made of a fixture, whose stored answer plays the trainer's.
class RunFolder {
 public:
  explicit RunFolder(const std::string& fixture) {
    const std::string source = kGolden + fixture + "/";
    fs::copy(source + "config.json", folder / "config.json");
    fs::copy(source + "state_dict.safetensors", folder / "model.safetensors");
    const safetensors::File io = safetensors::read(source + "io.safetensors");
    for (const auto& [name, tensor] : io.tensors) {
      const bool kept = name == "input" || name == "logits" || name == "topk_idx" || name.ends_with(".assigned_expert");
      if (kept) golden.tensors[name] = tensor;
    }
    golden.metadata = {{"seed", "17"}, {"top1_margin", "0.005"}};
  }
  /// Writes golden.safetensors as it stands and converts.
  Report convert_to(const std::string& output, WeightDtype dtype = WeightDtype::kF32) const {
    safetensors::write(folder / "golden.safetensors", golden);
    return convert(options_for(folder.path(), output, dtype));
  }

  TemporaryFolder folder;
  safetensors::File golden;
};

TEST(ConvertRun, StoresTheTrainersVector) {
  for (const std::string fixture : {"seed1_e2e_sparse", "seed2_layer", "seed1_head_soft"}) {
    const RunFolder run(fixture);
    const TemporaryFolder out;
    run.convert_to(out / "m.moefb");
    const Model model = load(out / "m.moefb", 32);
    ASSERT_EQ(model.golden_count(), 1) << fixture;
    const GoldenVector golden = model.golden(0);
    EXPECT_TRUE(golden.from_trainer);
    EXPECT_EQ(golden.seed, 17u);
    EXPECT_EQ(golden.top1_margin, 0.005f);
    const std::vector<float> logits = run.golden.tensors.at("logits").to_f32();
    EXPECT_TRUE(std::equal(golden.logits.begin(), golden.logits.end(), logits.begin(), logits.end())) << fixture;
    EXPECT_EQ(int64_t(golden.routes.size()), route_count(model, golden.batch));
    EXPECT_TRUE(check_golden(model, 0)->passed()) << fixture;
  }
}

TEST(ConvertRun, ModelThatAnswersOtherwiseThanItsTrainerIsNotWritten) {
  RunFolder run("seed1_e2e_sparse");
  safetensors::Tensor& logits = run.golden.tensors.at("logits");
  std::vector<float> values = logits.to_f32();
  values[3] += 1e-3f;
  logits = safetensors::Tensor::from_f32(logits.shape, values);
  const TemporaryFolder out;
  EXPECT_TRUE(
      contains(message_of([&] { run.convert_to(out / "m.moefb"); }), "fails its golden vector 0, from the trainer"));
  EXPECT_EQ(out.file_count(), 0u);
}

TEST(ConvertRun, ModelThatRoutesOtherwiseThanItsTrainerIsNotWritten) {
  RunFolder run("seed1_e2e_sparse");
  safetensors::Tensor& routes = run.golden.tensors.at("topk_idx");
  std::vector<int64_t> values = routes.to_i64();
  values[0] = (values[0] + 1) % 8;
  routes = safetensors::Tensor::from_i64(routes.shape, values);
  const TemporaryFolder out;
  EXPECT_TRUE(contains(message_of([&] { run.convert_to(out / "m.moefb"); }), "1 of 8 routes differ"));
  EXPECT_EQ(out.file_count(), 0u);
}

TEST(ConvertRun, RoundedWeightsAreComparedAndGetAVectorOfTheirOwn) {
  const RunFolder run("seed1_e2e_sparse");
  const TemporaryFolder out;
  const Report report = run.convert_to(out / "m.moefb", WeightDtype::kBf16);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_TRUE(contains(report.notes[0], "bf16 weights: logits within"));
  const Model model = load(out / "m.moefb", 4);
  EXPECT_EQ(file_info(model).weight_dtype, Dtype::kBf16);
  EXPECT_FALSE(model.golden(0).from_trainer);
  EXPECT_TRUE(check_golden(model, 0)->passed());
}

TEST(ConvertRun, RoundedWeightsThatAnswerTooFarOffAreNotWritten) {
  RunFolder run("seed1_e2e_sparse");
  safetensors::Tensor& logits = run.golden.tensors.at("logits");
  std::vector<float> values = logits.to_f32();
  for (float& v : values) v *= 1.2f;
  logits = safetensors::Tensor::from_f32(logits.shape, values);
  const TemporaryFolder out;
  EXPECT_TRUE(contains(message_of([&] { run.convert_to(out / "m.moefb", WeightDtype::kBf16); }),
                       "with bf16 weights the logits are off"));
  EXPECT_EQ(out.file_count(), 0u);
}

TEST(ConvertRun, RefusesAVectorThatDoesNotFit) {
  const auto refusal = [](const std::function<void(safetensors::File&)>& spoil) {
    RunFolder run("seed1_e2e_sparse");
    spoil(run.golden);
    const TemporaryFolder out;
    return message_of([&] { run.convert_to(out / "m.moefb"); });
  };
  EXPECT_TRUE(contains(refusal([](auto& g) { g.tensors.erase("topk_idx"); }),
                       "golden.safetensors: tensor \"topk_idx\" is missing"));
  EXPECT_TRUE(contains(refusal([](auto& g) { g.tensors.erase("input"); }), "tensor \"input\" is missing"));
  EXPECT_TRUE(contains(refusal([](auto& g) { g.tensors["logits"].shape = {40}; }),
                       "\"logits\" has shape (40), expected (4,10)"));
  EXPECT_TRUE(contains(refusal([](auto& g) { g.metadata["seed"] = "many"; }), "metadata \"seed\": expected a number"));
  EXPECT_TRUE(contains(refusal([](auto& g) { g.metadata["top1_margin"] = "1x"; }),
                       "metadata \"top1_margin\": expected a number"));
  EXPECT_TRUE(contains(
      refusal([](auto& g) { g.tensors["topk_idx"] = safetensors::Tensor::from_i64({1}, std::vector<int64_t>{0}); }),
      "does not hold the routes of this model"));
}

// ---- vectors of our own ------------------------------------------------------------------------------------------

TEST(ConvertGolden, DrawnVectorKeepsItsMargins) {
  const TemporaryFolder folder;
  convert(options_for(kGolden + "seed2_net_tiny_ckpt/state_dict.safetensors", folder / "m.moefb"));
  const GoldenVector golden = load(folder / "m.moefb", 4).golden(0);
  EXPECT_FALSE(golden.from_trainer);
  EXPECT_EQ(golden.batch, 4);
  EXPECT_GE(golden.top1_margin, 2e-3f);
  EXPECT_TRUE(golden.capacity_margin == 0 || golden.capacity_margin >= 1e-4f) << golden.capacity_margin;
}

TEST(ConvertGolden, SameInputsGiveTheSameFile) {
  const TemporaryFolder folder;
  const std::string source = kGolden + "seed1_head_sparse/state_dict.safetensors";
  convert(options_for(source, folder / "a"));
  convert(options_for(source, folder / "b"));
  EXPECT_EQ(read_file(folder / "a"), read_file(folder / "b"));
}

TEST(ConvertGolden, AWarningTellsOfRoutesThatAreAlwaysOnAnEdge) {
  // Two experts with equal gates: whichever leads, the other one is as good.
  const TemporaryFolder folder;
  SyntheticWeights w;
  w.add_sparse_head("", 2, 6, 4, 3);
  w.file.tensors["gate.w_gate.weight"] = safetensors::Tensor::from_f32({2, 6}, std::vector<float>(12, 0.5f));
  w.file.tensors["gate.w_gate.bias"] = safetensors::Tensor::from_f32({2}, std::vector<float>(2));
  safetensors::write(folder / "w.safetensors", w.file);
  write_file_atomically(folder / "config.json", R"({"kind": "cifar_head", "head": "hard", "temperature": 1})");
  const Report report = convert(options_for(folder / "w.safetensors", folder / "m.moefb"));
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_TRUE(contains(report.warnings[0], "no seed kept every route off an edge"));
}

// ---- files -------------------------------------------------------------------------------------------------------

TEST(ConvertFiles, ConfigurationCanBeNamed) {
  const TemporaryFolder folder;
  fs::copy(kGolden + "seed1_head_dense/state_dict.safetensors", folder / "w.safetensors");
  Options options = options_for(folder / "w.safetensors", folder / "m.moefb");
  EXPECT_TRUE(contains(message_of([&] { convert(options); }),
                       folder / "config.json: no such file; name the configuration with --config"));
  options.config = kGolden + "seed1_head_dense/config.json";
  EXPECT_EQ(convert(options).config_used, options.config);
}

TEST(ConvertFiles, NamesTheSourceThatIsNotThere) {
  const TemporaryFolder folder;
  Options options = options_for(folder / "none.safetensors", folder / "m.moefb");
  options.config = kGolden + "seed1_head_dense/config.json";
  EXPECT_TRUE(contains(message_of([&] { convert(options); }), folder / "none.safetensors: no such file or run folder"));
}

TEST(ConvertFiles, NeverWritesOverItsInput) {
  const TemporaryFolder folder;
  fs::copy(kGolden + "seed1_head_dense/state_dict.safetensors", folder / "w.safetensors");
  fs::copy(kGolden + "seed1_head_dense/config.json", folder / "config.json");
  fs::create_symlink(folder / "w.safetensors", folder / "link");
  for (const std::string output : {"w.safetensors", "config.json", "link"}) {
    EXPECT_TRUE(contains(message_of([&] { convert(options_for(folder / "w.safetensors", folder / output)); }),
                         "the output is the input"))
        << output;
  }
}

TEST(ConvertFiles, FailureLeavesTheOlderFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.moefb", "older");
  EXPECT_ANY_THROW(convert(options_for(kGolden + "seed2_layer_uniform/state_dict.safetensors", folder / "m.moefb")));
  EXPECT_EQ(read_file(folder / "m.moefb").size(), 5u);
  EXPECT_EQ(folder.file_count(), 1u);
}

}  // namespace
}  // namespace moefb::convert
