// Whole runs of patch networks and their dense comparison, small: what they leave, that stopping changes nothing, and
// that the runtime answers as the trainer does.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "converter/convert.h"
#include "converter/moefb_file.h"
#include "converter/safetensors.h"
#include "runtime/model_runs.h"
#include "trainer/data/prepared_picture.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/agreement.h"
#include "trainer/train/route_margins.h"
#include "trainer/train/runtime_answers.h"
#include "trainer/train/training.h"
#include "trainer/train/whole_runs.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

class PatchRun : public WholeRuns {};

TEST_F(PatchRun, StoppedAnywhereAndResumedGivesTheSameBytes) {
  const RunFolder whole = finished("whole", kTinyPatchToml);
  for (const int64_t batches : {1, 4}) {  // in the middle of an epoch; before its validation
    const RunFolder stopped = start("stopped" + std::to_string(batches), kTinyPatchToml);
    while (!go_on(stopped, batches)) {
    }
    EXPECT_EQ(read_file(whole.last_weights()), read_file(stopped.last_weights()));
    EXPECT_EQ(read_file(whole.optimizer()), read_file(stopped.optimizer()));
    EXPECT_EQ(lines_of(whole), lines_of(stopped));
    EXPECT_EQ(json_in(whole.config()), json_in(stopped.config()));
  }
}

TEST_F(PatchRun, WorkersChangeNothing) {
  const RunFolder alone = finished("alone", kTinyPatchToml, {"train.workers=0"});
  const RunFolder helped = finished("helped", kTinyPatchToml, {"train.workers=2"});
  EXPECT_EQ(read_file(alone.last_weights()), read_file(helped.last_weights()));
}

TEST_F(PatchRun, MetricsHaveThePublishedNamesForTrainingAndValidation) {
  const auto lines = lines_of(finished("run", kTinyPatchToml));
  ASSERT_EQ(lines.size(), 4u);  // three epochs and the test
  for (const nlohmann::json& router : {lines[1]["router"], lines[1]["val_router"], lines[3]["router_test_snapshot"]}) {
    EXPECT_TRUE(router.contains("drop_rate"));
    EXPECT_TRUE(router.contains("entropy_norm_mean"));
    EXPECT_TRUE(router.contains("mean_capacity_ratio_mean"));
    ASSERT_EQ(router["layers"].size(), 5u);
    EXPECT_EQ(router["layers"][2]["layer"], 3);
  }
  // 60 pictures of a 2 x 2 grid in training, 24 in validation: the two are counted apart.
  EXPECT_EQ(lines[1]["router"]["layers"][0]["tokens"], 60 * 4);
  EXPECT_EQ(lines[1]["val_router"]["layers"][0]["tokens"], 24 * 4);
}

TEST_F(PatchRun, ConfigHoldsTheTemperatureOfTheWeights) {
  const RunFolder folder = start("run", kTinyPatchToml);
  go_on(folder, 4);  // the first epoch: uniform
  go_on(folder, 1);
  EXPECT_EQ(json_in(folder.config())["current_epoch"], 0) << "nobody has learnt to route yet";
  EXPECT_EQ(json_in(folder.config())["router_temp"], 2.0);
  while (!go_on(folder, 4)) {
  }
  EXPECT_FALSE(json_in(folder.config()).contains("current_epoch"));
  EXPECT_EQ(json_in(folder.config())["router_temp"], lines_of(folder).empty() ? 0 : 2.0)
      << "three epochs: the last is the first of the cosine";
  EXPECT_EQ(json_in(folder.config())["train"]["temperature_final"], 0.85);
}

TEST_F(PatchRun, RoutersStandStillInTheUniformPhase) {
  const std::string gate = "layers.0.router_gate.mlp.1.weight";
  const RunFolder folder = start("run", kTinyPatchToml);
  go_on(folder, 1);
  const auto first = safetensors::read(folder.last_weights()).tensors;
  go_on(folder, 2);
  const auto later = safetensors::read(folder.last_weights()).tensors;
  EXPECT_EQ(first.at(gate).data, later.at(gate).data);
  EXPECT_NE(first.at("stem.0.weight").data, later.at("stem.0.weight").data);
  while (!go_on(folder, 4)) {
  }
  EXPECT_NE(first.at(gate).data, safetensors::read(folder.last_weights()).tensors.at(gate).data);
}

