// What several runs say together. Numbers that are not finite are left out, never counted as zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moefb::report {

struct Spread {
  size_t count = 0;  ///< finite values; 0: all other fields are NaN
  double mean = 0;
  double stddev = 0;  ///< of the sample, divisor count - 1; 0 for one value
  double min = 0;
  double max = 0;
};

Spread spread(std::span<const double> values);

/// The first epoch with the largest accuracy, the published "epochs to threshold" (spec/cifar-heads.md, 12.1).
/// @param epochs  number of each value's epoch, as long as `values`
/// @return 0 where no value is finite
int64_t epoch_of_max(std::span<const int64_t> epochs, std::span<const double> values);
/// The same for the smallest value.
int64_t epoch_of_min(std::span<const int64_t> epochs, std::span<const double> values);

/// Bits that knowing the row tells of the column, for rows that are distributions and equally frequent.
/// @param rows     (R, E) row-major; rows without mass count as absent
/// @param columns  E, at least 1
double mutual_information_bits(std::span<const double> rows, size_t columns);

}  // namespace moefb::report
