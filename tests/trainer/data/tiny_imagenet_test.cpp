#include "trainer/data/tiny_imagenet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "converter/temporary_folder.h"
#include "trainer/data/png.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;

/// The published folder in small: three classes, not in order, 10 pictures each to train and 4 to validate. Every
/// picture is of one colour: 40 for each rank of its class, and one more for each picture.
class TinyImageNet : public ::testing::Test {
 protected:
  TinyImageNet() {
    config_.name = "tiny-imagenet";
    config_.path = folder_ / "tiny";
    config_.image = 16;
    write("wnids.txt", "n03\nn01\nn02\n");
    write("words.txt", "n01\tgoldfish, Carassius auratus\nn02\tcrane\nn03\tcrane, heavy machine\nn09\tother\n");
    for (const std::string wnid : {"n01", "n02", "n03"}) {
      for (int i = 0; i < 10; ++i) {
        paint("train/" + wnid + "/images/" + wnid + "_" + std::to_string(i) + ".JPEG", 40 * (wnid[2] - '0') + i);
      }
      write("train/" + wnid + "/" + wnid + "_boxes.txt", "n01_0.JPEG\t0\t0\t63\t63\n");
    }
    std::string annotations;
    for (int i = 0; i < 12; ++i) {
      const std::string name = "val_" + std::to_string(i) + ".JPEG";
      const int rank = 1 + i % 3;
      paint("val/images/" + name, 40 * rank + 20);
      annotations += name + "\tn0" + std::to_string(rank) + "\t0\t32\t44\t62\n";
    }
    write("val/val_annotations.txt", annotations);
  }

  std::string file(const std::string& path) {
    const std::string full = config_.path + "/" + path;
    fs::create_directories(fs::path(full).parent_path());
    return full;
  }
  void write(const std::string& path, const std::string& text) { std::ofstream(file(path), std::ios::trunc) << text; }
  void append(const std::string& path, const std::string& text) { std::ofstream(file(path), std::ios::app) << text; }
  void paint(const std::string& path, int value) {
    write_jpeg(file(path), 20, 20, std::vector<uint8_t>(20 * 20 * 3, uint8_t(value)), 100);
  }
  std::string refusal() const {
    return testing::message_of([&] { load_dataset(config_); });
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(TinyImageNet, ClassesAreNumberedByIdAndNamedByTheirFirstTerm) {
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"goldfish", "crane n02", "crane n03"}));
  EXPECT_EQ(dataset.train.size(), 30);
  EXPECT_EQ(dataset.test.size(), 12);
  EXPECT_TRUE(dataset.train.streamed());
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    for (int64_t i = 0; i < set->size(); ++i) {
      EXPECT_EQ(prepared_picture(dataset, *set, i)[0] / 40 - 1, set->labels[size_t(i)]) << set->files[size_t(i)];
    }
  }
}

TEST_F(TinyImageNet, ValIsTestUnlessTakenFromTheTrainingPictures) {
  EXPECT_EQ(load_dataset(config_).val.files, load_dataset(config_).test.files);
  config_.val_size = 6;
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.train.size(), 24);
  EXPECT_EQ(dataset.test.size(), 12);
  for (const int64_t label : {0, 1, 2}) EXPECT_EQ(std::ranges::count(dataset.val.labels, label), 2);
  std::set<std::string> files(dataset.train.files.begin(), dataset.train.files.end());
  files.insert(dataset.val.files.begin(), dataset.val.files.end());
  EXPECT_EQ(files.size(), 30u) << "no picture is in two sets";
  config_.seed = 43;
  EXPECT_NE(load_dataset(config_).val.files, dataset.val.files);
}

TEST_F(TinyImageNet, SizesTakeOfEachClassInProportion) {
  config_.train_size = 9;
  config_.test_size = 6;
  const Dataset dataset = load_dataset(config_);
  for (const int64_t label : {0, 1, 2}) {
    EXPECT_EQ(std::ranges::count(dataset.train.labels, label), 3);
    EXPECT_EQ(std::ranges::count(dataset.test.labels, label), 2);
  }
  config_.train_size = 31;
  EXPECT_EQ(refusal(), "data set tiny-imagenet: expected train_size of at most 30, found 31");
}

TEST_F(TinyImageNet, ClassesCanBeChosen) {
  config_.classes = {"n03", "n01"};
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.class_names, (std::vector<std::string>{"goldfish", "crane"})) << "unique here without its id";
  EXPECT_EQ(dataset.train.size(), 20);
  EXPECT_EQ(dataset.test.size(), 8);
  EXPECT_EQ(prepared_picture(dataset, dataset.test, 1)[0] / 40, 3);
  EXPECT_EQ(dataset.test.labels[1], 1);
}

