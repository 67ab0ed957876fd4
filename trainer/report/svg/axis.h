// One axis of a chart: its range, its ticks, and where a value lies.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace moefb::report {

struct Axis {
  std::string name;  ///< with its unit: "accuracy, %"
  bool log = false;
  double lo = 0, hi = 1;  ///< lo < hi; both above 0 where `log`
  std::vector<double> ticks;
  std::vector<std::string> texts;  ///< of the ticks

  /// Position of `value` between `from` (lo) and `to` (hi), which may be the larger one. Values beyond the ends are
  /// moved to them.
  double place(double value, double from, double to) const;
  void use_ticks(std::vector<double> values);
};

/// What an axis has to show; not finite values, and on a logarithmic axis those not above 0, are passed over.
class Range {
 public:
  explicit Range(bool log = false) : log_(log) {}
  void add(double value);
  void add(std::span<const double> values);
  bool empty() const { return lo_ > hi_; }
  double lo() const { return lo_; }
  double hi() const { return hi_; }

 private:
  bool log_;
  double lo_ = 1e308, hi_ = -1e308;
};

/// Ends at ticks, outside the range, so that no mark lies on the frame. An empty range becomes 0 to 1 (log: 1 to 10).
Axis round_axis(std::string name, const Range& range, bool log, int ticks = 6);
/// Ends where the range ends.
Axis tight_axis(std::string name, const Range& range, bool log, int ticks = 7);
/// For what is counted: no tick at half an epoch.
void keep_whole_ticks(Axis& axis);

}  // namespace moefb::report
