// Repeated times in a few numbers.
#pragma once

#include <span>

namespace moefb::trainer {

/// In the unit of the times.
struct TimeSummary {
  double mean = 0;
  double deviation = 0;  ///< of the population: divisor n, as published
  double median = 0;     ///< of an even number: the mean of the middle two
};

/// @param times  at least one
TimeSummary summarise(std::span<const double> times);

}  // namespace moefb::trainer
