#include "trainer/data/tone.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "trainer/data/adjust.h"

namespace moefb::trainer {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

Table unchanged() {
  Table table;
  std::iota(table.begin(), table.end(), uint8_t{0});
  return table;
}

void look_up(std::span<uint8_t> pixels, size_t channel, const Table& table) {
  for (size_t i = channel; i < pixels.size(); i += 3) pixels[i] = table[pixels[i]];
}

Histogram histogram_of(std::span<const uint8_t> pixels, size_t channel) {
  Histogram counts{};
  for (size_t i = channel; i < pixels.size(); i += 3) ++counts[pixels[i]];
  return counts;
}

Table stretching(const Histogram& counts) {
  const auto is_used = [](int64_t count) { return count > 0; };
  const auto low = std::ranges::find_if(counts, is_used) - counts.begin();
  const auto high = 255 - (std::find_if(counts.rbegin(), counts.rend(), is_used) - counts.rbegin());
  Table table = unchanged();
  if (high <= low) return table;
  const double scale = 255.0 / double(high - low);
  for (int value = 0; value < 256; ++value) {
    table[size_t(value)] = uint8_t(std::clamp(value * scale - double(low) * scale, 0.0, 255.0));
  }
  return table;
}

Table equalizing(const Histogram& counts) {
  const auto last = std::find_if(counts.rbegin(), counts.rend(), [](int64_t count) { return count > 0; });
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  Table table = unchanged();
  if (last == counts.rend()) return table;
  const int64_t step = (total - *last) / 255;  // 0 also where there is one value alone
  if (step == 0) return table;
  int64_t before = step / 2;
  for (size_t value = 0; value < table.size(); ++value) {
    table[value] = uint8_t(std::min<int64_t>(before / step, 255));
    before += counts[value];
  }
  return table;
}

/// The smoothed value at one byte of an inner pixel.
uint8_t smoothed(const uint8_t* at, size_t row) {
  const auto three = [](const uint8_t* p) { return p[-3] + p[0] + p[3]; };
  const int sum = three(at - row) + three(at) + three(at + row) + 4 * at[0];
  return uint8_t(float(sum) / 13 + 0.5f);
}

}  // namespace

void posterize(std::span<uint8_t> pixels, int bits) {
  const auto mask = uint8_t(0xff << (8 - bits));
  for (uint8_t& byte : pixels) byte &= mask;
}

void solarize(std::span<uint8_t> pixels, double threshold) {
  for (uint8_t& byte : pixels) byte = byte < threshold ? byte : uint8_t(255 - byte);
}

void autocontrast(std::span<uint8_t> pixels) {
  for (size_t c = 0; c < 3; ++c) look_up(pixels, c, stretching(histogram_of(pixels, c)));
}

void equalize(std::span<uint8_t> pixels) {
  for (size_t c = 0; c < 3; ++c) look_up(pixels, c, equalizing(histogram_of(pixels, c)));
}

void adjust_sharpness(std::span<uint8_t> pixels, int width, int height, double factor) {
  const std::vector<uint8_t> before(pixels.begin(), pixels.end());
  const size_t row = size_t(width) * 3;
  for (int y = 1; y + 1 < height; ++y) {
    for (size_t i = size_t(y) * row + 3; i + 3 < (size_t(y) + 1) * row; ++i) {
      pixels[i] = blend(smoothed(&before[i], row), before[i], float(factor));
    }
  }
}

}  // namespace moefb::trainer
