// Separable resampling with antialias: the rule that torch's interpolate(antialias=True, align_corners=False) and PIL
// follow, without PIL's rounding between the passes.
//
// The vertical pass comes first, one output row at a time: its inner loop runs along a row of the source, so it
// vectorises for any scale, and one row of floats is all that lies between the passes.
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <new>

namespace moefb::image {
namespace {

double bilinear(double x) noexcept {
  return std::max(0.0, 1.0 - std::abs(x));
}

// Keys' cubic convolution with a = -0.5.
double bicubic(double x) noexcept {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// One axis' geometry: the source's pixels a unit of output, and how far the filter reaches.
struct Kernel {
  double scale;
  double stretch;  // a filter is widened when the picture shrinks, never narrowed
  double support;
  bool cubic;

  Kernel(const Window& window, Filter filter) noexcept
      : scale(double(window.from) / double(window.to)),
        stretch(std::max(scale, 1.0)),
        support(filter == Filter::kBicubic ? 2 * stretch : stretch),
        cubic(filter == Filter::kBicubic) {}

  double weight(double distance) const noexcept {
    return cubic ? bicubic(distance / stretch) : bilinear(distance / stretch);
  }
};

// Adds weight * source to a row of sums.
void add_row(const uint8_t* src, float weight, int64_t n, float* sums) noexcept {
  for (int64_t i = 0; i < n; ++i) sums[i] += weight * float(src[i]);
}

uint8_t to_byte(float value) noexcept {
  return uint8_t(std::clamp(value, 0.0f, 255.0f) + 0.5f);
}

// The horizontal pass. `sums` holds source columns from `begin` on.
void resample_row(const float* sums, int64_t begin, const Weights& columns, int64_t count, uint8_t* dst) noexcept {
  for (int64_t x = 0; x < count; ++x, dst += 3) {
    const Taps taps = columns[x];
    const float* from = sums + (taps.first - begin) * 3;
    float red = 0;
    float green = 0;
    float blue = 0;
    for (int64_t i = 0; i < taps.count; ++i, from += 3) {
      red += taps.weights[i] * from[0];
      green += taps.weights[i] * from[1];
      blue += taps.weights[i] * from[2];
    }
    dst[0] = to_byte(red);
    dst[1] = to_byte(green);
    dst[2] = to_byte(blue);
  }
}

}  // namespace

Taps Weights::operator[](int64_t i) const noexcept {
  return {first_[size_t(i)], count_[size_t(i)], weights_.get() + i * most_taps_};
}

Status Weights::compute(const Window& window, Filter filter) noexcept {
  const Kernel kernel(window, filter);
  most_taps_ = std::min(window.from, 2 * int64_t(std::ceil(kernel.support)) + 1);
  const size_t count = size_t(window.count);
  first_.reset(new (std::nothrow) int64_t[count]);
  count_.reset(new (std::nothrow) int64_t[count]);
  weights_.reset(new (std::nothrow) float[count * size_t(most_taps_)]);
  if (!first_ || !count_ || !weights_) return Status(Code::kOutOfMemory, "resize: no memory for its weights");

  end_ = 0;
  for (int64_t i = 0; i < window.count; ++i) {
    const double centre = (double(window.first + i) + 0.5) * kernel.scale;
    const int64_t first = std::max<int64_t>(int64_t(centre - kernel.support + 0.5), 0);
    const int64_t end = std::min(int64_t(centre + kernel.support + 0.5), window.from);
    float* weights = weights_.get() + i * most_taps_;
    double total = 0;
    for (int64_t j = first; j < end; ++j) total += kernel.weight(double(j) + 0.5 - centre);
    for (int64_t j = first; j < end; ++j) weights[j - first] = float(kernel.weight(double(j) + 0.5 - centre) / total);
    first_[size_t(i)] = first;
    count_[size_t(i)] = end - first;
    end_ = std::max(end_, end);
  }
  return Status();
}

Status resample(const Image& image, const Window& rows, const Window& columns, Filter filter, uint8_t* dst,
                size_t dst_stride) noexcept {
  Weights row_weights;
  Weights column_weights;
  MOEFB_TRY(row_weights.compute(rows, filter));
  MOEFB_TRY(column_weights.compute(columns, filter));
  const int64_t begin = column_weights.begin();
  const int64_t width = (column_weights.end() - begin) * 3;
  const std::unique_ptr<float[]> sums(new (std::nothrow) float[size_t(width)]);
  if (!sums) return Status(Code::kOutOfMemory, "resize: no memory for a row");

  for (int64_t y = 0; y < rows.count; ++y, dst += dst_stride) {
    const Taps taps = row_weights[y];
    std::fill_n(sums.get(), width, 0.0f);
    for (int64_t i = 0; i < taps.count; ++i) {
      const uint8_t* src = image.pixels.get() + ((taps.first + i) * image.width + begin) * 3;
      add_row(src, taps.weights[i], width, sums.get());
    }
    resample_row(sums.get(), begin, column_weights, columns.count, dst);
  }
  return Status();
}

}  // namespace moefb::image
