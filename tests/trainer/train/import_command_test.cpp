// `trainer import`: from the published container to a run that can be evaluated and converted; and what it refuses.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/atomic_file.h"
#include "converter/convert.h"
#include "converter/temporary_folder.h"
#include "trainer/import/torch_archive.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/patch_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/commands.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;

nlohmann::json summary_of(const std::string& layer) {
  return {{"FF_layer", layer},
          {"ff_width", 24},
          {"num_experts", 4},
          {"hidden_mult", 0.5},
          {"temperature", 1.5},
          {"dropout_p", 0.2},
          {"gate_input_dropout", 0.0},
          {"gate_logits_dropout", 0.3},
          {"sparsemoe_k", 2},
          {"sparsemoe_importance_coef", 0.1},
          {"sparsemoe_load_coef", 0.2},
          {"epochs", 50},
          {"batch_size", 128},
          {"learning_rate", 0.1},
          {"momentum", 0.9},
          {"weight_decay", 5e-4},
          {"seed", 42},
          {"val_ratio", 0.1},
          {"ckpt_dir", "checkpoints"},
          {"ckpt_model_path", "checkpoints/model.pt"}};
}

ModelConfig model_of(HeadKind head) {
  ModelConfig config;
  config.head = head;
  config.num_classes = 10;
  config.width0 = 2;
  config.in_dim = 16;
  config.width = 24;
  config.num_experts = 4;
  config.hidden_mult = 0.5;
  return config;
}

ModelConfig heads(const RunConfig& config) {
  return std::get<ModelConfig>(config.model);
}

class Import : public ::testing::Test {
 protected:
  Import() {
    fs::create_directories(folder_ / "published");
    write_summary(summary_);
    write_weights(weights_);
  }
  static safetensors::File weights_of(HeadKind head) {
    at::manual_seed(3);
    return state_dict(CifarNet(model_of(head)));
  }
  void write_summary(const nlohmann::json& json) const {
    write_file_atomically(folder_ / "published/summary.json", json.dump());
  }
  void write_weights(const safetensors::File& weights) const {
    testing::write_archive(command_.checkpoint, testing::published_container(weights));
  }
  RunConfig imported() const {
    EXPECT_EQ(import(command_), 0);
    return load_run_config(command_.out + "/config.json");
  }
  std::string refusal() const {
    const std::string message = testing::message_of([&] { import(command_); });
    EXPECT_FALSE(fs::exists(command_.out)) << "nothing half-written";
    return message;
  }

  testing::TemporaryFolder folder_;
  ImportCommand command_{folder_ / "published/model.pt", folder_ / "run", ""};
  nlohmann::json summary_ = summary_of("SparseMoE");
  safetensors::File weights_ = weights_of(HeadKind::kSparse);
};

TEST_F(Import, TakesTheHeadFromTheSummaryAndTheRestFromTheWeights) {
  const RunConfig config = imported();
  EXPECT_EQ(heads(config).head, HeadKind::kSparse);
  EXPECT_EQ(heads(config).width0, 2);
  EXPECT_EQ(heads(config).num_experts, 4);
  EXPECT_EQ(heads(config).k, 2);
  EXPECT_EQ(heads(config).temperature, 1.5);
  EXPECT_EQ(heads(config).importance_coef, 0.1);
  EXPECT_EQ(heads(config).gate_input_dropout, 0.2) << "0 falls back to dropout_p, as published";
  EXPECT_EQ(heads(config).gate_logits_dropout, 0.3);
  EXPECT_EQ(heads(config).image, 32);
  EXPECT_EQ(config.class_names[3], "cat");
  EXPECT_EQ(config.mean[0], 0.4914);
  EXPECT_EQ(config.data.name, "cifar10");
  EXPECT_EQ(config.train.schedule.epochs, 50);
}

TEST_F(Import, WeightsArriveUnchanged) {
  imported();
  const safetensors::File found = safetensors::read(command_.out + "/model.safetensors");
  ASSERT_EQ(found.tensors.size(), weights_.tensors.size());
  for (const auto& [name, tensor] : weights_.tensors) EXPECT_EQ(found.tensors.at(name).data, tensor.data) << name;
}

TEST_F(Import, EveryHeadBecomesARunThatConverts) {
  const std::map<std::string, HeadKind> layers = {
      {"Dense", HeadKind::kDense}, {"SoftMoE", HeadKind::kSoft}, {"SparseMoE", HeadKind::kSparse}};
  for (const auto& [layer, head] : layers) {
    write_summary(summary_of(layer));
    write_weights(weights_of(head));
    command_.out = folder_ / layer;
    EXPECT_EQ(heads(imported()).head, head);
    convert::Options options;
    options.source = command_.out;
    options.output = folder_ / (layer + ".moefb");
    EXPECT_TRUE(convert::convert(options).warnings.empty());
  }
}

