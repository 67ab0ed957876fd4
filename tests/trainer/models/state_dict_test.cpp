#include "trainer/models/state_dict.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "converter/temporary_folder.h"
#include "trainer/models/cifar_net.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

ModelConfig small_config() {
  ModelConfig config;
  config.width0 = 2;
  config.in_dim = 16;
  config.num_classes = 3;
  config.num_experts = 4;
  return config;
}

TEST(StateDict, ParameterCountsAreThePublishedOnes) {
  ModelConfig config;
  config.num_classes = 10;
  const std::map<HeadKind, int64_t> published = {
      {HeadKind::kDense, 11'436'618}, {HeadKind::kSoft, 11'440'792}, {HeadKind::kSparse, 11'444'896}};
  for (const auto& [head, expected] : published) {
    config.head = head;
    int64_t count = 0;
    for (const auto& parameter : CifarNet(config).parameters()) count += parameter.numel();
    EXPECT_EQ(count, expected);
  }
}

TEST(StateDict, RestoresEveryTensorIntoAnyMemoryFormat) {
  at::manual_seed(1);
  const CifarNet first(small_config());
  const safetensors::File saved = state_dict(first);
  EXPECT_EQ(saved.tensors.size(), 120u + 4 + 4 * 4);

  at::manual_seed(2);
  CifarNet second(small_config());
  use_channels_last(second);
  load_state_dict(second, saved, "file");
  for (const auto& [name, tensor] : state_dict(second).tensors) {
    EXPECT_EQ(tensor.data, saved.tensors.at(name).data) << name;
  }
  const at::Tensor kernel = second.named_parameters()["backbone.backbone.layer1.0.conv1.weight"];
  EXPECT_TRUE(kernel.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(StateDict, NamesTheTensorThatDoesNotFit) {
  CifarNet net(small_config());
  const safetensors::File good = state_dict(net);

  safetensors::File file = good;
  file.tensors.erase("head.gate.w_gate.bias");
  EXPECT_TRUE(
      contains(message_of([&] { load_state_dict(net, file, "f"); }), "f: tensor head.gate.w_gate.bias is missing"));
  file = good;
  file.tensors["head.extra"] = safetensors::Tensor::from_f32({1}, std::vector<float>{1});
  EXPECT_TRUE(contains(message_of([&] { load_state_dict(net, file, "f"); }), "f: unexpected tensor head.extra"));
  file = good;
  file.tensors["head.gate.w_gate.bias"] = safetensors::Tensor::from_f32({2}, std::vector<float>{1, 2});
  EXPECT_TRUE(contains(message_of([&] { load_state_dict(net, file, "f"); }), "expected F32 [4], found F32 [2]"));
}

}  // namespace
}  // namespace moefb::trainer
