#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/routing.h"
#include "kernels/values.h"

namespace moefb::kernels::routing {
namespace {

using test::random_values;

/// A gate and one patch, as the definition has them: C channels, then F position features, `halves` times.
struct Case {
  int64_t C = 0, rows = 0, columns = 0, E = 0;  ///< of one half: channels, features of the row, of the column
  int64_t halves = 2;
  float offset = 0;  ///< of all channels
  bool layer_norm = true;

  int64_t half() const { return C + rows + columns; }
  int64_t n() const { return halves * half(); }
  bool is_channel(int64_t i) const { return i % half() < C; }
  bool is_row(int64_t i) const { return i % half() >= C && i % half() < C + rows; }
};

class PooledGateCase {
 public:
  explicit PooledGateCase(const Case& c) : case_(c) {
    const auto seed = uint32_t(c.C + 7 * c.E);
    w_ = random_values(c.E * c.n(), seed, -0.2f, 0.2f);
    b_ = random_values(c.E, seed + 1, -1, 1);
    scale_ = random_values(c.n(), seed + 2, 0.5f, 1.5f);
    shift_ = random_values(c.n(), seed + 3, -0.5f, 0.5f);
    z_ = random_values(c.n(), seed + 4, -1, 1);
    for (int64_t i = 0; i < c.n(); ++i) {
      // Positions are the same in every half.
      if (!c.is_channel(i)) z_[size_t(i)] = z_[size_t(i % c.half())];
      if (c.is_channel(i)) z_[size_t(i)] += c.offset;
    }
  }

  std::vector<double> by_definition() const {
    const double n = double(case_.n());
    double mean = 0, variance = 0;
    for (float z : z_) mean += z / n;
    for (float z : z_) variance += (z - mean) * (z - mean) / n;
    std::vector<double> logits(b_.begin(), b_.end());
    for (int64_t e = 0; e < case_.E; ++e) {
      for (int64_t i = 0; i < case_.n(); ++i)
        logits[size_t(e)] += double(w_[size_t(e * case_.n() + i)]) * normed(i, mean, variance);
    }
    return logits;
  }

  std::vector<float> folded() const {
    const Case& c = case_;
    const int64_t panels = (c.E + kGatePanel - 1) / kGatePanel, channels = c.halves * c.C;
    std::vector<float> weights(size_t(panels * channels * kGatePanel)), own;
    std::vector<double> sums(size_t(c.E)), bias(b_.begin(), b_.end()), row(size_t(c.E)), column(size_t(c.E));
    for (int64_t i = 0; i < c.n(); ++i) {
      for (int64_t e = 0; e < c.E; ++e) {
        const double g = double(w_[size_t(e * c.n() + i)]) * (c.layer_norm ? double(scale_[size_t(i)]) : 1.0);
        if (c.layer_norm) bias[size_t(e)] += double(w_[size_t(e * c.n() + i)]) * double(shift_[size_t(i)]);
        if (c.is_channel(i)) {
          weights[size_t((e / kGatePanel * channels + int64_t(own.size())) * kGatePanel + e % kGatePanel)] = float(g);
        } else {
          sums[size_t(e)] += g;
          (c.is_row(i) ? row : column)[size_t(e)] += g * double(z_[size_t(i)]);
        }
      }
      if (c.is_channel(i)) own.push_back(z_[size_t(i)]);
    }
    const PooledGate gate{weights.data(), sums.data(), bias.data(), c.layer_norm, kEps};
    std::vector<float> logits(size_t(c.E));
    pooled_gate(gate, share(c.C, c.rows, row), share(c.C + c.rows, c.columns, column), channels, c.E, own.data(),
                logits.data());
    return logits;
  }

 private:
  static constexpr float kEps = 1e-5f;

  double normed(int64_t i, double mean, double variance) const {
    if (!case_.layer_norm) return z_[size_t(i)];
    return (z_[size_t(i)] - mean) / std::sqrt(variance + double(kEps)) * scale_[size_t(i)] + shift_[size_t(i)];
  }

  PlaceShare share(int64_t first, int64_t count, const std::vector<double>& products) const {
    PlaceShare share{case_.halves * count, 0, 0, products.data()};
    for (int64_t i = first; i < first + count; ++i) share.mean += double(z_[size_t(i)]) / double(count);
    for (int64_t i = first; i < first + count; ++i) {
      share.squares += double(case_.halves) * (z_[size_t(i)] - share.mean) * (z_[size_t(i)] - share.mean);
    }
    return share;
  }

  Case case_;
  std::vector<float> w_, b_, scale_, shift_, z_;
};

/// The sum of C products in f32 loses a few units in the last place of its largest partial sums; how far the channels
/// are from zero must not matter.
void expect_as_defined(const Case& c) {
  const PooledGateCase one(c);
  const std::vector<double> expected = one.by_definition();
  const std::vector<float> logits = one.folded();
  double largest = 1;
  for (double v : expected) largest = std::max(largest, std::abs(v));
  const double tolerance = 4e-7 * std::sqrt(double(c.n())) * largest;
  for (size_t e = 0; e < expected.size(); ++e) {
    EXPECT_NEAR(logits[e], expected[e], tolerance)
        << "C " << c.C << ", E " << c.E << ", halves " << c.halves << ", offset " << c.offset << ", expert " << e;
  }
}

TEST(PooledGate, MatchesTheDefinitionInDouble) {
  for (int64_t C : {1, 3, 64, 515}) {
    for (int64_t E : {1, 4, 7, 8, 9, 17}) {
      for (int64_t halves : {1, 2}) expect_as_defined({C, 9, 9, E, halves});
    }
  }
}

TEST(PooledGate, NeedsNoPositions) {
  expect_as_defined({5, 0, 0, 3, 2});
  expect_as_defined({5, 1, 0, 3, 2});
}

TEST(PooledGate, WithoutLayerNormIsLinear) {
  expect_as_defined({33, 9, 9, 5, 2, 0, /*layer_norm=*/false});
}

// The mean of the squares less the square of the mean would have no digit left here.
TEST(PooledGate, LargeMeansDoNotCancel) {
  for (float offset : {10.0f, 1000.0f}) {
    expect_as_defined({64, 0, 0, 4, 1, offset});
    expect_as_defined({64, 9, 9, 4, 2, offset});
    expect_as_defined({515, 9, 9, 16, 2, offset});
  }
}

TEST(PooledGate, EqualChannelsGiveFiniteScores) {
  const std::vector<float> weights(size_t(2 * kGatePanel), 1.0f);
  const double sums[] = {0, 0, 0}, bias[] = {1, 2, 3}, products[] = {0, 0, 0};
  const PlaceShare nothing{0, 0, 0, products};
  float channels[] = {5, 5}, logits[3];
  pooled_gate({weights.data(), sums, bias, true, 1e-5f}, nothing, nothing, 2, 3, channels, logits);
  for (int64_t e : {0, 1, 2}) EXPECT_EQ(logits[e], float(bias[e]));
}

}  // namespace
}  // namespace moefb::kernels::routing
