// The loss around the trained weights: eigenvalues, trace, density of the spectrum, lines and planes through it.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/report/number_text.h"
#include "trainer/report/published.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/contour.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

constexpr double kDensityFloor = 1e-6;  // of the highest density; below it there is only the tail of the smoothing

constexpr const char* kSubsets[] = {"train", "test"};

const Curvature* curvature_of(const Run& run, const std::string& subset) {
  if (!run.hessian) return nullptr;
  const auto found = run.hessian->subsets.find(subset);
  return found == run.hessian->subsets.end() ? nullptr : &found->second;
}

std::string pictures_text(const std::string& subset) {
  return subset == "train" ? "training pictures" : "test pictures";
}

/// The published head that a group repeats; nullptr where there is none.
const PublishedHead* published_of(const Group& group) {
  return group.setup().family == Family::kHeads ? published().head(group.setup().head) : nullptr;
}

/// Whether a group has data on the subset: only then its published counterpart is drawn.
bool measured(const Group& group, const std::string& subset) {
  return std::any_of(group.runs.begin(), group.runs.end(),
                     [&](const Run* run) { return curvature_of(*run, subset) != nullptr; });
}

/// The first group with that published head gets the published line: a panel may hold several of one head.
template <typename Add>
void for_each_published(const Panel& panel, const std::string& subset, Add add) {
  std::vector<const PublishedHead*> seen;
  for (const Group& group : panel.groups) {
    const PublishedHead* head = published_of(group);
    if (head == nullptr || !measured(group, subset) || std::find(seen.begin(), seen.end(), head) != seen.end())
      continue;
    seen.push_back(head);
    add(group, *head);
  }
}

std::string published_label(const PublishedHead& head) {
  return head.head + ", " + published_source("width 64");
}

RunValue largest_eigenvalue(const std::string& subset) {
  return [subset](const Run& run) {
    const Curvature* curvature = curvature_of(run, subset);
    return curvature == nullptr || curvature->eigenvalues.empty() ? kUnknown : curvature->eigenvalues.front();
  };
}

std::string between(const std::vector<Ranked>& list) {
  return between(list, [](double value) { return significant(value); });
}

/// 1, 2, ...
std::vector<double> ranks(size_t count) {
  std::vector<double> all(count);
  std::iota(all.begin(), all.end(), 1.0);
  return all;
}

void add_eigenvalues(const Panel& panel, const std::string& subset, std::vector<Figure>& figures) {
  const auto list = ranked(panel, 1, largest_eigenvalue(subset));
  if (list.empty()) return;
  bool negative = false;
  const LineOf line = [&](const Run& run) {
    RunLine line;
    const Curvature* curvature = curvature_of(run, subset);
    if (curvature == nullptr) return line;
    for (const double value : curvature->eigenvalues) {
      negative = negative || value < 0;
      line.y.push_back(std::fabs(value));
    }
    line.x = ranks(line.y.size());
    return line;
  };
  LineChart chart;
  chart.x_name = "rank by magnitude";
  chart.whole_x = true;
  chart.log_y = true;
  chart.series = panel_lines(panel, line);
  chart.y_name = negative ? "magnitude of the eigenvalue" : "eigenvalue";
  for_each_published(panel, subset, [&](const Group& group, const PublishedHead& head) {
    const std::vector<double>& values = subset == "train" ? head.eigenvalues_train : head.eigenvalues_test;
    chart.series.push_back({published_label(head), "", group.colour, Stroke::kDashed, ranks(values.size()), values});
  });
  for (Series& series : chart.series) series.markers = true;
  figures.push_back(line_figure(
      "eigenvalues-" + subset, "The largest eigenvalue on " + pictures_text(subset) + " lies " + between(list),
      "Largest eigenvalues of the Hessian of the mean loss" +
          std::string(negative ? ", negative ones by their magnitude. " : ". ") + lines_note(panel),
      std::move(chart)));
}

// ---- trace ----

/// The better estimate of those there are.
const Trace* trace_of(const Run& run, const std::string& subset) {
  const Curvature* curvature = curvature_of(run, subset);
  if (curvature == nullptr) return nullptr;
  for (const char* name : {"hutch++", "hutchinson"}) {
    const auto found = curvature->traces.find(name);
    if (found != curvature->traces.end()) return &found->second;
  }
  return nullptr;
}

RunValue trace_mean(const std::string& subset) {
  return [subset](const Run& run) {
    const Trace* trace = trace_of(run, subset);
    return trace == nullptr ? kUnknown : trace->mean;
  };
}

