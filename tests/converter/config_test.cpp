// Every row of the table in design.md, section 9, as far as config.json alone decides it.
#include "converter/config.h"

#include <gtest/gtest.h>

#include <string>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"

namespace moefb::convert {
namespace {

using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

Config parse(const std::string& text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "c.json", text);
  return read_config(folder / "c.json");
}

/// A configuration with `members` beside a valid kind.
Config parse_with(const std::string& members) {
  return parse("{\"kind\": \"cifar_head\", " + members + "}");
}

std::string refusal(const std::string& members) {
  return message_of([&] { parse_with(members); });
}

TEST(Config, KnowsFourKinds) {
  EXPECT_EQ(parse(R"({"kind": "cifar_e2e"})").kind, Kind::kCifarE2e);
  EXPECT_EQ(parse(R"({"kind": "cifar_head"})").kind, Kind::kCifarHead);
  EXPECT_EQ(parse(R"({"kind": "patch_net"})").kind, Kind::kPatchNet);
  EXPECT_EQ(parse(R"({"kind": "resnet18"})").kind, Kind::kResnet18);
}

TEST(Config, RefusesEveryOtherKindByName) {
  for (const std::string kind : {"resnet34", "patch_module", "cifar_hessian", "cifar_head_train", ""}) {
    const std::string message = message_of([&] { parse("{\"kind\": \"" + kind + "\"}"); });
    EXPECT_TRUE(contains(
        message, "key \"kind\": expected one of cifar_e2e, cifar_head, patch_net, resnet18, found \"" + kind + "\""));
  }
  EXPECT_TRUE(contains(message_of([] { parse("{}"); }), "c.json: key \"kind\" is missing"));
}

TEST(Config, DefaultsAreWhatWasPublished) {
  const Config config = parse(R"({"kind": "cifar_e2e"})");
  EXPECT_EQ(config.capacity_group, fb::CapacityGroup::batch);
  EXPECT_EQ(config.mask_rule, fb::MaskRule::threshold);
  EXPECT_EQ(config.combine, fb::CombineRule::published);
  EXPECT_EQ(config.drop_policy, fb::DropPolicy::residual);
  EXPECT_FALSE(config.crop_padding);
  EXPECT_FALSE(config.head || config.temperature || config.k || config.patch_size || config.router_temp ||
               config.capacity_factor_val || config.image);
  EXPECT_TRUE(config.class_names.empty());
  EXPECT_TRUE(config.warnings.empty());
}

TEST(Config, HardIsSparseWithOneExpert) {
  EXPECT_EQ(parse_with(R"("head": "hard")").head, Head::kSparse);
  EXPECT_EQ(parse_with(R"("head": "hard")").k, 1);
  EXPECT_EQ(parse_with(R"("head": "hard", "k": 1)").k, 1);
  EXPECT_TRUE(contains(refusal(R"("head": "hard", "k": 2)"), "key \"k\": expected 1, for the head is hard, found 2"));
}

TEST(Config, ReadsHeadsAndRoutingOptions) {
  EXPECT_EQ(parse_with(R"("head": "dense")").head, Head::kDense);
  EXPECT_EQ(parse_with(R"("head": "soft")").head, Head::kSoft);
  const Config config = parse_with(
      R"("head": "sparse", "k": 3, "temperature": 0.5, "mask_rule": "index", "combine_weight": "gate",
         "capacity_group": "image", "drop_policy": "residual", "crop_padding": false,
         "patch_size": 8, "router_temp": 0.85, "capacity_factor_val": 1.25)");
  EXPECT_EQ(config.head, Head::kSparse);
  EXPECT_EQ(config.k, 3);
  EXPECT_EQ(config.temperature, 0.5);
  EXPECT_EQ(config.mask_rule, fb::MaskRule::index);
  EXPECT_EQ(config.combine, fb::CombineRule::gate);
  EXPECT_EQ(config.capacity_group, fb::CapacityGroup::image);
  EXPECT_EQ(config.patch_size, 8);
  EXPECT_EQ(config.router_temp, 0.85);
  EXPECT_EQ(config.capacity_factor_val, 1.25);
  EXPECT_EQ(parse_with(R"("capacity_group": "none")").capacity_group, fb::CapacityGroup::none);
}

TEST(Config, ReadsAnImageAsOneSideOrTwo) {
  EXPECT_EQ(parse_with(R"("image": 28)").image->height, 28);
  EXPECT_EQ(parse_with(R"("image": 28)").image->width, 28);
  EXPECT_EQ(parse_with(R"("image": [16, 24])").image->height, 16);
  EXPECT_EQ(parse_with(R"("image": [16, 24])").image->width, 24);
}

TEST(Config, ReadsPictureRules) {
  const Config config = parse_with(R"("class_names": ["a", "b"], "mean": [0.1, 0.2, 0.3], "std": [1, 2, 3],
                                      "resize": "stretch", "resize_to": 40, "filter": "bicubic")");
  EXPECT_EQ(config.class_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((*config.mean)[1], 0.2f);
  EXPECT_EQ((*config.stddev)[2], 3.0f);
  EXPECT_EQ(config.resize, fb::ResizeRule::stretch);
  EXPECT_EQ(config.resize_to, 40);
  EXPECT_EQ(config.filter, fb::Filter::bicubic);
}

TEST(Config, RefusesTheUniformPhaseOfTraining) {
  EXPECT_TRUE(contains(refusal(R"("current_epoch": 9)"), "key \"current_epoch\": expected at least 10"));
  EXPECT_TRUE(contains(refusal(R"("current_epoch": -1)"), "found -1"));
  EXPECT_NO_THROW(parse_with(R"("current_epoch": 10)"));
}

TEST(Config, ReadsWhatHappensToDroppedTokensAndToPadding) {
  EXPECT_EQ(parse_with(R"("drop_policy": "residual")").drop_policy, fb::DropPolicy::residual);
  EXPECT_EQ(parse_with(R"("drop_policy": "second_choice")").drop_policy, fb::DropPolicy::second_choice);
  EXPECT_TRUE(parse_with(R"("crop_padding": true)").crop_padding);
  EXPECT_FALSE(parse_with(R"("crop_padding": false)").crop_padding);
}

struct Wrong {
  const char* members;
  const char* message;
};

class ConfigRefuses : public ::testing::TestWithParam<Wrong> {};

TEST_P(ConfigRefuses, Value) {
  EXPECT_TRUE(contains(refusal(GetParam().members), GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , ConfigRefuses,
    ::testing::Values(
        Wrong{R"("head": "noisy")", "key \"head\": expected one of dense, soft, sparse, hard, found \"noisy\""},
        Wrong{R"("head": 1)", "found 1"}, Wrong{R"("k": 0)", "key \"k\": expected a whole number from 1"},
        Wrong{R"("head": null)", "found null"}, Wrong{R"("head": ["soft"])", "found [\"soft\"]"},
        Wrong{R"("head": {"soft": 1})", "found {\"soft\":1}"}, Wrong{R"("k": true)", "found true"},
        Wrong{R"("k": 18446744073709551614)", "found 18446744073709551614"},
        Wrong{R"("k": 99999999999999999999999)", "found 9.999999999999999e+22"}, Wrong{R"("k": -2)", "found -2"},
        Wrong{R"("k": 2.5)", "found 2.5"}, Wrong{R"("k": "2")", "found \"2\""},
        Wrong{R"("temperature": 0)", "key \"temperature\": expected a number above 0, found 0"},
        Wrong{R"("temperature": "1.0")", "found \"1.0\""}, Wrong{R"("temperature": [1])", "found [1]"},
        Wrong{R"("temperature": -1)", "found -1"}, Wrong{R"("temperature": 1e300)", "found 1e+300"},
        Wrong{R"("temperature": 1e-300)", "found 1e-300"}, Wrong{R"("router_temp": null)", "found null"},
        Wrong{R"("capacity_factor_val": 0)", "key \"capacity_factor_val\""},
        Wrong{R"("patch_size": 0)", "key \"patch_size\""}, Wrong{R"("image": 0)", "key \"image\""},
        Wrong{R"("image": [16])", "a side or [height, width]"}, Wrong{R"("image": [16, -16])", "found [16,-16]"},
        Wrong{R"("image": "32")", "found \"32\""}, Wrong{R"("image": [[32], 32])", "found [[32],32]"},
        Wrong{R"("image": [32, 32, 3])", "found [32,32,3]"}, Wrong{R"("image": 1000000)", "found 1000000"},
        Wrong{R"("capacity_group": "layer")", "expected one of batch, image, none"},
        Wrong{R"("mask_rule": "both")", "expected one of threshold, index"},
        Wrong{R"("combine_weight": "sum")", "expected one of published, gate"},
        Wrong{R"("drop_policy": "retry")", "expected one of residual, second_choice"},
        Wrong{R"("crop_padding": 1)", "expected true or false"},
        Wrong{R"("class_names": "cat")", "expected a list of names"},
        Wrong{R"("class_names": {"0": "cat"})", "expected a list of names"},
        Wrong{R"("class_names": [])", "expected a list of names"},
        Wrong{R"("class_names": ["cat", 2])", "expected names of at most 256 bytes"},
        Wrong{R"("class_names": ["cat", "d\u001b[2J"])", "without control characters, found \"d\\u001b[2J\""},
        Wrong{R"("mean": 0.5)", "expected three numbers, found 0.5"},
        Wrong{R"("mean": ["0", 0, 0])", "expected three numbers"},
        Wrong{R"("mean": [1e300, 0, 0])", "expected three numbers"},
        Wrong{R"("mean": [0, 0])", "expected three numbers"}, Wrong{R"("std": [1, 0, 1])", "three numbers above 0"},
        Wrong{R"("std": [1, 1e300, 1])", "three numbers above 0"},
        Wrong{R"("resize": "longer_side")", "expected one of shorter_side, stretch"},
        Wrong{R"("resize_to": 0)", "key \"resize_to\""},
        Wrong{R"("filter": "nearest")", "expected one of bilinear, bicubic"},
        Wrong{R"("identity_stem": "yes")", "expected true or false"}, Wrong{R"("current_epoch": "12")", "found \"12\""},
        Wrong{R"("num_experts": 2.0)", "key \"num_experts\""}));

TEST(Config, RefusesAKeyThatAppearsTwice) {
  EXPECT_TRUE(contains(refusal(R"("temperature": 1.0, "k": 2, "temperature": 2.0)"),
                       "c.json: key \"temperature\" appears twice"));
  EXPECT_TRUE(contains(refusal(R"("train": {"seed": 1, "seed": 2})"), "c.json: key \"seed\" appears twice"));
}

TEST(Config, ShowsOnlyTheStartOfALongValue) {
  const std::string message = refusal("\"temperature\": \"" + std::string(100'000, 'x') + "\"");
  EXPECT_TRUE(contains(message, "key \"temperature\": expected a number above 0, found \"xxx"));
  EXPECT_LT(message.size(), 1000u);
}

TEST(Config, WarnsOnceOfAllUnknownKeys) {
  const Config config = parse_with(R"("temprature": 1.0, "alpha": [1], "train": {"any": 1}, "data": {}, "batch": 4)");
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_TRUE(contains(config.warnings[0], "unknown keys are ignored: alpha, temprature"));
}

TEST(Config, DoesNotWarnOfWhatTheTrainerAndTheFixturesWrite) {
  const Config config = parse_with(
      R"("mode": "eval", "batch": 4, "checks": {}, "weights_seed": 1, "light": true, "tied_experts": [1, 3],
         "importance_coef": 0.2, "load_coef": 0.2, "kl_coef": 0.2, "hidden_mult": 0.125, "dropout_p": 0.1,
         "gate_input_dropout": 0.1, "gate_logits_dropout": 0.1, "capacity_factor_train": 2.0, "num_classes": 10,
         "num_experts": 8, "in_dim": 512, "width": 512, "width0": 64, "base_channels": 8, "layer_number": 1,
         "identity_stem": true)");
  EXPECT_TRUE(config.warnings.empty());
}

TEST(Config, NamesTheFileThatIsNoConfiguration) {
  EXPECT_TRUE(contains(message_of([] { parse("kind: cifar_e2e"); }), "c.json: not valid JSON"));
  EXPECT_TRUE(contains(message_of([] { parse(""); }), "c.json: not valid JSON"));
  EXPECT_TRUE(contains(message_of([] { parse("[1]"); }), "c.json: expected a JSON object"));
  EXPECT_TRUE(contains(message_of([] { read_config("/nowhere/c.json"); }), "/nowhere/c.json: cannot read"));
}

}  // namespace
}  // namespace moefb::convert
