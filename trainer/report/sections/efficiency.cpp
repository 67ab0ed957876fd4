// Time, memory and arithmetic of the trained networks.
#include <algorithm>
#include <cmath>
#include <map>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

/// What a timing was of, beside the network.
struct Way {
  std::string engine, dispatch, kernels, device;
  int64_t threads, batch;
  auto operator<=>(const Way&) const = default;

  std::string text() const {
    std::string out = engine;
    for (const std::string& word : {dispatch, kernels == "auto" ? "" : kernels}) {
      if (!word.empty() && word != "-") out += " " + word;
    }
    return out + ", " + (on_cpu() ? counted(size_t(threads), "thread") : device);
  }
  bool on_cpu() const { return device.empty() || device == "cpu"; }
};

Way way_of(const Timing& timing) {
  return {timing.engine, timing.dispatch, timing.kernels, timing.device, timing.threads, timing.batch};
}

const Timing* timing_of(const Run& run, const Way& way) {
  if (!run.efficiency) return nullptr;
  for (const Timing& timing : run.efficiency->rows) {
    if (way_of(timing) == way) return &timing;
  }
  return nullptr;
}

RunValue timed(const Way& way, double Timing::*field) {
  return [way, field](const Run& run) {
    const Timing* timing = timing_of(run, way);
    return timing == nullptr ? kUnknown : timing->*field;
  };
}

/// The ways that any run of the panel was timed in, by batch.
std::map<int64_t, std::vector<Way>> ways_of(const Panel& panel) {
  std::map<int64_t, std::vector<Way>> ways;
  for (const Group& group : panel.groups) {
    for (const Run* run : group.runs) {
      if (!run->efficiency) continue;
      for (const Timing& timing : run->efficiency->rows) {
        std::vector<Way>& list = ways[timing.batch];
        if (std::find(list.begin(), list.end(), way_of(timing)) == list.end()) list.push_back(way_of(timing));
      }
    }
  }
  return ways;
}

struct Timed {
  const Group* group;
  Way way;
  Spread ms, images;
};

std::vector<Timed> timings_of(const Panel& panel, const std::vector<Way>& ways) {
  std::vector<Timed> all;
  for (const Way& way : ways) {
    for (const Group& group : panel.groups) {
      const Spread ms = spread_of(group, timed(way, &Timing::mean_ms));
      if (ms.count > 0) all.push_back({&group, way, ms, spread_of(group, timed(way, &Timing::images_per_s))});
    }
  }
  return all;
}

Csv timing_csv(const Panel& panel, int64_t batch) {
  Csv data({"group", "run", "engine", "dispatch", "kernels", "device", "threads", "batch", "mean_ms", "std_ms",
            "median_ms", "images_per_s", "peak_mib"});
  for (const Group& group : panel.groups) {
    for (const Run* run : group.runs) {
      if (!run->efficiency) continue;
      for (const Timing& t : run->efficiency->rows) {
        if (t.batch != batch) continue;
        data.add({group.label, run->name, t.engine, t.dispatch, t.kernels, t.device, t.threads, t.batch, t.mean_ms,
                  t.std_ms, t.median_ms, t.images_per_s, t.peak_mib});
      }
    }
  }
  return data;
}

Figure bars(const Panel& panel, const std::vector<Timed>& rows, int64_t batch, Spread Timed::*value,
            const std::string& id, const std::string& title, const std::string& x_name) {
  RowChart chart{title, x_name, false, true, {}};
  for (const Timed& one : rows) {
    const Spread& spread = one.*value;
    if (spread.count == 0) continue;
    ChartRow row{one.group->name + " · " + one.way.text(),
                 with_spread_significant(spread),
                 one.group->colour,
                 false,
                 spread.mean,
                 {},
                 {},
                 {},
                 {},
                 {}};
    if (spread.count > 1) {
      row.lo = spread.min;
      row.hi = spread.max;
    }
    chart.rows.push_back(row);
  }
  return {id + "-batch-" + std::to_string(batch),
          title,
          "Batches of " + std::to_string(batch) + "; whiskers: smallest and largest of the runs.",
          {},
          draw(chart),
          timing_csv(panel, batch)};
}

