// A table of counts, and its rows as shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moefb::trainer {

struct CountTable {
  CountTable(int64_t row_count, int64_t column_count)
      : rows(row_count), columns(column_count), counts(size_t(row_count * column_count)) {}

  int64_t& at(int64_t row, int64_t column) { return counts[size_t(row * columns + column)]; }
  int64_t at(int64_t row, int64_t column) const { return counts[size_t(row * columns + column)]; }

  int64_t rows;
  int64_t columns;
  std::vector<int64_t> counts;  ///< (rows, columns)
};

/// Rows of numbers, as they go into a JSON file.
using Rows = std::vector<std::vector<double>>;

/// Each row divided by its sum, so that it sums to 1; a row without counts is all 0.
Rows row_shares(const CountTable& table);

}  // namespace moefb::trainer