TEST_F(Import, TheSoftHeadIgnoresItsGateDropouts) {
  write_summary(summary_of("SoftMoE"));
  write_weights(weights_of(HeadKind::kSoft));
  const RunConfig config = imported();
  EXPECT_EQ(heads(config).gate_input_dropout, 0.2);
  EXPECT_EQ(heads(config).gate_logits_dropout, 0.2);
}

TEST_F(Import, WithoutDropoutTheSecondLayerHasAnotherKey) {
  ModelConfig config = model_of(HeadKind::kSparse);
  config.dropout_p = 0;
  at::manual_seed(3);
  write_weights(state_dict(CifarNet(config)));
  EXPECT_TRUE(contains(refusal(), "tensor head.experts.0.net.3.weight is missing"));
  summary_["dropout_p"] = 0;
  write_summary(summary_);
  EXPECT_EQ(heads(imported()).dropout_p, 0);
}

TEST_F(Import, AnImportedRunCannotBeResumed) {
  imported();
  EXPECT_TRUE(contains(testing::message_of([&] { resume({command_.out, ""}); }), "found imported weights alone"));
}

TEST_F(Import, RefusesAFolderThatHoldsARun) {
  imported();
  const auto before = read_file(command_.out + "/model.safetensors");
  EXPECT_TRUE(contains(testing::message_of([&] { import(command_); }), "already holds a run"));
  EXPECT_EQ(read_file(command_.out + "/model.safetensors"), before);
}

TEST_F(Import, RefusesASummaryThatIsMissingOrNoJson) {
  fs::remove(folder_ / "published/summary.json");
  EXPECT_TRUE(contains(refusal(), "published/summary.json"));
  write_file_atomically(folder_ / "published/summary.json", std::string_view("{"));
  EXPECT_TRUE(contains(refusal(), "published/summary.json"));
}

TEST_F(Import, NamesEveryKeyThatTheSummaryLacks) {
  for (const char* key : {"FF_layer", "num_experts", "hidden_mult", "temperature", "dropout_p", "gate_input_dropout",
                          "gate_logits_dropout", "sparsemoe_k", "sparsemoe_importance_coef", "sparsemoe_load_coef",
                          "epochs", "batch_size", "learning_rate", "momentum", "weight_decay", "seed"}) {
    nlohmann::json summary = summary_;
    summary.erase(key);
    write_summary(summary);
    EXPECT_TRUE(contains(refusal(), "summary.json: " + std::string(key) + ": missing"));
  }
}

TEST_F(Import, RefusesSummaryValuesOfAnotherTypeOrRange) {
  const std::vector<std::pair<const char*, nlohmann::json>> wrong = {
      {"FF_layer", "ConvMoE"},  {"FF_layer", 3},    {"num_experts", "8"},
      {"num_experts", -1},      {"hidden_mult", 0}, {"temperature", 0},
      {"temperature", nullptr}, {"sparsemoe_k", 9}, {"sparsemoe_k", 1.5},
      {"dropout_p", 2},         {"epochs", 0}};
  for (const auto& [key, value] : wrong) {
    nlohmann::json summary = summary_;
    summary[key] = value;
    write_summary(summary);
    EXPECT_TRUE(contains(refusal(), "summary.json: ")) << key << " " << value;
  }
}

TEST_F(Import, RefusesWeightsThatTheSummaryDoesNotDescribe) {
  summary_["num_experts"] = 3;
  write_summary(summary_);
  EXPECT_TRUE(contains(refusal(), "summary.json)"));
  write_summary(summary_of("Dense"));
  EXPECT_TRUE(contains(refusal(), "tensor head.fc.0"));
}

TEST_F(Import, RefusesMissingAndUnexpectedTensors) {
  safetensors::File weights = weights_;
  weights.tensors.erase("backbone.backbone.conv1.weight");
  write_weights(weights);
  EXPECT_TRUE(contains(refusal(), "tensor backbone.backbone.conv1.weight is missing"));
  weights = weights_;
  weights.tensors["extra"] = safetensors::Tensor::from_f32({1}, std::vector<float>{1});
  write_weights(weights);
  EXPECT_TRUE(contains(refusal(), "unexpected tensor extra"));
}

