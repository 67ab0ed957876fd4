#include "trainer/report/sections/series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace moefb::report {
namespace {

/// The mean over all lines at the points that they share.
RunLine mean_line(const std::vector<RunLine>& lines) {
  std::map<double, std::vector<double>> by_x;
  for (const RunLine& line : lines) {
    for (size_t i = 0; i < line.x.size(); ++i) by_x[line.x[i]].push_back(line.y[i]);
  }
  RunLine mean;
  for (const auto& [x, values] : by_x) {
    if (values.size() != lines.size()) continue;
    double sum = 0;
    for (const double value : values) sum += value;  // a NaN among them: a gap
    mean.x.push_back(x);
    mean.y.push_back(sum / double(values.size()));
  }
  return mean;
}

Series series_of(const Group& group, const std::string& detail, Stroke stroke, RunLine line) {
  return {group.label, detail, group.colour, stroke, std::move(line.x), std::move(line.y)};
}

}  // namespace

std::vector<Series> group_lines(const Group& group, const LineOf& line_of) {
  std::vector<RunLine> lines;
  std::vector<Series> series;
  for (const Run* run : group.runs) {
    RunLine line = line_of(*run);
    if (line.x.empty()) continue;
    series.push_back(series_of(group, run->name, Stroke::kThin, line));
    lines.push_back(std::move(line));
  }
  if (lines.empty()) return series;
  RunLine mean = mean_line(lines);
  if (lines.size() == 1 || 2 * mean.x.size() < lines.front().x.size()) {
    series.front().stroke = Stroke::kBold;
  } else {
    series.push_back(series_of(group, "mean", Stroke::kBold, std::move(mean)));
  }
  return series;
}

std::vector<Series> panel_lines(const Panel& panel, const LineOf& line) {
  std::vector<Series> all;
  for (const Group& group : panel.groups) {
    for (Series& series : group_lines(group, line)) all.push_back(std::move(series));
  }
  return all;
}

LineOf by_epoch(const EpochValue& value) {
  return [value](const Run& run) {
    RunLine line;
    bool any = false;
    for (const Epoch& epoch : run.epochs) {
      line.x.push_back(double(epoch.epoch));
      line.y.push_back(value(epoch));
      any = any || std::isfinite(line.y.back());
    }
    return any ? line : RunLine();
  };
}

std::vector<LegendEntry> legend_of(const std::vector<Series>& series) {
  std::vector<LegendEntry> legend;
  std::set<std::string> seen;
  for (const Series& one : series) {
    if (one.stroke == Stroke::kThin || !seen.insert(one.label).second) continue;
    legend.push_back(
        {one.label, one.colour, one.stroke == Stroke::kDashed ? LegendEntry::Mark::kDashed : LegendEntry::Mark::kLine});
  }
  return legend;
}

Csv csv_of(const std::vector<Series>& series, const std::string& x_name, const std::string& y_name) {
  Csv csv({"series", "run", x_name, y_name});
  for (const Series& one : series) {
    for (size_t i = 0; i < one.x.size(); ++i) csv.add({one.label, one.detail, one.x[i], one.y[i]});
  }
  return csv;
}

Figure line_figure(std::string id, std::string title, std::string note, LineChart chart) {
  chart.title = title;
  Csv data = csv_of(chart.series, chart.x_name, chart.y_name);
  return {std::move(id), std::move(title), std::move(note), legend_of(chart.series), draw(chart), std::move(data)};
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = char(text[0] - 'a' + 'A');
  return text;
}

std::string between(const std::vector<Ranked>& list, const std::function<std::string(double)>& text) {
  const auto [low, high] = std::minmax_element(
      list.begin(), list.end(), [](const Ranked& a, const Ranked& b) { return a.spread.mean < b.spread.mean; });
  const std::string least = text(low->spread.mean), most = text(high->spread.mean);
  if (least == most) return "at " + least;
  return "between " + least + " (" + low->group->name + ") and " + most + " (" + high->group->name + ")";
}

std::string slug(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += upper ? char(c - 'A' + 'a') : c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::string lines_note(const Panel& panel) {
  const bool several =
      std::any_of(panel.groups.begin(), panel.groups.end(), [](const Group& group) { return group.runs.size() > 1; });
  return several ? "Thin lines are single runs, bold ones means." : "";
}

}  // namespace moefb::report