/// One run: its standard error; several: the runs and their standard deviation.
ChartRow trace_row(const Group& group, const Spread& spread, const std::string& subset) {
  ChartRow row{group.label, with_spread_significant(spread), group.colour, false, {}, {}, spread.mean, {}, {}, {}};
  if (spread.count > 1) {
    row.dots = values_of(group, trace_mean(subset));
    row.lo = spread.mean - spread.stddev;
    row.hi = spread.mean + spread.stddev;
    return row;
  }
  for (const Run* run : group.runs) {
    const Trace* trace = trace_of(*run, subset);
    if (trace == nullptr || !std::isfinite(trace->standard_error)) continue;
    row.lo = trace->mean - trace->standard_error;
    row.hi = trace->mean + trace->standard_error;
    row.value_text = significant(trace->mean) + " ± " + significant(trace->standard_error, 2);
  }
  return row;
}

void add_trace(const Panel& panel, const std::string& subset, std::vector<Figure>& figures) {
  const auto list = ranked(panel, 1, trace_mean(subset));
  if (list.empty()) return;
  RowChart chart{
      "The trace on " + pictures_text(subset) + " lies " + between(list), "trace of the Hessian", true, false, {}};
  // A trace may be negative far from a minimum.
  for (const Ranked& one : list) chart.log = chart.log && one.spread.min > 0;
  for (const Ranked& one : list) chart.rows.push_back(trace_row(*one.group, one.spread, subset));
  for_each_published(panel, subset, [&](const Group& group, const PublishedHead& head) {
    const double trace = subset == "train" ? head.trace_train : head.trace_test;
    chart.rows.push_back({published_label(head), significant(trace), group.colour, true, {}, {}, trace, {}, {}, {}});
  });
  Csv data({"group", "run", "estimator", "trace", "standard_error", "samples"});
  for (const Group& group : panel.groups) {
    for (const Run* run : group.runs) {
      const Curvature* curvature = curvature_of(*run, subset);
      if (curvature == nullptr) continue;
      for (const auto& [name, trace] : curvature->traces) {
        data.add({group.label, run->name, name, trace.mean, trace.standard_error, trace.samples});
      }
    }
  }
  figures.push_back({"trace-" + subset,
                     chart.title,
                     "Whiskers: standard deviation over seeds, or the standard error of a single run's estimate.",
                     {},
                     draw(chart),
                     data});
}

// ---- density ----

void add_density(const Panel& panel, const std::string& subset, std::vector<Figure>& figures) {
  const LineOf line = [&](const Run& run) {
    const Curvature* curvature = curvature_of(run, subset);
    return curvature == nullptr ? RunLine() : RunLine{curvature->density.lambda, curvature->density.density};
  };
  LineChart chart;
  chart.series = panel_lines(panel, line);
  if (chart.series.empty()) return;
  chart.x_name = "eigenvalue";
  chart.y_name = "density";
  chart.log_y = true;
  double highest = 0;
  Spread widest;
  std::string name;
  for (const Series& series : chart.series) {
    highest = std::max(highest, spread(series.y).max);
    const Spread range = spread(series.x);
    if (name.empty() || range.max > widest.max) {
      widest = range;
      name = series.label;
    }
  }
  chart.floor = highest * kDensityFloor;
  figures.push_back(line_figure(
      "density-" + subset,
      "Spectrum on " + pictures_text(subset) + ": most eigenvalues near zero, the tail reaches " +
          significant(widest.max, 2) + " (" + name + ")",
      "Stochastic Lanczos quadrature, smoothed; bold: the first seed; drawn down to a millionth of the peak.",
      std::move(chart)));
}

// ---- along directions ----

std::vector<std::string> directions_of(const Panel& panel, const std::string& subset) {
  std::vector<std::string> names;
  for (const Group& group : panel.groups) {
    for (const Run* run : group.runs) {
      const Curvature* curvature = curvature_of(*run, subset);
      if (curvature == nullptr) continue;
      for (const LossCurve& curve : curvature->curves) {
        if (std::find(names.begin(), names.end(), curve.direction) == names.end()) names.push_back(curve.direction);
      }
    }
  }
  return names;
}

LineOf loss_along(const std::string& subset, const std::string& direction) {
  return [=](const Run& run) {
    const Curvature* curvature = curvature_of(run, subset);
    if (curvature == nullptr) return RunLine();
    for (const LossCurve& curve : curvature->curves) {
      if (curve.direction == direction) return RunLine{curve.alphas, curve.losses};
    }
    return RunLine();
  };
}

/// The larger loss of both ends: a direction's sign is arbitrary.
RunValue steepest_end(const LineOf& line_of) {
  return [line_of](const Run& run) {
    const RunLine line = line_of(run);
    return line.y.empty() ? kUnknown : std::max(line.y.front(), line.y.back());
  };
}