/// A finished run, its network with the weights kept, and its converted model.
struct Finished {
  Finished(const RunFolder& run, const std::string& model)
      : folder(run), file(model), config(load_run_config(run.config())), dataset(load_dataset(config.data)) {
    resolve(config, dataset);
    convert::Options options;
    options.source = folder.path();
    options.output = file;
    convert::convert(options);
    network = make_network(config.model);
    load_state_dict(network->module(), safetensors::read(folder.kept_weights()), folder.kept_weights());
    network->module().eval();
  }

  RunFolder folder;
  std::string file;
  RunConfig config;
  Dataset dataset;
  std::shared_ptr<Network> network;
};

void expect_same_classes(const Finished& run) {
  const Evaluation own = *evaluate(*run.network, run.dataset, run.dataset.test, {16, false, 0});
  const RuntimeAnswers runtime = runtime_answers(run.file, run.dataset, run.dataset.test, {1, 16});
  const Agreement agreement =
      compare_answers(own.logits, at::tensor(runtime.logits).reshape(own.logits.sizes()), false);
  EXPECT_EQ(agreement.pictures, 36);
  EXPECT_EQ(agreement.different, 0);
}

std::vector<float> normalised_pictures(const Finished& run, const Model& model, int64_t first, int64_t count) {
  const auto size = size_t(model.input_shape().elements());
  std::vector<float> planes(size_t(count) * size);
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<uint8_t> picture = prepared_picture(run.dataset, run.dataset.test, first + i);
    const std::span<float> one(planes.data() + size_t(i) * size, size);
    EXPECT_TRUE(normalize(picture, *model.preprocessing(), one).ok());
  }
  return planes;
}

std::vector<int64_t> values_of(const at::Tensor& indices) {
  return {indices.data_ptr<int64_t>(), indices.data_ptr<int64_t>() + indices.numel()};
}

void expect_same_routing(const NetworkOutput& own, const Executor& executor) {
  for (const LayerRouting& layer : own.routing) {
    const std::string name = "layer" + std::to_string(layer.layer) + ".";
    EXPECT_EQ(testing::traced<int64_t>(executor, name + "assigned_expert"), values_of(layer.routing.expert)) << name;
    EXPECT_EQ(testing::traced<int64_t>(executor, name + "slot"), values_of(layer.routing.slot)) << name;
  }
}

/// How the tokens of some pictures fared.
struct Tokens {
  int64_t dropped = 0;
  int64_t second_choices = 0;  ///< their expert is not the most probable one

  void add(const NetworkOutput& own) {
    for (const LayerRouting& layer : own.routing) {
      const at::Tensor& expert = layer.routing.expert;
      dropped += expert.lt(0).sum().item<int64_t>();
      second_choices += (expert.ge(0) & expert.ne(layer.routing.probs.argmax(1))).sum().item<int64_t>();
    }
  }
};

/// The test pictures, a few at a time: the runtime's routes of every layer are the trainer's wherever no choice was a
/// close one, and so are the logits, to the limit of docs/design.md, section 6.
Tokens expect_same_tokens(const Finished& run) {
  constexpr int64_t kPictures = 4;
  constexpr double kMargin = 1e-4, kLogits = 5e-5;
  const at::NoGradGuard no_grad;
  const std::vector<std::byte> bytes = read_file(run.file);
  const Model model = convert::load(bytes, Kernels::kAuto, int(kPictures));
  ExecutorOptions options;
  options.trace = Trace::kRouting;
  Result<Executor> executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok()) << executor.status().text();
  Tokens tokens;
  int64_t compared = 0, batches = 0;
  for (int64_t first = 0; first < run.dataset.test.size(); first += kPictures, ++batches) {
    std::vector<float> planes = normalised_pictures(run, model, first, kPictures);
    const int64_t side = model.input_shape().dims[1];
    const NetworkOutput own =
        run.network->run(at::from_blob(planes.data(), {kPictures, 3, side, side}), Precision::kF32);
    const RouteMargins margins = route_margins(own);
    if (std::min(margins.top1, margins.capacity) < kMargin) continue;
    const std::vector<float> logits = testing::run(*executor, planes, own.logits.numel());
    const float* want = own.logits.data_ptr<float>();
    testing::expect_close(logits, std::vector<float>(want, want + own.logits.numel()), kLogits, "logits");
    expect_same_routing(own, *executor);
    tokens.add(own);
    ++compared;
  }
  EXPECT_GT(2 * compared, batches) << "too many close choices: the case would show little";
  return tokens;
}

