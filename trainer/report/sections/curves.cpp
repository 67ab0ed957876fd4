// Training by epoch: accuracy, loss, speed.
#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/router.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

/// The value in the last epoch that has one.
RunValue last_value(const EpochValue& value) {
  return [value](const Run& run) {
    for (auto epoch = run.epochs.rbegin(); epoch != run.epochs.rend(); ++epoch) {
      if (std::isfinite(value(*epoch))) return value(*epoch);
    }
    return kUnknown;
  };
}

RunValue least_value(const EpochValue& value) {
  return [value](const Run& run) {
    std::vector<double> values;
    for (const Epoch& epoch : run.epochs) values.push_back(value(epoch));
    return spread(values).min;
  };
}

std::string percent_text(double hundredths) {
  return percent(hundredths / 100);
}

std::string loss_text(double loss) {
  return significant(loss);
}

Figure curve(const Panel& panel, const std::string& id, const std::string& title, const std::string& y_name,
             const EpochValue& value) {
  LineChart chart;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = y_name;
  chart.series = panel_lines(panel, by_epoch(value));
  return line_figure(id, title, lines_note(panel), std::move(chart));
}

double val_acc(const Epoch& epoch) {
  return 100 * epoch.val_acc;
}
double train_acc(const Epoch& epoch) {
  return 100 * epoch.train_acc;
}
double val_loss(const Epoch& epoch) {
  return epoch.val_loss;
}
double train_loss(const Epoch& epoch) {
  return epoch.train_loss;
}

std::string val_acc_title(const Panel& panel) {
  const auto list = ranked_at_end(panel, 1, last_value(val_acc));
  if (list.size() == 1) return "Validation accuracy ends " + between(list, percent_text);
  const double lead = list[0].spread.mean - list[1].spread.mean;
  return capitalised(list[0].group->name) +
         " ends highest on the validation pictures: " + percent_text(list[0].spread.mean) + ", " + fixed(lead, 1) +
         " points above " + list[1].group->name;
}

std::string val_loss_title(const Panel& panel) {
  const auto list = ranked_at_end(panel, -1, least_value(val_loss));
  return "Validation loss goes down to " + loss_text(list.front().spread.mean) + " (" + list.front().group->name + ")";
}

void add_learning(const Panel& panel, std::vector<Figure>& figures) {
  if (ranked_at_end(panel, 1, last_value(val_acc)).empty()) return;
  figures.push_back(curve(panel, "validation-accuracy", val_acc_title(panel), "validation accuracy, %", val_acc));
  figures.push_back(
      curve(panel, "training-accuracy",
            "Training accuracy ends " + between(ranked_at_end(panel, 1, last_value(train_acc)), percent_text),
            "training accuracy, %", train_acc));
  figures.push_back(curve(panel, "validation-loss", val_loss_title(panel), "validation loss, nats", val_loss));
  figures.push_back(curve(panel, "training-loss",
                          "Training loss ends " + between(ranked_at_end(panel, -1, last_value(train_loss)), loss_text),
                          "training loss, nats", train_loss));
}

// ---- what training takes ----

double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return kUnknown;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

RunValue median_of(const EpochValue& value) {
  return [value](const Run& run) {
    std::vector<double> values;
    for (const Epoch& epoch : run.epochs) values.push_back(value(epoch));
    return median(values);
  };
}

/// Over all epochs of a finished run; unknown where one of them is.
RunValue sum_of(const EpochValue& value) {
  return [value](const Run& run) {
    double sum = run.epochs.empty() || !is_finished(run) ? kUnknown : 0;
    for (const Epoch& epoch : run.epochs) sum += value(epoch);
    return sum;
  };
}

Figure bars(const Panel& panel, const std::string& id, const std::string& title, const std::string& x_name, int sign,
            const RunValue& value) {
  RowChart chart{title, x_name, false, true, {}};
  Csv data({"group", "run", x_name});
  for (const Ranked& one : ranked(panel, sign, value)) {
    ChartRow row{one.group->label,
                 with_spread_significant(one.spread),
                 one.group->colour,
                 false,
                 one.spread.mean,
                 {},
                 {},
                 {},
                 {},
                 {}};
    if (one.spread.count > 1) {
      row.lo = one.spread.min;
      row.hi = one.spread.max;
    }
    chart.rows.push_back(row);
    for (const Run* run : one.group->runs) data.add({one.group->label, run->name, value(*run)});
  }
  return {id, title, "Mean of the runs; whiskers: smallest and largest.", {}, draw(chart), data};
}

std::string speed_title(const std::vector<Ranked>& list) {
  const std::string first = significant(list.front().spread.mean) + " images/s";
  if (significant(list.back().spread.mean) == significant(list.front().spread.mean))
    return "Training takes in " + first;
  return capitalised(list.front().group->name) + " trains fastest, " + first + "; " + list.back().group->name +
         " slowest, " + significant(list.back().spread.mean);
}

void add_resources(const Panel& panel, std::vector<Figure>& figures) {
  const RunValue speed = median_of([](const Epoch& epoch) { return epoch.images_per_s; });
  const RunValue minutes = sum_of([](const Epoch& epoch) { return epoch.seconds / 60; });
  const RunValue memory = [](const Run& run) {
    std::vector<double> values;
    for (const Epoch& epoch : run.epochs) values.push_back(epoch.peak_rss_mib);
    return spread(values).max;
  };
  const auto by_speed = ranked(panel, 1, speed), by_minutes = ranked(panel, -1, minutes),
             by_memory = ranked(panel, -1, memory);
  if (!by_speed.empty()) {
    figures.push_back(
        bars(panel, "training-speed", speed_title(by_speed), "images a second, median of the epochs", 1, speed));
  }
  if (!by_minutes.empty()) {
    const auto text = [](double value) { return significant(value) + " minutes"; };
    figures.push_back(bars(panel, "training-time", "Time for a whole training lies " + between(by_minutes, text),
                           "minutes on the clock", -1, minutes));
  }
  if (!by_memory.empty()) {
    const auto text = [](double value) { return significant(value) + " MiB"; };
    figures.push_back(bars(panel, "training-memory", "Memory of training peaks " + between(by_memory, text),
                           "peak resident memory, MiB", -1, memory));
  }
}

}  // namespace

void add_curves(const Comparison& comparison, Page& page) {
  page.begin_section("training", "Training");
  const auto trained = [](const Run& run) { return !run.epochs.empty(); };
  if (!comparison.any(trained)) {
    page.missing("No run has a `metrics.jsonl`: `trainer train` writes one, imported runs have none.");
    return;
  }
  for (const Panel& panel : comparison.panels) {
    if (!panel.any(trained)) continue;
    if (comparison.panels.size() > 1) page.heading(panel.title);
    std::vector<Figure> figures;
    add_learning(panel, figures);
    add_router_epochs(panel, figures);
    add_resources(panel, figures);
    page.figures(figures);
  }
}

}  // namespace moefb::report
