#include "trainer/report/svg/axis.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/svg/ticks.h"

namespace moefb::report {
namespace {

constexpr double kFlat = 1e-9;  // a range narrower than this part of its values counts as one value

struct Ends {
  double lo, hi;
};

/// Ends with some room between them, whatever the range holds.
Ends ends_of(const Range& range, bool log) {
  if (range.empty()) return log ? Ends{1, 10} : Ends{0, 1};
  if (range.hi() - range.lo() > kFlat * std::max(std::fabs(range.lo()), std::fabs(range.hi()))) {
    return {range.lo(), range.hi()};
  }
  if (log) return {range.lo() / 2, range.hi() * 2};
  const double room = range.lo() == 0 ? 1 : 0.1 * std::fabs(range.lo());
  return {range.lo() - room, range.hi() + room};
}

void put_ticks(Axis& axis, int ticks) {
  // Labels of powers are short: there is room for more of them.
  axis.ticks = axis.log ? log_ticks(axis.lo, axis.hi, ticks + 3) : nice_ticks(axis.lo, axis.hi, ticks);
  axis.texts = tick_texts(axis.ticks, axis.log);
}

/// The smallest (sign -1: largest) of 1, 2, 5 x 10^n beyond `value`.
double log_round(double value, int sign) {
  const int n = int(std::floor(std::log10(value)));
  const double unit = std::pow(10.0, n);
  if (sign > 0) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor * unit >= value) return factor * unit;
    }
    return 10 * unit;
  }
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * unit <= value) return factor * unit;
  }
  return unit;
}

}  // namespace

void Axis::use_ticks(std::vector<double> values) {
  ticks = std::move(values);
  texts = tick_texts(ticks, log);
}

double Axis::place(double value, double from, double to) const {
  const double share = log ? std::log(std::max(value, lo) / lo) / std::log(hi / lo) : (value - lo) / (hi - lo);
  return from + (to - from) * std::clamp(share, 0.0, 1.0);
}

void Range::add(double value) {
  if (!std::isfinite(value) || (log_ && value <= 0)) return;
  lo_ = std::min(lo_, value);
  hi_ = std::max(hi_, value);
}

void Range::add(std::span<const double> values) {
  for (const double value : values) add(value);
}

Axis round_axis(std::string name, const Range& range, bool log, int ticks) {
  const Ends ends = ends_of(range, log);
  Axis axis{std::move(name), log, ends.lo, ends.hi, {}, {}};
  if (log) {
    axis.lo = log_round(ends.lo, -1);
    axis.hi = log_round(ends.hi, 1);
    put_ticks(axis, ticks);
    return axis;
  }
  put_ticks(axis, ticks);
  if (axis.ticks.size() < 2) return axis;
  const double step = axis.ticks[1] - axis.ticks[0];
  axis.lo = step * std::floor(ends.lo / step + kFlat);
  axis.hi = step * std::ceil(ends.hi / step - kFlat);
  put_ticks(axis, ticks + 2);  // the two ends are ticks now
  return axis;
}

Axis tight_axis(std::string name, const Range& range, bool log, int ticks) {
  const Ends ends = ends_of(range, log);
  Axis axis{std::move(name), log, ends.lo, ends.hi, {}, {}};
  put_ticks(axis, ticks);
  return axis;
}

void keep_whole_ticks(Axis& axis) {
  std::vector<double> whole = axis.ticks;
  std::erase_if(whole, [](double tick) { return tick != std::round(tick); });
  axis.use_ticks(std::move(whole));
}

}  // namespace moefb::report
