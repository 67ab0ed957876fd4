#include "trainer/report/svg/ticks.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"

namespace moefb::report {
namespace {

constexpr double kSlack = 1e-9;  // of a step: 0.3 / 0.1 is a little below 3

/// The smallest of 1, 2, 5, 10, ... x 10^n that is at least `value`.
double round_up(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * unit >= value * (1 - kSlack)) return factor * unit;
  }
  return 10 * unit;
}

std::vector<double> multiples(double lo, double hi, double step) {
  std::vector<double> ticks;
  const double last = std::floor(hi / step + kSlack);
  for (double i = std::ceil(lo / step - kSlack); i <= last; ++i) ticks.push_back(i * step + 0.0);  // no -0
  return ticks;
}

/// `factors` times powers of ten in [lo, hi]; of the powers every `stride`-th.
std::vector<double> decades(double lo, double hi, const std::vector<double>& factors, int stride) {
  std::vector<double> ticks;
  for (int n = int(std::floor(std::log10(lo))) - 1; n <= int(std::ceil(std::log10(hi))); ++n) {
    if (n % stride != 0) continue;
    for (const double factor : factors) {
      const double tick = factor * std::pow(10.0, n);
      if (tick >= lo * (1 - kSlack) && tick <= hi * (1 + kSlack)) ticks.push_back(tick);
    }
  }
  return ticks;
}

int decimals_of(double value) {
  for (int decimals = 0; decimals < 9; ++decimals) {
    const double scaled = std::fabs(value) * std::pow(10.0, decimals);
    if (std::fabs(scaled - std::round(scaled)) < 1e-6 * std::max(1.0, scaled)) return decimals;
  }
  return 9;
}

}  // namespace

std::vector<double> nice_ticks(double lo, double hi, int at_most) {
  if (!(hi > lo)) return {lo};
  double step = round_up((hi - lo) / at_most);
  std::vector<double> ticks = multiples(lo, hi, step);
  while (int(ticks.size()) > at_most) ticks = multiples(lo, hi, step = round_up(step * 1.5));
  return ticks;
}

std::vector<double> log_ticks(double lo, double hi, int at_most) {
  std::vector<double> ticks = decades(lo, hi, {1, 2, 5}, 1);
  if (ticks.size() < 2) return nice_ticks(lo, hi, at_most);
  if (int(ticks.size()) > at_most) ticks = decades(lo, hi, {1, 3}, 1);
  for (int stride = 1; int(ticks.size()) > at_most; ++stride) ticks = decades(lo, hi, {1}, stride);
  return ticks;
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool log) {
  int decimals = 0;
  for (const double tick : ticks) decimals = std::max(decimals, decimals_of(tick));
  std::vector<std::string> texts;
  for (const double tick : ticks) {
    const double size = std::fabs(tick);
    if (size != 0 && (size >= 1e5 || size < 1e-4)) {
      texts.push_back(size >= 1e5 && size < 1e12 ? short_count(tick) : significant(tick, 1));
    } else {
      texts.push_back(fixed(tick, log ? decimals_of(tick) : decimals));
    }
  }
  return texts;
}

}  // namespace moefb::report
