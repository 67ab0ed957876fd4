// Batches come in order and are the same whoever prepares them.
#include "trainer/data/loader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace moefb::trainer {
namespace {

/// Pictures of 4 x 4 whose every value tells which picture it is.
Dataset numbered(int64_t pictures) {
  Dataset dataset;
  dataset.train.height = dataset.train.width = 4;
  for (int64_t i = 0; i < pictures; ++i) {
    dataset.train.labels.push_back(i % 3);
    dataset.train.pixels.insert(dataset.train.pixels.end(), 48, uint8_t(i));
  }
  return dataset;
}

std::vector<int64_t> backwards(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

struct Pass {
  std::vector<int64_t> indices;
  std::vector<float> planes;
  std::vector<size_t> sizes;
};

Pass run(Loader& loader) {
  Pass pass;
  while (const auto batch = loader.next()) {
    pass.sizes.push_back(batch->indices.size());
    pass.indices.insert(pass.indices.end(), batch->indices.begin(), batch->indices.end());
    pass.planes.insert(pass.planes.end(), batch->planes.begin(), batch->planes.end());
  }
  return pass;
}

TEST(Loader, GivesEveryBatchInOrderWithTheLastOneShort) {
  const Dataset dataset = numbered(10);
  for (const int workers : {0, 1, 3, 8}) {
    Loader loader(dataset, dataset.train, {}, 1, 0, backwards(10), 4, workers);
    EXPECT_EQ(loader.batches(), 3);
    const Pass pass = run(loader);
    EXPECT_EQ(pass.indices, backwards(10)) << workers;
    EXPECT_EQ(pass.sizes, (std::vector<size_t>{4, 4, 2})) << workers;
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(std::lround(pass.planes[i * 48] * 255), 9 - long(i)) << workers;
    EXPECT_FALSE(loader.next().has_value()) << "nothing after the last one";
  }
}

TEST(Loader, WorkersChangeNoBit) {
  const Dataset dataset = numbered(50);
  AugmentConfig augment;
  augment.crop_padding = 2;
  augment.flip = true;
  Loader alone(dataset, dataset.train, augment, 7, 3, backwards(50), 8, 0);
  const Pass expected = run(alone);
  for (const int workers : {1, 2, 5}) {
    Loader helped(dataset, dataset.train, augment, 7, 3, backwards(50), 8, workers);
    EXPECT_EQ(run(helped).planes, expected.planes) << workers;
  }
}

TEST(Loader, BeginsInTheMiddle) {
  const Dataset dataset = numbered(10);
  Loader loader(dataset, dataset.train, {}, 1, 0, backwards(10), 4, 2, 1);
  EXPECT_EQ(run(loader).indices, (std::vector<int64_t>{5, 4, 3, 2, 1, 0}));
}

TEST(Loader, SharesOfABatchStandInOrderAndMakeUpTheWhole) {
  const Dataset dataset = numbered(10);  // batches of 4, 4 and 2 pictures
  std::vector<std::vector<int64_t>> batches(3);
  std::vector<size_t> sizes;
  for (int64_t part = 0; part < 3; ++part) {
    Loader loader(dataset, dataset.train, {}, 1, 0, backwards(10), 4, 1, 0, {part, 3});
    for (auto& gathered : batches) {
      const auto batch = loader.next();
      ASSERT_TRUE(batch.has_value());
      EXPECT_EQ(batch->planes.size(), batch->indices.size() * 48);
      sizes.push_back(batch->indices.size());
      gathered.insert(gathered.end(), batch->indices.begin(), batch->indices.end());
      if (part == 2) {
        EXPECT_EQ(gathered, std::vector<int64_t>(batch->whole.begin(), batch->whole.end()));
      }
    }
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 1, 0, 1, 1, 1, 2, 2, 1}));
}

TEST(Loader, StopsInTheMiddleOfAPass) {
  const Dataset dataset = numbered(100);
  for (int i = 0; i < 20; ++i) {
    Loader loader(dataset, dataset.train, {}, 1, 0, backwards(100), 4, 3);
    EXPECT_TRUE(loader.next().has_value());
  }
}

TEST(Loader, WhatAWorkerThrowsReachesTheCaller) {
  const Dataset dataset = numbered(10);
  AugmentConfig augment;
  augment.crop_padding = 4;  // as large as the pictures
  for (const int workers : {0, 2}) {
    Loader loader(dataset, dataset.train, augment, 1, 0, backwards(10), 4, workers);
    EXPECT_THROW(loader.next(), std::runtime_error) << workers;
  }
}

}  // namespace
}  // namespace moefb::trainer
