#include "trainer/models/patch_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

PatchNetConfig parse(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  Settings settings(json, "test");
  settings.text("kind", "");
  PatchNetConfig config = read_patch_config(settings);
  settings.finish();
  return config;
}

std::string refusal(const std::string& text) {
  return message_of([&text] { parse(text); });
}

TEST(PatchConfig, DefaultsAreThePublishedNetwork) {
  const PatchNetConfig config = parse("{}");
  EXPECT_EQ(config.image_height, 224);
  EXPECT_EQ(config.base_channels, 64);
  EXPECT_EQ(config.layer_number, 8);
  EXPECT_EQ(config.patch_size, 16);
  EXPECT_EQ(config.expert_kernel, (std::vector<int64_t>{3, 3, 3, 3, 3}));
  EXPECT_EQ(config.router.capacity_factor_val, 2.0);
  EXPECT_EQ(config.router.capacity_group, CapacityGroup::kBatch);
  EXPECT_EQ(config.router.drop_policy, DropPolicy::kResidual);
  EXPECT_EQ(config.router.combine_weight, CombineWeight::kPublished);
  EXPECT_FALSE(config.crop_padding);
}

TEST(PatchConfig, ImageIsOneNumberOrTwo) {
  EXPECT_EQ(parse(R"({"image": 64})").image_width, 64);
  const PatchNetConfig config = parse(R"({"image": [48, 80]})");
  EXPECT_EQ(config.image_height, 48);
  EXPECT_EQ(config.image_width, 80);
  EXPECT_TRUE(contains(refusal(R"({"image": [1, 2, 3]})"), "image: expected one number or [height, width], found 3"));
  EXPECT_TRUE(contains(refusal(R"({"image": []})"), "image: expected one whole number or a list"));
  EXPECT_TRUE(contains(refusal(R"({"image": [8, 0]})"), "found [8,0]"));
}

TEST(PatchConfig, KernelsAreGivenForAllMoeLayersOrForEach) {
  EXPECT_EQ(parse(R"({"post_kernel": 1})").post_kernel, (std::vector<int64_t>{1, 1, 1, 1, 1}));
  EXPECT_EQ(parse(R"({"expert_kernel": [3, 3, 3, 1, 1]})").expert_kernel, (std::vector<int64_t>{3, 3, 3, 1, 1}));
  EXPECT_TRUE(contains(refusal(R"({"expert_kernel": [3, 1]})"), "one number or 5, one for each MoE layer, found 2"));
  EXPECT_TRUE(contains(refusal(R"({"post_kernel": 2})"), "post_kernel: expected 1 or 3, found 2"));
}

TEST(PatchConfig, RefusesChannelsThatGroupNormCannotSplit) {
  EXPECT_EQ(parse(R"({"base_channels": 4})").base_channels, 4);
  EXPECT_TRUE(contains(refusal(R"({"base_channels": 6})"), "base_channels: gives layer 2 12 channels"));
  EXPECT_EQ(parse(R"({"base_channels": 6, "layer_number": 2})").base_channels, 6);
}

TEST(PatchConfig, RefusesUnknownOptions) {
  EXPECT_TRUE(contains(refusal(R"({"capacity_group": "picture"})"), "expected one of batch, image, none"));
  EXPECT_TRUE(contains(refusal(R"({"drop_policy": "none"})"), "expected one of residual, second_choice"));
  EXPECT_TRUE(contains(refusal(R"({"capacity_factor_val": 0})"), "capacity_factor_val"));
}

TEST(PatchConfig, WrittenKeysReadBackTheSame) {
  const char* unusual = R"({"num_classes": 10, "image": [48, 80], "base_channels": 8, "layer_number": 4,
      "num_experts": 1, "patch_size": 8, "router_temp": 0.85, "capacity_factor_train": 1.25, "capacity_factor_val": 1.5,
      "capacity_group": "image", "drop_policy": "second_choice", "combine_weight": "gate", "crop_padding": true,
      "identity_stem": true, "expert_kernel": [3, 1, 1], "post_kernel": 1})";
  for (const char* text : {R"({"num_classes": 200})", unusual}) {
    nlohmann::ordered_json first, second;
    write_patch_config(parse(text), first);
    write_patch_config(parse(first.dump()), second);
    EXPECT_EQ(first.dump(), second.dump());
  }
  nlohmann::ordered_json json;
  write_patch_config(parse(unusual), json);
  EXPECT_EQ(json.at("expert_kernel"), nlohmann::json({3, 1, 1}));
  EXPECT_EQ(json.at("drop_policy"), "second_choice");
}

}  // namespace
}  // namespace moefb::trainer
