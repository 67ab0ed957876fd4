// A streamed set is the same pictures as one in memory, read when they are needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "converter/temporary_folder.h"
#include "trainer/data/colour_statistics.h"
#include "trainer/data/loader.h"
#include "trainer/data/png.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;

constexpr int kSide = 12;

class Streaming : public ::testing::Test {
 protected:
  Streaming() {
    config_.name = "folder";
    config_.path = folder_ / "pictures";
    config_.image = kSide;
    config_.picture = {ResizeRule::kShorterSide, 14, Filter::kBicubic};
    for (const std::string name : {"a", "b"}) {
      for (int i = 0; i < 15; ++i) paint(name + "/" + std::to_string(10 + i) + ".png", 20 + i, 31 - i);
    }
  }

  void paint(const std::string& path, int width, int height) {
    const std::string full = config_.path + "/" + path;
    fs::create_directories(fs::path(full).parent_path());
    std::vector<uint8_t> pixels(size_t(width) * size_t(height) * 3);
    Random random(uint64_t(width), Stream::kNoise, std::hash<std::string>()(path));
    for (uint8_t& byte : pixels) byte = uint8_t(random.below(256));
    write_png(full, width, height, pixels);
  }

  Dataset load(bool stream) {
    config_.stream = stream;
    return load_dataset(config_);
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

AugmentConfig everything() {
  AugmentConfig augment;
  augment.flip = true;
  augment.resized_crop = true;
  augment.grayscale = 0.3;
  augment.jitter = {0.4, 0.4, 0.4, 0.1};
  augment.rand_augment_operations = 2;
  augment.erasing = 0.5;
  return augment;
}

std::vector<float> pass(const Dataset& dataset, const AugmentConfig& augment, int workers, int64_t epoch = 0) {
  std::vector<int64_t> order(size_t(dataset.train.size()));
  std::iota(order.begin(), order.end(), 0);
  Loader loader(dataset, dataset.train, augment, 5, epoch, order, 4, workers);
  std::vector<float> planes;
  while (const auto batch = loader.next()) planes.insert(planes.end(), batch->planes.begin(), batch->planes.end());
  return planes;
}

TEST_F(Streaming, PicturesAndColoursAreThoseOfTheSetInMemory) {
  const Dataset whole = load(false);
  const Dataset streamed = load(true);
  ASSERT_TRUE(streamed.train.streamed());
  EXPECT_FALSE(whole.train.streamed());
  for (const auto set : {&Dataset::train, &Dataset::val, &Dataset::test}) {
    ASSERT_EQ((streamed.*set).files, (whole.*set).files);
    EXPECT_EQ((streamed.*set).labels, (whole.*set).labels);
    EXPECT_EQ((streamed.*set).root, config_.path);
    for (int64_t i = 0; i < (whole.*set).size(); ++i) {
      const std::vector<uint8_t> picture = prepared_picture(streamed, streamed.*set, i);
      EXPECT_TRUE(std::ranges::equal(picture, (whole.*set).picture(i)));
      EXPECT_EQ(prepared_picture(whole, whole.*set, i), picture);
    }
  }
  EXPECT_TRUE(std::ranges::equal(streamed.mean, whole.mean));
  EXPECT_TRUE(std::ranges::equal(streamed.stddev, whole.stddev));
}

TEST_F(Streaming, BatchesAreThoseOfTheSetInMemory) {
  AugmentConfig augment;
  augment.flip = true;
  augment.crop_padding = 3;
  const Dataset whole = load(false);
  const Dataset streamed = load(true);
  EXPECT_EQ(pass(streamed, augment, 2), pass(whole, augment, 0));
}

TEST_F(Streaming, WorkersChangeNoBitOfTheWholeAugmentation) {
  const Dataset dataset = load(true);
  const std::vector<float> alone = pass(dataset, everything(), 0);
  for (const int workers : {1, 3}) EXPECT_EQ(pass(dataset, everything(), workers), alone) << workers;
  EXPECT_NE(pass(dataset, everything(), 0, 1), alone) << "another epoch";
}

TEST_F(Streaming, ResizedCropsCutThePictureAtItsOwnSize) {
  AugmentConfig augment;
  EXPECT_FALSE(augment.needs_own_size());
  augment.resized_crop = true;
  EXPECT_TRUE(augment.needs_own_size());
  const Image own = own_picture(load(true).train, 0);
  EXPECT_NE(own.width, kSide);
  EXPECT_NE(pass(load(true), augment, 0), pass(load(false), augment, 0)) << "in memory they are small already";
}

TEST_F(Streaming, AFileThatBreaksLaterIsNamedThroughTheLoader) {
  const Dataset dataset = load(true);
  const std::string path = config_.path + "/" + dataset.train.files[5];
  std::ofstream(path, std::ios::trunc) << "no picture";
  for (const int workers : {0, 2}) {
    EXPECT_TRUE(contains(testing::message_of([&] { pass(dataset, {}, workers); }), path)) << workers;
  }
  Dataset measured = dataset;
  EXPECT_TRUE(contains(testing::message_of([&] { measure_colours(measured, nullptr); }), path));
}

TEST_F(Streaming, GivenColoursSpareTheFirstPass) {
  std::ofstream(config_.path + "/a/12.png", std::ios::trunc) << "no picture";
  config_.mean = {0.1f, 0.2f, 0.3f};
  config_.stddev = {0.4f, 0.5f, 0.6f};
  const Dataset dataset = load(true);
  EXPECT_EQ(dataset.mean[2], 0.3f);
  EXPECT_EQ(dataset.stddev[0], 0.4f);
  config_.stddev.reset();
  EXPECT_TRUE(contains(testing::message_of([&] { load(true); }), "12.png"));
}

TEST_F(Streaming, RefusesToSkipUnreadablePictures) {
  config_.skip_unreadable = true;
  EXPECT_TRUE(contains(testing::message_of([&] { load(true); }), "expected to refuse them, found to skip them"));
}

TEST_F(Streaming, PixelsOfAStreamedSetCannotBeHadDirectly) {
  const Dataset dataset = load(true);
  EXPECT_THROW(dataset.train.picture(0), std::logic_error);
}

}  // namespace
}  // namespace moefb::trainer
