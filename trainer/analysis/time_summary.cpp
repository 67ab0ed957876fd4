#include "trainer/analysis/time_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace moefb::trainer {

TimeSummary summarise(std::span<const double> times) {
  std::vector<double> sorted(times.begin(), times.end());
  std::ranges::sort(sorted);
  const auto n = double(sorted.size());
  TimeSummary summary;
  summary.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double squares = 0;
  for (const double time : sorted) squares += (time - summary.mean) * (time - summary.mean);
  summary.deviation = std::sqrt(squares / n);
  summary.median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  return summary;
}

}  // namespace moefb::trainer
