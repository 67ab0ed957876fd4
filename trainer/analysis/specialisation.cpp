#include "trainer/analysis/specialisation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "trainer/analysis/routing_tables.h"
#include "trainer/data/augment.h"
#include "trainer/data/random.h"

namespace moefb::trainer {
namespace {

constexpr double kRounding = 1e-12;  // bits: equal tables may add up to sums that differ by this

struct Totals {
  std::vector<double> rows, columns;
  double all = 0;
};

Totals totals(const CountTable& table) {
  Totals sums{std::vector<double>(size_t(table.rows)), std::vector<double>(size_t(table.columns)), 0};
  for (int64_t row = 0; row < table.rows; ++row) {
    for (int64_t column = 0; column < table.columns; ++column) {
      const double count = double(table.at(row, column));
      sums.rows[size_t(row)] += count;
      sums.columns[size_t(column)] += count;
      sums.all += count;
    }
  }
  return sums;
}

double entropy_bits(const std::vector<double>& counts, double all) {
  double bits = 0;
  for (const double count : counts) {
    if (count > 0) bits -= count / all * std::log2(count / all);
  }
  return bits;
}

std::vector<int64_t> in_order(std::span<const int64_t> labels, const std::vector<int64_t>& order) {
  std::vector<int64_t> permuted;
  permuted.reserve(order.size());
  for (const int64_t index : order) permuted.push_back(labels[size_t(index)]);
  return permuted;
}

/// The information that each permutation of the labels gives.
std::vector<double> chance(const CountTable& pictures, std::span<const int64_t> labels, int64_t classes,
                           int64_t permutations, uint64_t seed) {
  std::vector<double> bits;
  for (int64_t i = 0; i < permutations; ++i) {
    const Random random(seed, Stream::kLabelPermutation, uint64_t(i));
    const std::vector<int64_t> permuted = in_order(labels, permutation(pictures.rows, random));
    bits.push_back(mutual_information_bits(class_table(pictures, permuted, classes)));
  }
  return bits;
}

/// By nearest rank.
double percentile_95(std::vector<double> values) {
  std::ranges::sort(values);
  const auto rank = size_t(std::ceil(0.95 * double(values.size())));
  return values[std::max<size_t>(1, rank) - 1];
}

}  // namespace

double mutual_information_bits(const CountTable& table) {
  const Totals sums = totals(table);
  double bits = 0;
  for (int64_t row = 0; row < table.rows; ++row) {
    for (int64_t column = 0; column < table.columns; ++column) {
      const double count = double(table.at(row, column));
      if (count == 0) continue;
      const double expected = sums.rows[size_t(row)] * sums.columns[size_t(column)] / sums.all;
      bits += count / sums.all * std::log2(count / expected);
    }
  }
  return std::max(0.0, bits);  // rounding may leave -1e-17
}

double information_limit_bits(const CountTable& table) {
  const Totals sums = totals(table);
  return std::min(entropy_bits(sums.rows, sums.all), entropy_bits(sums.columns, sums.all));
}

Specialisation specialisation(const CountTable& pictures, std::span<const int64_t> labels, int64_t classes,
                              int64_t permutations, uint64_t seed) {
  const CountTable table = class_table(pictures, labels, classes);
  const std::vector<double> by_chance = chance(pictures, labels, classes, permutations, seed);
  Specialisation result;
  result.mutual_information_bits = mutual_information_bits(table);
  result.of_at_most = information_limit_bits(table);
  result.chance_mean = std::accumulate(by_chance.begin(), by_chance.end(), 0.0) / double(permutations);
  result.chance_p95 = percentile_95(by_chance);
  const auto as_much =
      std::ranges::count_if(by_chance, [&](double bits) { return bits >= result.mutual_information_bits - kRounding; });
  result.p_value = double(as_much + 1) / double(permutations + 1);
  result.permutations = permutations;
  return result;
}

}  // namespace moefb::trainer