Csv curve_csv(const Panel& panel, const std::string& subset, const std::string& direction) {
  Csv data({"group", "run", "alpha", "loss", "accuracy"});
  for (const Group& group : panel.groups) {
    for (const Run* run : group.runs) {
      const Curvature* curvature = curvature_of(*run, subset);
      if (curvature == nullptr) continue;
      for (const LossCurve& curve : curvature->curves) {
        for (size_t i = 0; curve.direction == direction && i < curve.alphas.size(); ++i) {
          data.add({group.label, run->name, curve.alphas[i], curve.losses[i],
                    curve.accuracies.empty() ? kUnknown : curve.accuracies[i]});
        }
      }
    }
  }
  return data;
}

void add_curve(const Panel& panel, const std::string& subset, const std::string& direction,
               std::vector<Figure>& figures) {
  const LineOf line = loss_along(subset, direction);
  LineChart chart;
  chart.x_name = "step along the direction";
  chart.y_name = "loss, nats";
  chart.log_y = true;
  chart.series = panel_lines(panel, line);
  if (subset == std::string("train") && direction == "eigenvector 1") {
    for_each_published(panel, subset, [&](const Group& group, const PublishedHead& head) {
      chart.series.push_back(
          {published_label(head), "", group.colour, Stroke::kDashed, head.curve_alphas, head.curve_losses});
    });
  }
  const auto list = ranked(panel, 1, steepest_end(line));
  const std::string title =
      "At the ends of " + direction + ", " + pictures_text(subset) + ", the loss lies " + between(list);
  Figure figure = line_figure("curve-" + subset + "-" + slug(direction), title,
                              lines_note(panel) + " A direction's sign is arbitrary.", std::move(chart));
  figure.data = curve_csv(panel, subset, direction);
  figures.push_back(std::move(figure));
}

// ---- planes ----

void add_surfaces(const Panel& panel, const std::string& subset, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    const auto has = [&](const Run* run) {
      const Curvature* c = curvature_of(*run, subset);
      return c != nullptr && !c->surfaces.empty();
    };
    const auto run = std::find_if(group.runs.begin(), group.runs.end(), has);
    if (run == group.runs.end()) continue;
    for (const LossSurface& surface : curvature_of(**run, subset)->surfaces) {
      if (surface.alphas.size() < 2 || surface.betas.size() < 2) continue;
      const Spread losses = spread(surface.losses.values);
      ContourMap map{capitalised(group.name) + ", " + pictures_text(subset) + ": loss from " + significant(losses.min) +
                         " to " + significant(losses.max),
                     "step along " + surface.x,
                     "step along " + surface.y,
                     surface.alphas,
                     surface.betas,
                     surface.losses};
      Csv data({"run", surface.x, surface.y, "loss"});
      for (size_t b = 0; b < surface.betas.size(); ++b) {
        for (size_t a = 0; a < surface.alphas.size(); ++a) {
          data.add({(*run)->name, surface.alphas[a], surface.betas[b], surface.losses.at(b, a)});
        }
      }
      figures.push_back({"surface-" + subset + "-" + slug(group.name + " " + surface.x + " " + surface.y),
                         map.title,
                         "Shades follow the logarithm of the loss; " + (*run)->name + ".",
                         {},
                         draw(map),
                         data});
    }
  }
}

std::string protocol_text(const Comparison& comparison) {
  for (const Run& run : comparison.runs) {
    if (!run.hessian || run.hessian->subsets.empty()) continue;
    const auto& [name, curvature] = *run.hessian->subsets.begin();
    return "Hessian of the mean cross-entropy, without auxiliary losses, over " + with_commas(run.hessian->parameters) +
           " parameters (" + (run.hessian->selection.empty() ? "all" : run.hessian->selection) + "); " +
           with_commas(curvature.pictures) + " pictures a subset, routing " +
           (run.hessian->routing.empty() ? "free" : run.hessian->routing) + ", eigenvalues by " +
           (curvature.method.empty() ? "Lanczos" : curvature.method) + " (the first run's settings).";
  }
  return "";
}

}  // namespace

void add_curvature(const Comparison& comparison, Page& page) {
  page.begin_section("curvature", "Curvature");
  if (!comparison.any([](const Run& run) { return run.hessian.has_value(); })) {
    page.missing(
        "Eigenvalues, trace and loss along directions are not there yet: `trainer analyze RUN hessian` measures them.");
    return;
  }
  page.paragraph(protocol_text(comparison));
  for (const Panel& panel : comparison.panels) {
    std::vector<Figure> figures;
    for (const char* subset : kSubsets) add_eigenvalues(panel, subset, figures);
    for (const char* subset : kSubsets) add_trace(panel, subset, figures);
    for (const char* subset : kSubsets) add_density(panel, subset, figures);
    for (const char* subset : kSubsets) {
      for (const std::string& direction : directions_of(panel, subset)) add_curve(panel, subset, direction, figures);
    }
    for (const char* subset : kSubsets) add_surfaces(panel, subset, figures);
    if (!figures.empty() && comparison.panels.size() > 1) page.heading(panel.title);
    page.figures(figures);
  }
}

}  // namespace moefb::report