TEST_F(PatchRun, TheRuntimeAnswersAsTheTrainerInEveryCapacityGroup) {
  for (const std::string group : {"batch", "image", "none"}) {
    const Finished run(finished(group, kTinyPatchToml, {"capacity_group=" + group, "capacity_factor_val=0.6"}),
                       folder_ / (group + ".moefb"));
    expect_same_classes(run);
    EXPECT_EQ(expect_same_tokens(run).dropped > 0, group != "none") << group;
  }
}

TEST_F(PatchRun, TheRuntimeSeatsSecondChoicesAsTheTrainer) {
  for (const std::string group : {"batch", "image"}) {
    const Finished run(finished(group, kTinyPatchToml,
                                {"capacity_group=" + group, "capacity_factor_val=0.8", "drop_policy=second_choice"}),
                       folder_ / (group + ".moefb"));
    expect_same_classes(run);
    EXPECT_GT(expect_same_tokens(run).second_choices, 0) << group;
  }
}

// After the stem 20 x 20, which patches of 8 do not divide: cropped or not, all later maps and their patches differ.
TEST_F(PatchRun, TheRuntimeCropsPaddingAsTheTrainer) {
  for (const std::string crop : {"false", "true"}) {
    const Finished run(finished("crop_" + crop, kTinyPatchToml, {"image=40", "resize_to=40", "crop_padding=" + crop}),
                       folder_ / (crop + ".moefb"));
    expect_same_classes(run);
    expect_same_tokens(run);
  }
}

TEST_F(PatchRun, SingleExpertTwinTrains) {
  const auto lines = lines_of(finished("twin", kTinyPatchToml, {"num_experts=1"}));
  EXPECT_EQ(lines[1]["router"]["entropy_norm_mean"], 0);
}

TEST_F(PatchRun, PublishedDispatchTrainsToTheSameLoss) {
  const auto index = lines_of(finished("index", kTinyPatchToml, {"train.epochs=1"}));
  const auto onehot = lines_of(finished("onehot", kTinyPatchToml, {"train.epochs=1", "train.dispatch=onehot"}));
  const double loss = index[0]["train_loss"];
  EXPECT_NEAR(onehot[0]["train_loss"].get<double>(), loss, 1e-4 * loss);
}

TEST_F(PatchRun, DenseComparisonTrainsConvertsAndAgrees) {
  const RunFolder folder = finished("resnet", kTinyResnetToml);
  EXPECT_FALSE(lines_of(folder)[0].contains("router"));
  expect_same_classes(Finished(folder, folder_ / "resnet.moefb"));
}

TEST_F(PatchRun, RefusesWhatDoesNotFit) {
  const auto refusal = [&](const char* toml, const std::string& set) {
    return message_of([&] { start("refused", toml, {set}); });
  };
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "router_temp=1"), "router_temp: the schedule sets it"));
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "train.schedule=cosine"), "patch is the schedule of kind patch_net"));
  EXPECT_TRUE(contains(refusal(kTinyResnetToml, "train.schedule=patch"), "patch is the schedule of kind patch_net"));
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "train.precision=bf16"), "a patch network trains in f32"));
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "train.small_image=16"), "a patch network has patches of one size"));
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "image=[32, 64]"), "square pictures, found 32 x 64"));
  EXPECT_TRUE(contains(refusal(kTinyPatchToml, "kind=vit"), "expected one of cifar_e2e, patch_net, resnet18"));
}

}  // namespace
}  // namespace moefb::trainer
