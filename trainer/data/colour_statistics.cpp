#include "trainer/data/colour_statistics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>

#include "trainer/data/parallel.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace {

struct Sums {
  uint64_t values = 0;
  uint64_t squares = 0;
};
using ChannelSums = std::array<Sums, 3>;

ChannelSums sums_of(std::span<const uint8_t> pixels) {
  ChannelSums sums;
  for (size_t i = 0; i < pixels.size(); ++i) {
    Sums& channel = sums[i % 3];
    channel.values += pixels[i];
    channel.squares += uint64_t(pixels[i]) * pixels[i];
  }
  return sums;
}

/// What the threads add up, and the first error that one of them met.
class Total {
 public:
  void add(const ChannelSums& sums) {
    const std::lock_guard lock(mutex_);
    for (size_t c = 0; c < 3; ++c) {
      sums_[c].values += sums[c].values;
      sums_[c].squares += sums[c].squares;
    }
  }
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }
  bool failed() const { return failed_; }
  const ChannelSums& sums() const {
    if (error_) std::rethrow_exception(error_);
    return sums_;
  }

 private:
  std::mutex mutex_;
  ChannelSums sums_;
  std::exception_ptr error_;
  std::atomic<bool> failed_ = false;
};

ChannelSums sums_of_set(const Dataset& dataset, const LoadProgress& progress) {
  const PictureSet& set = dataset.train;
  Total total;
  const auto add = [&](int64_t i) {
    if (total.failed()) return;
    try {
      total.add(set.streamed() ? sums_of(prepared_picture(dataset, set, i)) : sums_of(set.picture(i)));
    } catch (...) {
      total.fail(std::current_exception());
    }
  };
  on_threads(set.size(), 0, add, [&](int64_t begun) {
    if (progress) progress(begun, set.size());
  });
  return total.sums();
}

}  // namespace

void measure_colours(Dataset& dataset, const LoadProgress& progress) {
  const ChannelSums sums = sums_of_set(dataset, progress);
  const double n = double(dataset.train.size()) * dataset.train.height * dataset.train.width;
  for (size_t c = 0; c < 3; ++c) {
    const double average = double(sums[c].values) / n;
    const double deviation = std::sqrt(std::max(0.0, double(sums[c].squares) / n - average * average));
    dataset.mean[c] = float(average / 255);
    dataset.stddev[c] = float(std::max(1.0, deviation) / 255);  // pictures of one colour have none, and it divides
  }
}

}  // namespace moefb::trainer
