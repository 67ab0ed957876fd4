#include "trainer/report/sections/router.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/heat_map.h"

namespace moefb::report {
namespace {

double metric(const std::map<std::string, double>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? kUnknown : found->second;
}

/// "sparse, seed 1"
std::string run_title(const Group& group, const Run& run) {
  return group.runs.size() > 1 ? group.name + ", seed " + std::to_string(run.setup.seed) : group.name;
}

/// "2.3 for soft, 0.6 for sparse"
std::string for_each_group(const std::vector<Ranked>& list, const std::function<std::string(double)>& text) {
  std::vector<std::string> parts;
  for (const Ranked& one : list)
    parts.push_back(text(one.spread.mean) + (list.size() > 1 ? " for " + one.group->name : ""));
  return listed(parts);
}

RunValue in_last_epoch(const EpochValue& value) {
  return [value](const Run& run) { return run.epochs.empty() ? kUnknown : value(run.epochs.back()); };
}

// ---- heads ----

/// ln E, if all heads with a gate have as many experts.
std::optional<double> uniform_entropy(const Panel& panel) {
  std::optional<double> entropy;
  for (const Group& group : panel.groups) {
    if (!group.setup().routed()) continue;
    const double uniform = std::log(double(group.setup().experts));
    if (entropy && *entropy != uniform) return std::nullopt;
    entropy = uniform;
  }
  return entropy;
}

void add_entropy(const Panel& panel, std::vector<Figure>& figures) {
  const EpochValue entropy = [](const Epoch& epoch) { return epoch.entropy; };
  const auto list = ranked_at_end(panel, 1, in_last_epoch(entropy));
  if (list.empty()) return;
  LineChart chart;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = "gate entropy, nats";
  chart.from_zero = true;
  chart.reference = uniform_entropy(panel);
  chart.series = panel_lines(panel, by_epoch(entropy));
  const std::string title =
      "Gate entropy ends at " + for_each_group(list, [](double value) { return fixed(value, 2); });
  Figure figure = line_figure("entropy", title,
                              "Mean over the pictures of the mixture weights' entropy; of the validation "
                              "where it was logged. " +
                                  lines_note(panel),
                              chart);
  if (chart.reference) {
    figure.legend.push_back(
        {"all experts alike, " + fixed(*chart.reference, 2) + " nats", 0, LegendEntry::Mark::kEven});
  }
  figures.push_back(std::move(figure));
}

using Shares = std::vector<double> Epoch::*;

/// One line an expert.
std::vector<Series> expert_lines(const Run& run, Shares shares) {
  std::vector<Series> lines;
  for (const Epoch& epoch : run.epochs) {
    const std::vector<double>& values = epoch.*shares;
    for (size_t e = 0; e < values.size(); ++e) {
      if (lines.size() <= e) lines.push_back({"expert " + std::to_string(e), run.name, e, Stroke::kBold, {}, {}});
      lines[e].x.push_back(double(epoch.epoch));
      lines[e].y.push_back(100 * values[e]);
    }
  }
  return lines;
}

Figure expert_figure(const Group& group, Shares shares, const std::string& id, const std::string& what,
                     const std::string& y_name, double even) {
  const Run& run = *group.runs.front();
  LineChart chart;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = y_name;
  chart.from_zero = true;
  chart.reference = even;
  chart.series = expert_lines(run, shares);
  const Spread last = spread(run.epochs.back().*shares);
  const std::string title = capitalised(run_title(group, run)) + ": " + what + " between " + percent(last.min) +
                            " and " + percent(last.max) + " at the end";
  Figure figure = line_figure(id, title, group.runs.size() > 1 ? "The data has the other seeds too." : "", chart);
  figure.legend.push_back({"even, " + fixed(even, 1) + " %", 0, LegendEntry::Mark::kEven});
  std::vector<Series> all;
  for (const Run* one : group.runs) {
    for (Series& series : expert_lines(*one, shares)) all.push_back(std::move(series));
  }
  figure.data = csv_of(all, "epoch", "percent");
  return figure;
}

void add_shares(const Panel& panel, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    const Run& run = *group.runs.front();
    if (run.epochs.empty() || run.epochs.back().utilisation.empty()) continue;
    const double experts = double(run.epochs.back().utilisation.size());
    figures.push_back(expert_figure(group, &Epoch::utilisation, "utilisation-" + slug(group.name), "experts weigh",
                                    "mean mixture weight, %", 100 / experts));
    if (run.epochs.back().load.empty() || group.setup().head == "hard") continue;  // hard: the same once more
    figures.push_back(expert_figure(group, &Epoch::load, "load-" + slug(group.name), "experts see",
                                    "share of the pictures, %", 100 * double(group.setup().k) / experts));
  }
}

// ---- patch networks ----

struct RouterMetric {
  const char* name;   ///< pooled over the layers
  const char* layer;  ///< of one layer
  const char* axis;
  const char* title;  ///< begins the figure's title
  double scale;
  int decimals;
  bool log;
};

constexpr RouterMetric kMetrics[] = {
    {"entropy_norm_mean", "entropy_norm", "entropy of the experts' shares, 1 = even", "Evenness of use", 1, 2, false},
    {"spec_entropy_mean", "spec_entropy", "entropy of a token's scores, 1 = undecided", "Indecision of the routers", 1,
     2, false},
    {"drop_rate", "drop_rate", "tokens dropped, %", "Tokens dropped", 100, 1, false},
    {"imbalance_mean", "imbalance", "imbalance, largest share / smallest", "Imbalance", 1, 1, true},
};

void add_router_metric(const Panel& panel, const RouterMetric& one, std::vector<Figure>& figures) {
  const EpochValue value = [&one](const Epoch& epoch) { return one.scale * metric(epoch.router.values, one.name); };
  const auto list = ranked_at_end(panel, 1, in_last_epoch(value));
  if (list.empty()) return;
  LineChart chart;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = one.axis;
  chart.log_y = one.log;
  chart.series = panel_lines(panel, by_epoch(value));
  const std::string title = std::string(one.title) + (one.scale == 100 ? ", %" : "") + ": at the end " +
                            for_each_group(list, [&](double v) { return fixed(v, one.decimals); });
  figures.push_back(
      line_figure("router-" + slug(one.name), title, "Mean of the layers; validation. " + lines_note(panel), chart));
}

void add_layer_metric(const Panel& panel, const RouterMetric& one, std::vector<Figure>& figures) {
  const LineOf line_of = [&one](const Run& run) {
    RunLine line;
    for (const RouterLayer& layer : final_router(run).layers) {
      line.x.push_back(double(layer.layer));
      line.y.push_back(one.scale * metric(layer.values, one.layer));
    }
    return line;
  };
  LineChart chart;
  chart.x_name = "layer";
  chart.y_name = one.axis;
  chart.log_y = one.log;
  chart.series = panel_lines(panel, line_of);
  if (chart.series.empty()) return;
  for (Series& series : chart.series) series.markers = true;
  chart.x_ticks = chart.series.front().x;  // the layers between have no router
  const Series* steepest = nullptr;
  for (const Series& series : chart.series) {
    if (series.stroke == Stroke::kBold && (steepest == nullptr || spread(series.y).max > spread(steepest->y).max))
      steepest = &series;
  }
  const Spread range = spread(steepest->y);
  const std::string title = std::string(one.title) + " by layer: from " + fixed(range.min, one.decimals) + " to " +
                            fixed(range.max, one.decimals) + (one.scale == 100 ? " %" : "") + " in " + steepest->label;
  figures.push_back(line_figure("layers-" + slug(one.layer), title, lines_note(panel), chart));
}

Matrix usage_shares(const RouterRecord& router) {
  Matrix shares{router.layers.size(), router.layers.front().usage.size(), {}};
  for (const RouterLayer& layer : router.layers) {
    double sum = 0;
    for (const double tokens : layer.usage) sum += tokens;
    for (const double tokens : layer.usage) shares.values.push_back(sum > 0 ? tokens / sum : kUnknown);
  }
  return shares;
}

void add_usage(const Group& group, std::vector<Figure>& figures) {
  const Run& run = *group.runs.front();
  const RouterRecord& router = final_router(run);
  if (router.layers.empty() || router.layers.front().usage.empty()) return;
  HeatMap map;
  map.row_name = "layer";
  map.column_name = "expert";
  map.values = usage_shares(router);
  map.columns = numbered(map.values.columns);
  for (const RouterLayer& layer : router.layers) map.rows.push_back(std::to_string(layer.layer));
  const Spread all = spread(map.values.values);
  map.full = all.max;
  const size_t busiest =
      size_t(std::max_element(map.values.values.begin(), map.values.values.end()) - map.values.values.begin());
  map.title = capitalised(run_title(group, run)) + ": expert " + std::to_string(busiest % map.values.columns) +
              " takes " + percent(all.max) + " of the tokens of layer " + map.rows[busiest / map.values.columns];
  Csv data({"run", "layer", "expert", "share"});
  for (size_t r = 0; r < map.values.rows; ++r) {
    for (size_t e = 0; e < map.values.columns; ++e) data.add({run.name, map.rows[r], e, map.values.at(r, e)});
  }
  figures.push_back({"usage-" + slug(group.name),
                     map.title,
                     "Share of a layer's kept tokens that each expert took, in %; even: " +
                         percent(1 / double(map.values.columns)) + ".",
                     {},
                     draw(map),
                     data});
}

}  // namespace

const RouterRecord& final_router(const Run& run) {
  static const RouterRecord kNone;
  if (run.test && !run.test->router.layers.empty()) return run.test->router;
  return run.epochs.empty() ? kNone : run.epochs.back().router;
}

void add_router_epochs(const Panel& panel, std::vector<Figure>& figures) {
  add_entropy(panel, figures);
  add_shares(panel, figures);
  for (const RouterMetric& one : kMetrics) add_router_metric(panel, one, figures);
}

void add_router_layers(const Panel& panel, std::vector<Figure>& figures) {
  for (const RouterMetric& one : kMetrics) add_layer_metric(panel, one, figures);
  for (const Group& group : panel.groups) add_usage(group, figures);
}

}  // namespace moefb::report
