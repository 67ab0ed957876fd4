// From runs to what charts draw: a thin line for each run, a bold one for the mean of a group.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trainer/report/comparison.h"
#include "trainer/report/page/page.h"
#include "trainer/report/svg/line_chart.h"

namespace moefb::report {

struct RunLine {
  std::vector<double> x, y;
};

/// What lines are made of: empty x where a run has no data.
using LineOf = std::function<RunLine(const Run&)>;
using EpochValue = std::function<double(const Epoch&)>;
using RunValue = std::function<double(const Run&)>;

/// The lines of one group. Its mean is taken where all its lines have a point; where they share few, the first run's
/// line is bold instead.
std::vector<Series> group_lines(const Group& group, const LineOf& line);
/// The lines of all groups of a panel.
std::vector<Series> panel_lines(const Panel& panel, const LineOf& line);
/// `value` by epoch; no line where no epoch has one.
LineOf by_epoch(const EpochValue& value);

/// An entry for each label that has a bold or dashed line, in their order.
std::vector<LegendEntry> legend_of(const std::vector<Series>& series);
/// Every point: label, run, x, y.
Csv csv_of(const std::vector<Series>& series, const std::string& x_name, const std::string& y_name);

/// A figure with one line chart; title, note and id are the caller's.
Figure line_figure(std::string id, std::string title, std::string note, LineChart chart);

/// "between 94.1 % (hard) and 97.3 % (soft)"; where there is nothing between, "at 94.1 %". At least one group.
std::string between(const std::vector<Ranked>& list, const std::function<std::string(double)>& text);

/// `text` with its first letter in upper case.
std::string capitalised(std::string text);
/// "Dense, 512 wide" to "dense-512-wide": for ids and file names.
std::string slug(const std::string& text);
/// "Thin lines are single runs, bold ones means." where a group has several runs, else "".
std::string lines_note(const Panel& panel);

}  // namespace moefb::report
