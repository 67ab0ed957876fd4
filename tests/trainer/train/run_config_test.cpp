#include "trainer/train/run_config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

class RunConfigFile : public ::testing::Test {
 protected:
  RunConfig load(const std::string& text, const std::vector<std::string>& sets = {}) {
    write_file_atomically(path_, text);
    return load_toml_config(path_, sets);
  }
  std::string refusal(const std::string& text, const std::vector<std::string>& sets = {}) {
    return message_of([&] { load(text, sets); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "c.toml";
};

const ModelConfig& heads(const RunConfig& config) {
  return std::get<ModelConfig>(config.model);
}

Dataset three_classes() {
  Dataset dataset;
  dataset.name = "three";
  dataset.class_names = {"a", "b", "c"};
  dataset.mean[0] = 0.4914f;
  return dataset;
}

TEST_F(RunConfigFile, TinyImagenetSelectsNothingOnItsTestSet) {
  const std::string head = "[train]\nkeep = \"best\"\n[data]\nname = \"tiny-imagenet\"\n";
  EXPECT_EQ(refusal(head), path_ +
                               ": train.keep = \"best\" would select weights on the test set of tiny-imagenet: "
                               "expected \"last\", or data.val_size above 0");
  EXPECT_EQ(load(head, {"data.val_size=50"}).data.val_size, 50);
  EXPECT_EQ(load(head, {"train.keep=last"}).train.keep, WeightChoice::kLast);
}

TEST_F(RunConfigFile, EmptyFileIsThePublishedRecipe) {
  const RunConfig config = load("");
  EXPECT_EQ(heads(config).width0, 64);
  EXPECT_EQ(config.train.batch_size, 128);
  EXPECT_EQ(config.train.schedule.kind, Schedule::kStep);
  EXPECT_EQ(config.train.schedule.epochs, 50);
  EXPECT_EQ(config.train.schedule.learning_rate, 0.1);
  EXPECT_EQ(config.train.schedule.milestones, (std::vector<int64_t>{30, 40}));
  EXPECT_EQ(config.train.momentum, 0.9);
  EXPECT_EQ(config.train.weight_decay, 5e-4);
  EXPECT_FALSE(config.train.nesterov);
  EXPECT_EQ(config.train.label_smoothing, 0);
  EXPECT_EQ(config.train.augment.crop_padding, 0);
  EXPECT_FALSE(config.train.augment.flip);
  EXPECT_EQ(config.train.seed, 42u);
}

TEST_F(RunConfigFile, SetReplacesWhatTheFileSays) {
  const RunConfig config = load("k = 2\n[train]\nepochs = 9\n", {"train.epochs=3", "head=soft", "data.name=\"shapes\"",
                                                                 "train.milestones=[1, 2]", "train.flip=true"});
  EXPECT_EQ(config.train.schedule.epochs, 3);
  EXPECT_EQ(heads(config).head, HeadKind::kSoft);  // a text needs no quotes
  EXPECT_EQ(config.train.schedule.milestones, (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(config.train.augment.flip);
}

TEST_F(RunConfigFile, NamesFileAndKeyOfAMistake) {
  EXPECT_TRUE(contains(refusal("wdith0 = 8\n"), path_ + ": wdith0: unknown key"));
  EXPECT_TRUE(contains(refusal("[train]\nepoch = 8\n"), path_ + ": train.epoch: unknown key"));
  EXPECT_TRUE(contains(refusal("[data]\nimage = 8\n"), path_ + ": data.image: unknown key"));
  EXPECT_TRUE(contains(refusal("[train]\nepochs = 0\n"), "train.epochs: expected a whole number from 1"));
  EXPECT_TRUE(contains(refusal("[train]\nkeep_every = -1\n"), "train.keep_every: expected a whole number from 0"));
  EXPECT_TRUE(contains(refusal("[train]\nema = 1\n"), "train.ema: expected a number from 0 to 0.999999"));
  EXPECT_TRUE(contains(refusal("[train]\naccumulate = 0\n"), "train.accumulate: expected a whole number from 1"));
  EXPECT_TRUE(contains(refusal("[train]\ndeterministic = 1\n"), "train.deterministic: expected true or false"));
  EXPECT_TRUE(contains(refusal("[train]\npatience = -1\n"), "train.patience: expected a whole number from 0"));
  EXPECT_TRUE(contains(refusal("[train]\nmin_delta = 2\n"), "train.min_delta: expected a number from 0 to 1"));
  EXPECT_TRUE(contains(refusal("[train]\ntensorboard = \"RUN\"\n"), "train.tensorboard: expected true or false"));
  EXPECT_TRUE(contains(refusal("kind = \"cifar_head\"\n"), "kind: expected one of cifar_e2e, patch_net, resnet18"));
  EXPECT_TRUE(contains(refusal("", {"train.epoch=3"}), "train.epoch: unknown key"));
  EXPECT_TRUE(contains(refusal("", {"epochs"}), "--set epochs: expected key=value"));
  EXPECT_TRUE(contains(refusal("k = 2\n", {"k.x=3"}), "--set k.x=3: k is not a table"));
}

TEST_F(RunConfigFile, SyntaxErrorsNameTheLine) {
  EXPECT_TRUE(contains(refusal("k = 2\nhead = = 3\n"), "in line 2"));
  EXPECT_TRUE(contains(message_of([&] { load_toml_config(folder_ / "absent.toml", {}); }), "absent.toml"));
}

TEST_F(RunConfigFile, ResolveTakesNamesFromTheDataSet) {
  RunConfig config = load("");
  resolve(config, three_classes());
  EXPECT_EQ(heads(config).num_classes, 3);
  EXPECT_EQ(config.class_names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(config.mean[0], 0.4914);  // as written, not as the float's neighbour in double
  EXPECT_NE(config.train.precision, PrecisionChoice::kAuto);
  EXPECT_GT(config.train.threads, 0);
}

TEST_F(RunConfigFile, ChannelsLastFollowsThePrecisionUnlessGiven) {
  const auto resolved = [this](const std::vector<std::string>& sets) {
    RunConfig config = load("", sets);
    resolve(config, three_classes());
    return config.train.channels_last.value();
  };
  EXPECT_TRUE(resolved({"train.precision=f32"}));
  EXPECT_FALSE(resolved({"train.precision=bf16"}));
  EXPECT_TRUE(resolved({"train.precision=bf16", "train.channels_last=true"}));
}

/// The last word of a configuration's name says what it trains.
std::string trained_by(const RunConfig& config) {
  if (std::holds_alternative<PatchNetConfig>(config.model)) return "patch";
  if (std::holds_alternative<Resnet18Config>(config.model)) return "resnet18";
  const ModelConfig& model = heads(config);
  const bool hard = model.head == HeadKind::kSparse && model.k == 1;
  return std::map<HeadKind, std::string>{
      {HeadKind::kDense, "dense"}, {HeadKind::kSoft, "soft"}, {HeadKind::kSparse, hard ? "hard" : "sparse"}}
      .at(model.head);
}

TEST_F(RunConfigFile, ConfigurationsAreValidAndTrainWhatTheirNameSays) {
  std::map<std::string, int> counts;
  for (const auto& entry : std::filesystem::directory_iterator(MOEFB_SOURCE_DIR "/trainer/configs")) {
    const RunConfig config = load_toml_config(entry.path().string(), {});
    const std::string name = entry.path().stem().string();
    const std::string last = name.substr(name.rfind('-') + 1);
    ++counts[last];
    if (last != "folder") {
      EXPECT_EQ(trained_by(config), last) << name;
    }
  }
  EXPECT_EQ(counts,
            (std::map<std::string, int>{
                {"dense", 3}, {"soft", 3}, {"sparse", 4}, {"hard", 3}, {"patch", 2}, {"resnet18", 1}, {"folder", 1}}));
}

TEST_F(RunConfigFile, PublishedConfigurationsAreThePublishedRecipe) {
  RunConfig published = load("");
  resolve(published, three_classes());
  const auto recipe = [](const RunConfig& config) {
    nlohmann::json train = nlohmann::json::parse(to_json(config)).at("train");
    train.erase("precision");  // published: f32, whatever the machine is faster with
    train.erase("channels_last");
    return train;
  };
  for (const char* head : {"dense", "soft", "sparse", "hard"}) {
    const std::string path = MOEFB_SOURCE_DIR "/trainer/configs/cifar10-published-" + std::string(head) + ".toml";
    RunConfig config = load_toml_config(path, {});
    EXPECT_EQ(config.data.name, "cifar10");
    resolve(config, three_classes());
    EXPECT_EQ(recipe(config), recipe(published)) << head;
    EXPECT_EQ(heads(config).width0, 64) << head;
  }
}

TEST_F(RunConfigFile, PatchNetworkAloneIsItsPublishedRecipe) {
  const RunConfig config = load("kind = \"patch_net\"\n");
  const TrainConfig& train = config.train;
  EXPECT_EQ(train.schedule.kind, Schedule::kPatch);
  EXPECT_EQ(train.patch.epochs, 150);
  EXPECT_EQ(train.patch.learning_rate, 1e-3);
  EXPECT_EQ(train.patch.router_learning_rate, 1e-3);
  EXPECT_EQ(train.patch.warmup_epochs, 15);
  EXPECT_EQ(train.patch.uniform_epochs, 10);
  EXPECT_EQ(train.patch.router_warmup_epochs, 5);
  EXPECT_EQ(train.batch_size, 128);
  EXPECT_EQ(train.optimizer, OptimizerKind::kAdamW);
  EXPECT_EQ(train.weight_decay, 1e-3);
  EXPECT_EQ(train.clip_norm, 1.5);
  EXPECT_EQ(train.router_clip_norm, 0.5);
  EXPECT_EQ(train.label_smoothing, 0.1);
  EXPECT_TRUE(train.mix);
  EXPECT_EQ(train.mixing.cutmix_probability, 0.3);
  EXPECT_EQ(train.keep, WeightChoice::kLast);
  EXPECT_EQ(config.data.picture.resize_to, 256);
  EXPECT_EQ(config.data.picture.filter, Filter::kBicubic);
}

TEST_F(RunConfigFile, DenseComparisonHasARecipeOfItsOwn) {
  const TrainConfig train = load("kind = \"resnet18\"\n").train;
  EXPECT_EQ(train.schedule.kind, Schedule::kCosine);
  EXPECT_EQ(train.schedule.learning_rate, 5e-4);
  EXPECT_EQ(train.schedule.warmup_epochs, 15);
  EXPECT_EQ(train.label_smoothing, 0.15);
  EXPECT_EQ(train.clip_norm, 1.0);
  EXPECT_EQ(train.mixing.cutmix_probability, 0.5);
  EXPECT_EQ(train.mixing.mixup_alpha, 0.3);
}

TEST_F(RunConfigFile, FolderTakesARuleForItsPictures) {
  const RunConfig config = load(
      "image = 48\nresize = \"stretch\"\nresize_to = 56\nfilter = \"bicubic\"\nmean = [0.1, 0.2, 0.3]\n"
      "[data]\nname = \"folder\"\nunreadable = \"skip\"\n");
  EXPECT_EQ(config.data.image, 48);
  EXPECT_EQ(config.data.picture.resize, ResizeRule::kStretch);
  EXPECT_EQ(config.data.picture.resize_to, 56);
  EXPECT_EQ(config.data.picture.filter, Filter::kBicubic);
  EXPECT_EQ((*config.data.mean)[1], 0.2f);
  EXPECT_EQ(config.mean[1], 0.2);
  EXPECT_FALSE(config.data.stddev.has_value());
  EXPECT_TRUE(config.data.skip_unreadable);
}

TEST_F(RunConfigFile, RefusesMeansAndDeviationsThatAreNone) {
  EXPECT_TRUE(contains(refusal("mean = [0.1, 0.2]\n"), "mean: expected three numbers from 0 to 1"));
  EXPECT_TRUE(contains(refusal("mean = [0.1, 0.2, 3]\n"), "mean: expected three numbers from 0 to 1"));
  EXPECT_TRUE(contains(refusal("std = [0.1, 0.2, 0]\n"), "std: expected three numbers above 0, at most 1"));
  EXPECT_TRUE(contains(refusal("[data]\nunreadable = \"ask\"\n"), "data.unreadable: expected one of refuse, skip"));
}

TEST_F(RunConfigFile, ResolveRefusesClassNamesThatJsonCannotHold) {
  Dataset dataset = three_classes();
  dataset.class_names[1] = "\xff";
  RunConfig config = load("");
  EXPECT_TRUE(contains(message_of([&] { resolve(config, dataset); }), "class_names: expected UTF-8"));
}

TEST_F(RunConfigFile, ResolveRefusesAnotherClassCount) {
  RunConfig config = load("num_classes = 10\n");
  EXPECT_TRUE(contains(message_of([&] { resolve(config, three_classes()); }),
                       "num_classes: configured as 10, but the data set three has 3"));
}

TEST_F(RunConfigFile, ConfigJsonReadsBackTheSame) {
  RunConfig config = load("width0 = 8\nresize = \"stretch\"\n", {"train.warmup_epochs=2", "train.schedule=cosine",
                                                                 "train.small_image=24", "data.train_size=100"});
  resolve(config, three_classes());
  const std::string path = folder_ / "config.json";
  write_file_atomically(path, to_json(config));
  EXPECT_EQ(to_json(load_run_config(path)), to_json(config));
}

}  // namespace
}  // namespace moefb::trainer
