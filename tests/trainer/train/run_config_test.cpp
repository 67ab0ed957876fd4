#include "trainer/train/run_config.h"

#include <gtest/gtest.h>

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

Dataset three_classes() {
  Dataset dataset;
  dataset.name = "three";
  dataset.class_names = {"a", "b", "c"};
  dataset.mean[0] = 0.4914f;
  return dataset;
}

TEST_F(RunConfigFile, EmptyFileIsThePublishedRecipe) {
  const RunConfig config = load("");
  EXPECT_EQ(config.model.width0, 64);
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
  EXPECT_EQ(config.model.head, HeadKind::kSoft);  // a text needs no quotes
  EXPECT_EQ(config.train.schedule.milestones, (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(config.train.augment.flip);
}

TEST_F(RunConfigFile, NamesFileAndKeyOfAMistake) {
  EXPECT_TRUE(contains(refusal("wdith0 = 8\n"), path_ + ": wdith0: unknown key"));
  EXPECT_TRUE(contains(refusal("[train]\nepoch = 8\n"), path_ + ": train.epoch: unknown key"));
  EXPECT_TRUE(contains(refusal("[data]\nimage = 8\n"), path_ + ": data.image: unknown key"));
  EXPECT_TRUE(contains(refusal("[train]\nepochs = 0\n"), "train.epochs: expected a whole number from 1"));
  EXPECT_TRUE(contains(refusal("kind = \"patch_net\"\n"), "kind: the trainer trains cifar_e2e"));
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
  EXPECT_EQ(config.model.num_classes, 3);
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

TEST_F(RunConfigFile, ShippedConfigurationsAreValid) {
  for (const char* name : {"shapes-sparse", "cifar10-sparse"}) {
    const RunConfig config = load_toml_config(std::string(MOEFB_SOURCE_DIR "/trainer/configs/") + name + ".toml", {});
    EXPECT_EQ(config.model.head, HeadKind::kSparse);
  }
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
