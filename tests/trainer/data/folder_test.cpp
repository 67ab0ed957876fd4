#include "trainer/data/folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "converter/temporary_folder.h"
#include "trainer/data/png.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;

constexpr int kSide = 8;

class Folder : public ::testing::Test {
 protected:
  Folder() {
    config_.name = "folder";
    config_.path = folder_ / "pictures";
    config_.image = kSide;
  }
  std::string file(const std::string& path) const {
    const std::string full = config_.path + "/" + path;
    fs::create_directories(fs::path(full).parent_path());
    return full;
  }
  /// A picture of one colour.
  void paint(const std::string& path, uint8_t value, int width = kSide, int height = kSide) const {
    write_png(file(path), width, height, std::vector<uint8_t>(size_t(width) * size_t(height) * 3, value));
  }
  /// So many pictures of a class; which one each is can be read from its colour.
  void paint_class(const std::string& folder, int count, int first = 0) const {
    for (int i = 0; i < count; ++i) paint(folder + "/" + std::to_string(100 + i) + ".png", uint8_t(first + i));
  }
  void copy_image(const std::string& name, const std::string& path) const {
    fs::copy_file(MOEFB_TEST_DATA "/images/" + name, file(path));
  }
  std::string refusal() const {
    return testing::message_of([&] { load_dataset(config_); });
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

std::vector<std::string> all_files(const Dataset& dataset) {
  std::vector<std::string> files;
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    files.insert(files.end(), set->files.begin(), set->files.end());
  }
  std::ranges::sort(files);
  return files;
}

TEST_F(Folder, SetsATenthOfEachClassAsideToSelectAndToTest) {
  paint_class("a", 40);
  paint_class("b", 20, 100);
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(dataset.train.size(), 48);
  for (const PictureSet* set : {&dataset.val, &dataset.test}) {
    EXPECT_EQ(set->size(), 6);
    EXPECT_EQ(std::ranges::count(set->labels, 0), 4);
    EXPECT_TRUE(std::ranges::is_sorted(set->files));
  }
  const std::vector<std::string> files = all_files(dataset);
  EXPECT_EQ(std::set<std::string>(files.begin(), files.end()).size(), 60u) << "no picture is in two sets";
}

TEST_F(Folder, PicturesKeepTheirLabelAndTheirFile) {
  paint_class("a", 6);
  paint_class("b", 6, 100);
  const Dataset dataset = load_dataset(config_);
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    ASSERT_EQ(set->files.size(), size_t(set->size()));
    for (int64_t i = 0; i < set->size(); ++i) {
      const int value = set->picture(i)[0];
      EXPECT_EQ(set->labels[size_t(i)], value >= 100 ? 1 : 0);
      const std::string name = (value >= 100 ? "b/" : "a/") + std::to_string(100 + value % 100) + ".png";
      EXPECT_EQ(set->files[size_t(i)], name);
    }
  }
}

TEST_F(Folder, SeedMovesTheSplit) {
  paint_class("a", 40);
  paint_class("b", 40);
  const Dataset first = load_dataset(config_);
  EXPECT_EQ(load_dataset(config_).test.files, first.test.files);
  config_.seed = 43;
  EXPECT_NE(load_dataset(config_).test.files, first.test.files);
}

TEST_F(Folder, SetsWithFoldersAreTakenAsTheyAre) {
  paint_class("train/a", 10);
  paint_class("train/b", 10);
  paint_class("val/a", 2);
  paint_class("val/b", 2);
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.val.files,
            (std::vector<std::string>{"val/a/100.png", "val/a/101.png", "val/b/100.png", "val/b/101.png"}));
  EXPECT_EQ(dataset.test.size(), 2);
  EXPECT_TRUE(dataset.test.files[0].starts_with("train/a/"));
  EXPECT_EQ(dataset.train.size(), 18);
}

TEST_F(Folder, SizesCanBeChosen) {
  paint_class("train/a", 20);
  paint_class("train/b", 20);
  paint_class("test/a", 10);
  paint_class("test/b", 10);
  config_.train_size = 8;
  config_.val_size = 4;
  config_.test_size = 6;
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(std::ranges::count(dataset.train.labels, 0), 4);
  EXPECT_EQ(dataset.train.size(), 8);
  EXPECT_EQ(dataset.val.size(), 4);
  EXPECT_EQ(dataset.test.size(), 6);
  EXPECT_TRUE(dataset.test.files[0].starts_with("test/"));
  config_.val_size = 40;
  EXPECT_EQ(refusal(), "data set folder: expected val_size of at most 39, found 40");
}