TEST_F(Import, RefusesTensorsOfAnotherShape) {
  auto& stem = weights_.tensors.at("backbone.backbone.conv1.weight");
  stem.shape = {27 * 2};
  write_weights(weights_);
  EXPECT_TRUE(contains(refusal(), "tensor backbone.backbone.conv1.weight: expected 4 dimensions, found 1"));
  stem.shape = {2, 3, 1, 9};
  write_weights(weights_);
  EXPECT_TRUE(contains(refusal(), "tensor backbone.backbone.conv1.weight: expected F32 [2, 3, 3, 3]"));
}

TEST_F(Import, LeavesNothingWhereTheRunCannotBeWritten) {
  // A folder stands where the second of the files should go: as on a full disk, the first must not stay.
  command_.out = folder_ / "taken";
  fs::create_directories(folder_ / "taken/golden.safetensors");
  EXPECT_TRUE(contains(testing::message_of([&] { import(command_); }), "golden.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "taken/model.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "taken/config.json"));
}

PatchNetConfig small_patches() {
  PatchNetConfig config;
  config.num_classes = 3;
  config.image_height = config.image_width = 32;
  config.base_channels = 4;
  config.patch_size = 8;
  config.num_experts = 2;
  config.use_kernels(3, 1);
  return config;
}

class ImportOfPatches : public ::testing::Test {
 protected:
  ImportOfPatches() {
    at::manual_seed(4);
    PatchNet net(small_patches());
    weights_ = state_dict(net);
    testing::write_archive(command_.checkpoint, testing::lightning_container(weights_));
    write_settings(settings_);
  }
  void write_settings(const nlohmann::json& json) const { write_file_atomically(command_.config, json.dump()); }
  std::string refusal(const nlohmann::json& settings) const {
    write_settings(settings);
    const std::string message = testing::message_of([&] { import(command_); });
    EXPECT_FALSE(fs::exists(command_.out)) << "nothing half-written";
    return message;
  }

  testing::TemporaryFolder folder_;
  ImportCommand command_{folder_ / "last.ckpt", folder_ / "run", folder_ / "settings.json"};
  nlohmann::json settings_ = {
      {"image", 32}, {"patch_size", 8}, {"router_temp", 0.85}, {"capacity_factor_val", 1.5}, {"weights_seed", 7}};
  safetensors::File weights_;
};

TEST_F(ImportOfPatches, SizesComeFromTheWeightsAndItConverts) {
  EXPECT_EQ(import(command_), 0);
  const RunConfig config = load_run_config(command_.out + "/config.json");
  const auto& patches = std::get<PatchNetConfig>(config.model);
  EXPECT_EQ(patches.num_classes, 3);
  EXPECT_EQ(patches.base_channels, 4);
  EXPECT_EQ(patches.layer_number, 8);
  EXPECT_EQ(patches.num_experts, 2);
  EXPECT_EQ(patches.expert_kernel, (std::vector<int64_t>(5, 3)));
  EXPECT_EQ(patches.post_kernel, (std::vector<int64_t>(5, 1)));
  EXPECT_EQ(patches.router_temp, 0.85);
  EXPECT_EQ(patches.router.capacity_factor_val, 1.5);
  EXPECT_EQ(patches.router.capacity_group, CapacityGroup::kBatch) << "what published checkpoints mean";
  EXPECT_EQ(config.class_names[2], "class 2");
  EXPECT_EQ(config.mean[0], 0.485);
  const auto found = safetensors::read(command_.out + "/model.safetensors").tensors;
  for (const auto& [name, tensor] : weights_.tensors) EXPECT_EQ(found.at(name).data, tensor.data) << name;

  convert::Options options;
  options.source = command_.out;
  options.output = folder_ / "patches.moefb";
  convert::convert(options);
  EXPECT_TRUE(fs::exists(options.output));
}

TEST_F(ImportOfPatches, NamesTheSettingThatIsMissing) {
  for (const std::string key : {"image", "patch_size", "router_temp", "capacity_factor_val"}) {
    nlohmann::json settings = settings_;
    settings.erase(key);
    EXPECT_TRUE(contains(refusal(settings), command_.config + ": " + key + ": missing")) << key;
  }
}

TEST_F(ImportOfPatches, RefusesSettingsThatTheWeightsContradict) {
  settings_["num_experts"] = 3;
  EXPECT_TRUE(contains(refusal(settings_), "layers.0.experts.2.conv_block.0.weight is missing"));
  settings_["num_experts"] = 2;
  settings_["kind"] = "cifar_e2e";
  EXPECT_TRUE(contains(refusal(settings_), "kind: expected patch_net, found \"cifar_e2e\""));
}

}  // namespace
}  // namespace moefb::trainer
