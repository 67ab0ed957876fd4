#include "trainer/report/statistics.h"

#include <cmath>
#include <limits>
#include <vector>

namespace moefb::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// @param sign  1: the largest value, -1: the smallest
int64_t epoch_of_extreme(std::span<const int64_t> epochs, std::span<const double> values, double sign) {
  int64_t best_epoch = 0;
  double best = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || sign * values[i] <= best) continue;
    best = sign * values[i];
    best_epoch = epochs[i];
  }
  return best_epoch;
}

double entropy_bits(std::span<const double> shares) {
  double bits = 0;
  for (const double share : shares) {
    if (share > 0) bits -= share * std::log2(share);
  }
  return bits;
}

double sum(std::span<const double> values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

}  // namespace

Spread spread(std::span<const double> values) {
  Spread out{0, 0, 0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  double squares = 0;
  for (const double value : values) {  // Welford: exact for equal values, where a difference of sums is not
    if (!std::isfinite(value)) continue;
    ++out.count;
    const double step = value - out.mean;
    out.mean += step / double(out.count);
    squares += step * (value - out.mean);
    out.min = std::min(out.min, value);
    out.max = std::max(out.max, value);
  }
  if (out.count == 0) return {0, kNaN, kNaN, kNaN, kNaN};
  out.stddev = out.count > 1 ? std::sqrt(squares / double(out.count - 1)) : 0;
  return out;
}

int64_t epoch_of_max(std::span<const int64_t> epochs, std::span<const double> values) {
  return epoch_of_extreme(epochs, values, 1);
}

int64_t epoch_of_min(std::span<const int64_t> epochs, std::span<const double> values) {
  return epoch_of_extreme(epochs, values, -1);
}

double mutual_information_bits(std::span<const double> rows, size_t columns) {
  std::vector<double> mean(columns, 0.0);
  double conditional = 0;
  size_t count = 0;
  for (size_t first = 0; first + columns <= rows.size(); first += columns) {
    const std::span<const double> row = rows.subspan(first, columns);
    const double mass = sum(row);
    if (!(mass > 0)) continue;
    std::vector<double> shares(row.begin(), row.end());
    for (size_t e = 0; e < columns; ++e) mean[e] += shares[e] /= mass;
    conditional += entropy_bits(shares);
    ++count;
  }
  if (count == 0) return 0;
  for (double& share : mean) share /= double(count);
  return std::max(0.0, entropy_bits(mean) - conditional / double(count));
}

}  // namespace moefb::report
