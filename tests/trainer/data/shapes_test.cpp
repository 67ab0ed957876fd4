#include "trainer/data/shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

/// FNV-1a, 64 bits.
uint64_t hash_of(std::span<const uint8_t> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::string error_of(const DataConfig& config) {
  return testing::message_of([&] { load_dataset(config); });
}

const Dataset& own_sizes() {
  static const Dataset dataset = load_dataset({});
  return dataset;
}

TEST(Shapes, HasItsOwnSizesAndTwelveClasses) {
  const Dataset& dataset = own_sizes();
  EXPECT_EQ(dataset.name, "shapes");
  EXPECT_EQ(dataset.class_names.size(), 12u);
  EXPECT_EQ(dataset.class_names.front(), "arrow");
  EXPECT_EQ(dataset.class_names.back(), "triangle");
  EXPECT_EQ(dataset.train.size(), 16'000);
  EXPECT_EQ(dataset.val.size(), 1'000);
  EXPECT_EQ(dataset.test.size(), 2'000);
}

TEST(Shapes, NoPictureAppearsTwiceInAnySet) {
  const Dataset& dataset = own_sizes();
  std::unordered_set<uint64_t> hashes;
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    for (int64_t i = 0; i < set->size(); ++i) ASSERT_TRUE(hashes.insert(hash_of(set->picture(i))).second) << i;
  }
}

TEST(Shapes, EveryClassIsEquallyFrequent) {
  const Dataset& dataset = own_sizes();
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    std::vector<int64_t> counts(12);
    for (const int64_t label : set->labels) ++counts.at(size_t(label));
    for (const int64_t count : counts) EXPECT_NEAR(double(count), double(set->size()) / 12, 1);
  }
}

TEST(Shapes, MeanAndDeviationAreThoseOfTheTrainingSet) {
  const Dataset& dataset = own_sizes();
  const size_t values = dataset.train.pixels.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < values; ++i) {
      const double value = dataset.train.pixels[3 * i + c] / 255.0;
      sum += value;
      squares += value * value;
    }
    const double mean = sum / double(values);
    EXPECT_NEAR(mean, dataset.mean[c], 1e-4) << "channel " << c;
    EXPECT_NEAR(std::sqrt(squares / double(values) - mean * mean), dataset.stddev[c], 1e-4) << "channel " << c;
  }
}

// Trained models, cards and example pictures rest on these very pictures. A change here is a change of the data set:
// say so in the change log and train the shipped model anew.
TEST(Shapes, PicturesStayWhatTheyWere) {
  EXPECT_EQ(hash_of(draw_shapes(240, 32, 42, Stream::kTrainPicture).pixels), 5803563084043085497u);
  EXPECT_EQ(hash_of(draw_shapes(24, 50, 1, Stream::kTestPicture).pixels), 2346659899584737906u);
}

TEST(Shapes, PictureDependsOnSeedSetAndIndexAlone) {
  const PictureSet few = draw_shapes(13, 32, 7, Stream::kValPicture);
  const PictureSet many = draw_shapes(50, 32, 7, Stream::kValPicture);
  EXPECT_TRUE(std::equal(few.pixels.begin(), few.pixels.end(), many.pixels.begin()));
  EXPECT_NE(draw_shapes(13, 32, 8, Stream::kValPicture).pixels, few.pixels);
  EXPECT_NE(draw_shapes(13, 32, 7, Stream::kTestPicture).pixels, few.pixels);
}

TEST(Shapes, AnyNumberOfThreadsDrawsTheSame) {
  const PictureSet one = draw_shapes(101, 32, 7, Stream::kTrainPicture, 1);
  for (const int threads : {2, 5}) {
    const PictureSet several = draw_shapes(101, 32, 7, Stream::kTrainPicture, threads);
    EXPECT_EQ(several.pixels, one.pixels) << threads << " threads";
    EXPECT_EQ(several.labels, one.labels) << threads << " threads";
  }
}

TEST(Shapes, DrawsTheSmallestAndTheLargestSide) {
  for (const int side : {16, 256}) {
    DataConfig config;
    config.image = side;
    config.train_size = 24;
    config.val_size = 2;
    config.test_size = 1;
    const Dataset dataset = load_dataset(config);
    EXPECT_EQ(dataset.train.height, side);
    EXPECT_EQ(dataset.train.size(), 24);
    EXPECT_EQ(dataset.val.size(), 2);
    EXPECT_EQ(dataset.test.size(), 1);
    EXPECT_EQ(dataset.train.pixels.size(), size_t(24) * size_t(side) * size_t(side) * 3);
  }
}

TEST(Shapes, RefusesWhatItCannotDraw) {
  DataConfig config;
  config.image = 15;
  EXPECT_EQ(error_of(config), "data set shapes: expected image from 16 to 256, found 15");
  config.image = 257;
  EXPECT_EQ(error_of(config), "data set shapes: expected image from 16 to 256, found 257");
  config = {};
  config.path = "pictures";
  EXPECT_EQ(error_of(config), "data set shapes is drawn, not read: expected no path, found \"pictures\"");
}

TEST(Dataset, RefusesUnknownNamesAndNegativeSizes) {
  DataConfig config;
  config.name = "mnist";
  EXPECT_EQ(error_of(config),
            "data: expected name \"shapes\", \"cifar10\", \"folder\" or \"tiny-imagenet\", found \"mnist\"");
  config = {};
  config.val_size = -1;
  EXPECT_EQ(error_of(config), "data: expected val_size >= 0, found -1");
}

}  // namespace
}  // namespace moefb::trainer
