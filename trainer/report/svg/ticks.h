// Round numbers for axes.
#pragma once

#include <string>
#include <vector>

namespace moefb::report {

/// Multiples of 1, 2 or 5 times a power of ten in [lo, hi], at most `at_most` of them; `at_most` >= 2, lo <= hi.
/// Both ends may be equal: then that value alone.
std::vector<double> nice_ticks(double lo, double hi, int at_most);

/// For a logarithmic axis, 0 < lo <= hi: 1, 2 and 5 times powers of ten where at most `at_most` of them fit; else 1 and
/// 3 times, else every n-th power of ten. nice_ticks() where all these are fewer than two.
std::vector<double> log_ticks(double lo, double hi, int at_most);

/// The ticks' labels, all of a linear axis with the same number of decimals.
std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool log);

}  // namespace moefb::report
