// What is compared: a table of groups, a table of runs, and who does best on the test pictures.
#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

double test_accuracy(const Run& run) {
  return run.test ? run.test->accuracy : kUnknown;
}

std::string setting(const Run& run, const std::string& key) {
  const auto found = run.setup.settings.find(key);
  return found == run.setup.settings.end() ? "" : found->second;
}

/// "cifar10, 20,000 to train"
std::string data_text(const Run& run) {
  const std::string size = setting(run, "data.train_size");
  const int64_t count = size.empty() || size.size() > 15 ? 0 : std::stoll(size);
  return run.setup.data + (count > 0 ? ", " + with_commas(count) + " to train" : "");
}

std::string count_or_dash(int64_t count) {
  return count > 0 ? with_commas(count) : kDash;
}

std::string hardware(const Run& run) {
  if (run.efficiency && !run.efficiency->machine().empty()) return run.efficiency->machine();
  return kDash;
}

std::string parameters(const Run& run) {
  return run.parameters ? with_commas(*run.parameters) : kDash;
}

/// Epochs done of those planned: "60", "12 of 60".
std::string epochs_text(const Group& group) {
  int64_t least = INT64_MAX;
  for (const Run* run : group.runs) least = std::min(least, run->epochs.empty() ? 0 : run->epochs.back().epoch);
  const int64_t planned = group.setup().epochs;
  if (least == 0) return kDash;
  return least < planned ? std::to_string(least) + " of " + std::to_string(planned) : std::to_string(least);
}

std::string accuracy_text(const Spread& spread) {
  return spread.count == 0 ? kDash : with_spread({spread.count, 100 * spread.mean, 100 * spread.stddev, 0, 0}, 2);
}

Table::Row group_row(const Group& group) {
  const Run& first = *group.runs.front();
  const Setup& setup = first.setup;
  return {{group.label, count_or_dash(setup.experts), count_or_dash(setup.k), count_or_dash(setup.width),
           data_text(first), count_or_dash(setup.image), epochs_text(group), std::to_string(group.runs.size()),
           parameters(first), accuracy_text(spread_of(group, test_accuracy)), hardware(first)}};
}

Table groups_table(const Comparison& comparison) {
  Table table{"groups",
              "Runs that differ by their seed alone share a row",
              {},
              {},
              Csv({"group", "run", "seed", "kind", "head", "experts", "k", "width", "data", "image", "epochs_planned",
                   "epochs_done", "parameters", "test_accuracy", "test_loss"})};
  table.columns = {{"model", false},   {"experts"}, {"k"},    {"width"},      {"data", false},
                   {"image"},          {"epochs"},  {"runs"}, {"parameters"}, {"test accuracy, %"},
                   {"hardware", false}};
  for (const Panel& panel : comparison.panels) {
    for (const Group& group : panel.groups) {
      table.rows.push_back(group_row(group));
      for (const Run* run : group.runs) {
        const Setup& s = run->setup;
        table.data.add({group.label, run->name, s.seed, s.kind, s.head, s.experts, s.k, s.width, s.data, s.image,
                        s.epochs, run->epochs.empty() ? int64_t{0} : run->epochs.back().epoch,
                        run->parameters ? double(*run->parameters) : kUnknown, test_accuracy(*run),
                        run->test ? run->test->loss : kUnknown});
      }
    }
  }
  return table;
}

std::string percent_number(double share) {
  return fixed(100 * share, 2);
}

Table runs_table(const Comparison& comparison) {
  Table table{
      "runs",
      "Every run",
      {{"folder", false},
       {"model", false},
       {"seed"},
       {"epochs"},
       {"best validation, %"},
       {"tested epoch"},
       {"test accuracy, %"},
       {"test loss"}},
      {},
      Csv({"folder", "model", "seed", "epochs", "best_validation", "tested_epoch", "test_accuracy", "test_loss"})};
  for (const Panel& panel : comparison.panels) {
    for (const Group& group : panel.groups) {
      for (const Run* run : group.runs) {
        std::vector<double> accuracies;
        for (const Epoch& epoch : run->epochs) accuracies.push_back(epoch.val_acc);
        const double best = spread(accuracies).max;
        const int64_t done = run->epochs.empty() ? 0 : run->epochs.back().epoch;
        const TestResult test = run->test.value_or(TestResult());
        table.rows.push_back(
            {{run->name, group.label, std::to_string(run->setup.seed), count_or_dash(done), percent_number(best),
              count_or_dash(test.epoch), percent_number(test.accuracy), significant(test.loss)}});
        table.data.add({run->name, group.label, run->setup.seed, done, best, test.epoch, test.accuracy, test.loss});
      }
    }
  }
  return table;
}

ChartRow accuracy_row(const Group& group, const Spread& spread) {
  ChartRow row;
  row.label = group.label;
  row.colour = group.colour;
  row.value_text = accuracy_text(spread) + " %";
  for (const double value : values_of(group, test_accuracy)) {
    if (std::isfinite(value) && spread.count > 1) row.dots.push_back(100 * value);
  }
  row.mark = 100 * spread.mean;
  if (spread.count > 1) {
    row.lo = 100 * (spread.mean - spread.stddev);
    row.hi = 100 * (spread.mean + spread.stddev);
  }
  return row;
}

Figure accuracy_figure(const Panel& panel) {
  const std::string title = test_accuracy_title(panel);
  RowChart chart{title, "accuracy on the test pictures, %", false, false, {}};
  Csv data({"group", "run", "test_accuracy"});
  for (const Ranked& one : ranked(panel, 1, test_accuracy)) {
    chart.rows.push_back(accuracy_row(*one.group, one.spread));
    for (const Run* run : one.group->runs) data.add({one.group->label, run->name, test_accuracy(*run)});
  }
  return {"test-accuracy",
          title,
          panel.title + ". Small dots: runs; large dot and whisker: mean and standard deviation.",
          {},
          draw(chart),
          data};
}

}  // namespace

std::string test_accuracy_title(const Panel& panel) {
  const std::vector<Ranked> list = ranked(panel, 1, test_accuracy);
  if (list.empty()) return "";
  const Ranked& first = list.front();
  const std::string best = capitalised(first.group->name), seeds = " (" + seeds_text(list) + ")";
  if (list.size() == 1) return best + " reaches " + percent(first.spread.mean) + " of the test pictures" + seeds;
  const Ranked& second = list[1];
  const std::string points = fixed(100 * (first.spread.mean - second.spread.mean), 1);
  if (first.spread.count > 1 && second.spread.count > 1 && !clearly_apart(first.spread, second.spread)) {
    return best + " (" + percent(first.spread.mean) + ") and " + second.group->name + " (" +
           percent(second.spread.mean) + ") are level on the test pictures" + seeds;
  }
  return best + " reaches " + percent(first.spread.mean) + " of the test pictures, " + points + " points above " +
         second.group->name + seeds;
}

void add_compared(const Comparison& comparison, Page& page) {
  page.begin_section("compared", "What is compared");
  page.table(groups_table(comparison));
  page.paragraph(
      "Spreads are standard deviations over seeds. Width: channels of the backbone's first stage. Level: the "
      "difference is "
      "below twice its standard error.");
  std::vector<Figure> figures;
  for (const Panel& panel : comparison.panels) {
    if (!test_accuracy_title(panel).empty()) figures.push_back(accuracy_figure(panel));
  }
  if (figures.empty())
    page.missing("No run was tested yet: `trainer train` and `trainer resume` test when they finish.");
  page.figures(figures);
  if (comparison.runs.size() > 1) page.folded_table(runs_table(comparison));
}

}  // namespace moefb::report
