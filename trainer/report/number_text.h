// Numbers and lists as the page shows them: a real minus sign, a dash for what is not a number, no-break spaces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/report/statistics.h"

namespace moefb::report {

inline constexpr const char* kDash = "\u2013";  ///< stands for a value that is unknown or not finite

std::string fixed(double value, int decimals);        ///< "−1.250"
std::string percent(double share, int decimals = 1);  ///< 0.5 is "50.0 %"
/// `digits` significant digits, plain from 0.0001 to 9,999,999, else as "1.2·10⁻⁷".
std::string significant(double value, int digits = 3);
std::string with_commas(int64_t value);  ///< "11,440,000"
std::string short_count(double value);   ///< "773 k", "11.4 M"

/// "91.93 ± 0.12" of several values, the value alone of one.
std::string with_spread(const Spread& spread, int decimals);
/// The same in significant digits.
std::string with_spread_significant(const Spread& spread, int digits = 3);

std::string counted(size_t count, const std::string& noun);  ///< "one seed", "3 seeds"
std::string listed(const std::vector<std::string>& words);   ///< "a, b and c"

/// The shortest text that reads back as `value`; "" where it is not finite. For CSV.
std::string exact(double value);

}  // namespace moefb::report
