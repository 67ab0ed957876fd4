#include "trainer/models/model_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

ModelConfig parse(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  Settings settings(json, "test");
  ModelConfig config = read_model_config(settings);
  settings.finish();
  return config;
}

TEST(ModelConfig, DefaultsAreThePublishedRuns) {
  const ModelConfig config = parse("{}");
  EXPECT_EQ(config.head, HeadKind::kSparse);
  EXPECT_EQ(config.in_dim, 512);
  EXPECT_EQ(config.num_experts, 8);
  EXPECT_EQ(config.hidden(), 64);
  EXPECT_EQ(config.k, 2);
  EXPECT_EQ(config.importance_coef, 0.2);
  EXPECT_EQ(config.load_coef, 0.2);
  EXPECT_EQ(config.gate_logits_dropout, 0.1);
}

TEST(ModelConfig, HiddenWidthIsTruncated) {
  EXPECT_EQ(parse(R"({"width0": 3, "hidden_mult": 0.12})").hidden(), 2);  // 2.88
}

TEST(ModelConfig, GateDropoutsFollowDropoutUnlessGiven) {
  EXPECT_EQ(parse(R"({"dropout_p": 0.3})").gate_input_dropout, 0.3);
  const ModelConfig config = parse(R"({"dropout_p": 0.3, "gate_logits_dropout": 0})");
  EXPECT_EQ(config.gate_logits_dropout, 0);
  EXPECT_EQ(config.gate_input_dropout, 0.3);
}

TEST(ModelConfig, HardIsSparseWithOneExpert) {
  const ModelConfig config = parse(R"({"head": "hard"})");
  EXPECT_EQ(config.head, HeadKind::kSparse);
  EXPECT_EQ(config.k, 1);
  EXPECT_TRUE(contains(message_of([] { parse(R"({"head": "hard", "k": 2})"); }), "k: a hard head has k 1, found 2"));
}

TEST(ModelConfig, RefusesContradictions) {
  EXPECT_TRUE(contains(message_of([] { parse(R"({"width0": 8, "in_dim": 65})"); }), "in_dim: expected 64"));
  EXPECT_TRUE(contains(message_of([] { parse(R"({"k": 9})"); }), "k: expected at most num_experts, 8, found 9"));
  EXPECT_TRUE(contains(message_of([] { parse(R"({"num_experts": 1, "k": 1})"); }), "num_experts"));
  EXPECT_TRUE(contains(message_of([] { parse(R"({"hidden_mult": 0.001})"); }), "hidden_mult"));
  EXPECT_TRUE(contains(message_of([] { parse(R"({"combine_weight": "gate"})"); }), "combine_weight: gate is for k 1"));
  EXPECT_TRUE(
      contains(message_of([] { parse(R"({"load_estimator": "smooth", "k": 8})"); }), "load_estimator: smooth is"));
}

TEST(ModelConfig, WrittenKeysReadBackTheSame) {
  for (const char* text : {R"({"head": "dense", "width": 30, "num_classes": 4})",
                           R"({"head": "soft", "kl_coef": 0, "temperature": 0.5, "num_classes": 4})",
                           R"({"load_estimator": "smooth", "num_classes": 4})",
                           R"({"head": "hard", "mask_rule": "index", "combine_weight": "gate", "num_classes": 4})"}) {
    nlohmann::ordered_json first, second;
    write_model_config(parse(text), first);
    write_model_config(parse(first.dump()), second);
    EXPECT_EQ(first.dump(), second.dump());
  }
}

}  // namespace
}  // namespace moefb::trainer