/// How many times as long LibTorch takes as the runtime's best way, for each model and number of threads that has both.
/// On the CPU: the runtime has no code for a GPU.
Spread runtime_gains(const std::vector<Timed>& rows) {
  std::map<std::pair<const Group*, int64_t>, std::map<std::string, double>> best;
  for (const Timed& one : rows) {
    if (!one.way.on_cpu()) continue;
    auto& engines = best[{one.group, one.way.threads}];
    const auto found = engines.find(one.way.engine);
    if (found == engines.end() || one.ms.mean < found->second) engines[one.way.engine] = one.ms.mean;
  }
  std::vector<double> gains;
  for (auto& [key, engines] : best) {
    if (engines.contains("libtorch") && engines.contains("runtime"))
      gains.push_back(engines["libtorch"] / engines["runtime"]);
  }
  return spread(gains);
}

std::string latency_title(const std::vector<Timed>& rows, int64_t batch) {
  const std::string of = batch == 1 ? "one picture" : "a batch of " + std::to_string(batch);
  const Spread gains = runtime_gains(rows);
  if (gains.count > 0) {
    const std::string least = fixed(gains.min, 1), most = fixed(gains.max, 1);
    return "For " + of + " LibTorch takes " + (least == most ? least : least + " to " + most) +
           " times as long as the runtime";
  }
  const Timed &fast = rows.front(), &slow = rows.back();
  const std::string first = capitalised(fast.group->name) + " takes " + significant(fast.ms.mean) + " ms for " + of;
  return rows.size() == 1 ? first : first + ", " + slow.group->name + " " + significant(slow.ms.mean) + " ms";
}

void add_times(const Panel& panel, std::vector<Figure>& figures) {
  for (const auto& [batch, ways] : ways_of(panel)) {
    std::vector<Timed> rows = timings_of(panel, ways);
    std::stable_sort(rows.begin(), rows.end(), [](const Timed& a, const Timed& b) { return a.ms.mean < b.ms.mean; });
    figures.push_back(
        bars(panel, rows, batch, &Timed::ms, "latency", latency_title(rows, batch), "milliseconds a batch, mean"));
    const Timed& fast = rows.front();
    if (fast.images.count == 0) continue;
    figures.push_back(bars(panel, rows, batch, &Timed::images, "throughput",
                           capitalised(fast.group->name) + " (" + fast.way.text() + ") answers up to " +
                               significant(fast.images.mean) + " images/s",
                           "images a second"));
  }
}

// ---- accuracy and arithmetic ----

double multiply_adds(const Run& run) {
  return run.efficiency ? run.efficiency->multiply_adds / 1e6 : kUnknown;
}

double test_accuracy(const Run& run) {
  return run.test ? 100 * run.test->accuracy : kUnknown;
}

void add_arithmetic(const Panel& panel, std::vector<Figure>& figures) {
  LineChart chart;
  chart.x_name = "million multiply-adds a picture";
  chart.y_name = "accuracy on the test pictures, %";
  std::vector<Ranked> both;
  for (const Ranked& one : ranked(panel, 1, test_accuracy)) {
    const Spread work = spread_of(*one.group, multiply_adds);
    if (work.count == 0) continue;
    both.push_back(one);
    for (const Run* run : one.group->runs) {
      const double x = multiply_adds(*run), y = test_accuracy(*run);
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      chart.series.push_back({one.group->label, run->name, one.group->colour, Stroke::kBold, {x}, {y}, true});
    }
  }
  if (both.size() < 2) return;
  const Group &best = *both.front().group, &worst = *both.back().group;
  const double ratio = spread_of(best, multiply_adds).mean / spread_of(worst, multiply_adds).mean;
  const std::string work =
      std::fabs(ratio - 1) < 0.01 ? "as many multiply-adds" : significant(ratio, 2) + " times its multiply-adds";
  const std::string title = capitalised(best.name) + " is " +
                            fixed(both.front().spread.mean - both.back().spread.mean, 1) + " points better than " +
                            worst.name + " with " + work;
  Figure figure = line_figure("accuracy-multiply-adds", title, "One dot a run.", std::move(chart));
  for (LegendEntry& entry : figure.legend) entry.mark = LegendEntry::Mark::kDot;
  figures.push_back(std::move(figure));
}

}  // namespace

void add_efficiency(const Comparison& comparison, Page& page) {
  page.begin_section("efficiency", "Efficiency");
  if (!comparison.any([](const Run& run) { return run.efficiency.has_value(); })) {
    page.missing("Times, memory and multiply-adds are not there yet: `trainer analyze RUN efficiency` measures them.");
    return;
  }
  for (const Panel& panel : comparison.panels) {
    std::vector<Figure> figures;
    add_times(panel, figures);
    add_arithmetic(panel, figures);
    if (!figures.empty() && comparison.panels.size() > 1) page.heading(panel.title);
    page.figures(figures);
  }
}

}  // namespace moefb::report