TEST_F(TinyImageNet, ConstantsAndPictureRuleAreThePublishedUnlessGiven) {
  config_.image = 128;
  const Dataset published = load_dataset(config_);
  EXPECT_EQ(published.mean[1], 0.456f);
  EXPECT_EQ(published.stddev[2], 0.225f);
  EXPECT_EQ(published.picture.resize_to, 146);  // 128 * 256 / 224 = 146.3
  EXPECT_EQ(published.picture.filter, Filter::kBicubic);
  config_.mean = {0.1f, 0.2f, 0.3f};
  config_.picture = {ResizeRule::kStretch, 128, Filter::kBilinear};
  const Dataset given = load_dataset(config_);
  EXPECT_EQ(given.mean[1], 0.2f);
  EXPECT_EQ(given.stddev[1], 0.224f);
  EXPECT_EQ(given.picture.resize, ResizeRule::kStretch);
  EXPECT_EQ(given.picture.filter, Filter::kBilinear);
}

TEST_F(TinyImageNet, RefusesWrongClasses) {
  config_.classes = {"n01", "n77"};
  EXPECT_TRUE(contains(refusal(), "expected in classes ids of " + config_.path + "/wnids.txt, found \"n77\""));
  config_.classes = {"n01", "n01"};
  EXPECT_TRUE(contains(refusal(), "found \"n01\" twice"));
  config_.classes = {"n01"};
  EXPECT_TRUE(contains(refusal(), "expected at least 2 classes, found 1"));
}

TEST_F(TinyImageNet, RefusesAFolderThatIsNone) {
  config_.path = folder_ / "nothing";
  EXPECT_TRUE(contains(refusal(), "nothing\", which is no folder"));
}

TEST_F(TinyImageNet, RefusesMissingParts) {
  fs::remove_all(file("train/n02/images"));
  EXPECT_TRUE(contains(refusal(), "train/n02/images: cannot be listed"));
  fs::create_directories(file("train/n02/images"));
  EXPECT_TRUE(contains(refusal(), "train/n02/images: expected pictures (.JPEG), found none"));
  fs::remove(file("words.txt"));
  EXPECT_TRUE(contains(refusal(), "words.txt: cannot be read"));
}

TEST_F(TinyImageNet, RefusesWrongLists) {
  write("wnids.txt", "n01\nn02\nn01\n");
  EXPECT_TRUE(contains(refusal(), "wnids.txt, line 3: expected each id once, found n01 again"));
  write("wnids.txt", "n01\n");
  EXPECT_TRUE(contains(refusal(), "expected at least 2 ids, found 1"));
  write("wnids.txt", "n01\nn02\nn03\n");
  write("words.txt", "n01\tgoldfish\nn02\tcrane\n");
  EXPECT_TRUE(contains(refusal(), "words.txt: expected the words of n03, found none"));
  write("words.txt", "n01 goldfish\n");
  EXPECT_TRUE(contains(refusal(), "words.txt, line 1: expected 2 values with tabs between, found \"n01 goldfish\""));
}

TEST_F(TinyImageNet, RefusesAnnotationsThatDoNotFitThePictures) {
  append("val/val_annotations.txt", "val_99.JPEG\tn01\n");
  EXPECT_TRUE(contains(refusal(), "val_annotations.txt, line 13: expected a picture of val/images"));
  EXPECT_TRUE(contains(refusal(), "found \"val_99.JPEG\""));
  paint("val/images/val_99.JPEG", 0);
  EXPECT_EQ(refusal(), "");
  append("val/val_annotations.txt", "val_0.JPEG\tn88\n");
  EXPECT_TRUE(contains(refusal(), "line 14: expected an id of wnids.txt, found \"n88\""));
}

TEST_F(TinyImageNet, RefusesAPictureWithoutAnnotation) {
  paint("val/images/val_99.JPEG", 0);
  EXPECT_TRUE(contains(refusal(), "val_99.JPEG: val_annotations.txt does not name it"));
}

TEST_F(TinyImageNet, RefusesAClassWithoutTrainingPictures) {
  config_.train_size = 2;
  EXPECT_TRUE(contains(refusal(), "keeps no picture to train on"));
}

}  // namespace
}  // namespace moefb::trainer
