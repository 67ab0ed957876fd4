#include "trainer/data/shapes.h"

#include <algorithm>
#include <stdexcept>

#include "trainer/data/parallel.h"
#include "trainer/data/scene.h"

namespace moefb::trainer {
namespace {

// Measured over the default training set (16,000 pictures, seed 42, side 32): other seeds differ by 0.01 at most, and a
// larger side has up to 0.01 more deviation, since its edges are sharper.
constexpr float kMean[3] = {0.4566f, 0.4612f, 0.4555f};
constexpr float kStddev[3] = {0.2293f, 0.2314f, 0.2276f};

int64_t size_or(int64_t asked, int64_t own) {
  return asked == 0 ? own : asked;
}

}  // namespace

PictureSet draw_shapes(int64_t n, int side, uint64_t seed, Stream stream, int threads) {
  PictureSet set;
  set.height = set.width = side;
  set.pixels.resize(size_t(n) * size_t(side) * size_t(side) * 3);
  set.labels.resize(size_t(n));
  on_threads(n, threads, [&](int64_t i) {
    const int label = int(i % kShapeCount);
    Random random(seed, stream, uint64_t(i));
    set.labels[size_t(i)] = label;
    paint(draw_scene(Shape(label), random), side, side, set.picture(i));
  });
  return set;
}

Dataset load_shapes(const DataConfig& config) {
  if (config.image < kSmallestShapesSide || config.image > kLargestShapesSide) {
    throw std::runtime_error("data set shapes: expected image from 16 to 256, found " + std::to_string(config.image));
  }
  if (!config.path.empty()) {
    throw std::runtime_error("data set shapes is drawn, not read: expected no path, found \"" + config.path + "\"");
  }
  Dataset dataset;
  dataset.name = "shapes";
  for (int label = 0; label < kShapeCount; ++label) dataset.class_names.emplace_back(shape_name(Shape(label)));
  const auto draw = [&](int64_t n, Stream stream) { return draw_shapes(n, config.image, config.seed, stream); };
  dataset.train = draw(size_or(config.train_size, 16'000), Stream::kTrainPicture);
  dataset.val = draw(size_or(config.val_size, 1'000), Stream::kValPicture);
  dataset.test = draw(size_or(config.test_size, 2'000), Stream::kTestPicture);
  std::copy_n(kMean, 3, dataset.mean);
  std::copy_n(kStddev, 3, dataset.stddev);
  return dataset;
}

}  // namespace moefb::trainer
