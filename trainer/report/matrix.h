// A small table of numbers, row-major.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace moefb::report {

struct Matrix {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<double> values;  ///< (rows, columns)

  bool empty() const { return values.empty(); }
  double at(size_t row, size_t column) const { return values[row * columns + column]; }
  std::span<const double> row(size_t index) const { return std::span(values).subspan(index * columns, columns); }
};

}  // namespace moefb::report