TEST_F(Folder, EveryKindOfPictureBecomesWhatTheRuntimeMakesOfIt) {
  const std::vector<std::string> names = {"grey8.png", "grey16.png", "palette4.png", "rgba8.png", "baseline.jpg",
                                          "grey.jpg",  "cmyk.jpg",   "rgb24.bmp",    "turned.png"};
  for (const std::string& name : names) copy_image(name, "train/a/" + name);
  paint_class("train/b", 4);
  paint_class("val/a", 1);
  paint_class("test/a", 1);
  config_.picture = {ResizeRule::kStretch, 0, Filter::kBicubic};
  const PictureSet train = load_dataset(config_).train;
  Preprocessing rule;
  rule.height = rule.width = kSide;
  rule.resize = ResizeRule::kStretch;
  rule.filter = Filter::kBicubic;
  size_t compared = 0;
  for (int64_t i = 0; i < train.size(); ++i) {
    if (train.labels[size_t(i)] != 0) continue;
    const auto image = load_image((config_.path + "/" + train.files[size_t(i)]).c_str());
    ASSERT_TRUE(image.ok()) << train.files[size_t(i)];
    std::vector<uint8_t> expected(train.picture_bytes());
    ASSERT_TRUE(resize_and_crop(*image, rule, expected).ok());
    EXPECT_TRUE(std::ranges::equal(train.picture(i), expected)) << train.files[size_t(i)];
    ++compared;
  }
  EXPECT_EQ(compared, names.size());
}

TEST_F(Folder, ShorterSideIsResizedAndTheCentreCropped) {
  paint_class("train/a", 3);
  paint_class("train/b", 3);
  // Black, but for a white square in the middle that is the centre crop.
  std::vector<uint8_t> wide(32 * 16 * 3, 0);
  for (int y = 0; y < 16; ++y) std::fill_n(wide.begin() + (y * 32 + 8) * 3, 16 * 3, uint8_t{255});
  write_png(file("test/a/wide.png"), 32, 16, wide);
  const PictureSet test = load_dataset(config_).test;
  ASSERT_EQ(test.size(), 1);
  for (const uint8_t value : test.picture(0)) EXPECT_GE(value, 200);
}

TEST_F(Folder, MeanAndDeviationAreThoseOfTheTrainingPictures) {
  paint("train/a/1.png", 0);
  paint("train/b/2.png", 255);
  paint("val/a/3.png", 77);
  paint("test/a/4.png", 78);
  const Dataset dataset = load_dataset(config_);
  for (int c = 0; c < 3; ++c) {
    EXPECT_FLOAT_EQ(dataset.mean[c], 0.5f);
    EXPECT_FLOAT_EQ(dataset.stddev[c], 0.5f);
  }
}

TEST_F(Folder, ConfiguredMeanAndDeviationReplaceThem) {
  paint_class("a", 5);
  paint_class("b", 5);
  config_.mean = {0.1f, 0.2f, 0.3f};
  config_.stddev = {0.4f, 0.5f, 0.6f};
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.mean[1], 0.2f);
  EXPECT_EQ(dataset.stddev[2], 0.6f);
}

TEST_F(Folder, PicturesOfOneColourHaveADeviationToDivideBy) {
  for (const char* path : {"train/a/1.png", "train/b/2.png", "val/a/3.png", "test/a/4.png"}) paint(path, 9);
  EXPECT_FLOAT_EQ(load_dataset(config_).stddev[0], 1.0f / 255);
}

TEST_F(Folder, RefusesAnUnreadablePictureByName) {
  paint_class("a", 5);
  paint_class("b", 5);
  std::ofstream(file("b/broken.png")) << "not a picture";
  EXPECT_TRUE(contains(refusal(), config_.path + "/b/broken.png: corrupt file"));
}

TEST_F(Folder, SkipsUnreadablePicturesWhereAsked) {
  paint_class("a", 10);
  paint_class("b", 10);
  std::ofstream(file("a/broken.jpg")) << "";
  std::ofstream(file("b/broken.png")) << "not a picture";
  config_.skip_unreadable = true;
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.train.size() + dataset.val.size() + dataset.test.size(), 20);
  std::string notes;
  for (const std::string& note : dataset.notes) notes += note + "\n";
  EXPECT_TRUE(contains(notes, "left out, as unreadable: " + config_.path));
  for (const std::string& name : all_files(dataset)) EXPECT_EQ(name.find("broken"), std::string::npos);
  for (int64_t i = 0; i < dataset.train.size(); ++i) {
    const std::string number = std::to_string(100 + dataset.train.picture(i)[0]);
    EXPECT_TRUE(contains(dataset.train.files[size_t(i)], number)) << "pixels, labels and names moved together";
  }
}

TEST_F(Folder, RefusesAClassThatKeepsNoTrainingPicture) {
  paint_class("a", 10);
  paint_class("b", 1);
  config_.val_size = 6;
  config_.test_size = 2;
  EXPECT_TRUE(contains(refusal(), "class b keeps no picture to train on"));
}

TEST_F(Folder, RefusesMoreThanTheMemoryHolds) {
  paint_class("a", 10);
  paint_class("b", 10);
  config_.image = 1 << 20;  // 20 pictures of 3 TB
  EXPECT_TRUE(contains(refusal(), "data set folder: 20 pictures of 1048576x1048576 need"));
}

TEST_F(Folder, TellsHowFarItIs) {
  paint_class("a", 20);
  paint_class("b", 20);
  std::vector<int64_t> told;
  load_dataset(config_, [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 40);
    told.push_back(done);
  });
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), 40);
}

}  // namespace
}  // namespace moefb::trainer
