// Tables II, III and IV of the paper on heads, ours below the published rows.
#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/published_tables.h"
#include "trainer/report/sections/series.h"

namespace moefb::report {
namespace {

std::string percent_number(double share) {
  return fixed(100 * share, 2);
}

std::string epoch_or_dash(int64_t epoch) {
  return epoch > 0 ? std::to_string(epoch) : kDash;
}

Spread in_percent(const Spread& spread) {
  return {spread.count, 100 * spread.mean, 100 * spread.stddev, 100 * spread.min, 100 * spread.max};
}

/// Numbers of each epoch of a run.
struct History {
  std::vector<int64_t> epochs;
  std::vector<double> values;
};

History history(const Run& run, double Epoch::*field) {
  History all;
  for (const Epoch& epoch : run.epochs) {
    all.epochs.push_back(epoch.epoch);
    all.values.push_back(epoch.*field);
  }
  return all;
}

RunValue best(double Epoch::*field) {
  return [field](const Run& run) { return spread(history(run, field).values).max; };
}

RunValue best_epoch(double Epoch::*field) {
  return [field](const Run& run) {
    const History all = history(run, field);
    const int64_t epoch = epoch_of_max(all.epochs, all.values);
    return epoch > 0 ? double(epoch) : kUnknown;
  };
}

RunValue of_test(double TestResult::*field) {
  return [field](const Run& run) { return run.test ? (*run.test).*field : kUnknown; };
}

/// "41", or of several seeds "38 to 44".
std::string epochs_text(const Spread& spread) {
  if (spread.count == 0) return kDash;
  if (spread.min == spread.max) return fixed(spread.min, 0);
  return fixed(spread.min, 0) + " to " + fixed(spread.max, 0);
}

constexpr int64_t kPublishedBatch = 32;  // of the CPU

const std::vector<std::string> kAccuracyKeys = {"model",     "source",   "max_train_acc", "train_epoch", "max_val_acc",
                                                "val_epoch", "test_acc", "test_loss",     "entropy"};

void add_our_accuracy(const Group& group, Table& table) {
  const Spread train = spread_of(group, best(&Epoch::train_acc)), val = spread_of(group, best(&Epoch::val_acc));
  const Spread train_at = spread_of(group, best_epoch(&Epoch::train_acc)),
               val_at = spread_of(group, best_epoch(&Epoch::val_acc));
  const Spread test = spread_of(group, of_test(&TestResult::accuracy)),
               loss = spread_of(group, of_test(&TestResult::loss));
  const Spread entropy = spread_of(group, of_test(&TestResult::entropy));
  const std::string source = our_source(group);
  table.rows.push_back({{capitalised(group.label), source, with_spread(in_percent(train), 2), epochs_text(train_at),
                         with_spread(in_percent(val), 2), epochs_text(val_at), with_spread(in_percent(test), 2),
                         with_spread_significant(loss), with_spread(entropy, 3)}});
  table.data.add(
      {group.label, source, train.mean, train_at.mean, val.mean, val_at.mean, test.mean, loss.mean, entropy.mean});
}

Table accuracy_table(const Panel& panel) {
  Table table{"table-2",
              "Table II: accuracy, and the epoch that first reached it",
              {{"model", false},
               {"source", false},
               {"max. training, %"},
               {"epoch"},
               {"max. validation, %"},
               {"epoch"},
               {"test, %"},
               {"test loss"},
               {"gate entropy, nats"}},
              {},
              Csv(kAccuracyKeys)};
  const Published& all = published();
  const std::string source = published_source(all.heads_size);
  for (const PublishedHead& head : all.heads) {
    table.rows.push_back({{head.name, source, percent_number(head.train_acc), epoch_or_dash(head.train_epoch),
                           percent_number(head.val_acc), epoch_or_dash(head.val_epoch), percent_number(head.test_acc),
                           fixed(head.test_loss, 4), fixed(head.entropy, 3)},
                          true});
    table.data.add({head.name, source, head.train_acc, head.train_epoch, head.val_acc, head.val_epoch, head.test_acc,
                    head.test_loss, head.entropy});
  }
  for (const Group& group : panel.groups) add_our_accuracy(group, table);
  return table;
}

// ---- Table III ----

const Curvature* curvature_of(const Run& run, const std::string& subset) {
  if (!run.hessian) return nullptr;
  const auto found = run.hessian->subsets.find(subset);
  return found == run.hessian->subsets.end() ? nullptr : &found->second;
}

RunValue lambda_max(const std::string& subset) {
  return [subset](const Run& run) {
    const Curvature* curvature = curvature_of(run, subset);
    return curvature == nullptr || curvature->eigenvalues.empty() ? kUnknown : curvature->eigenvalues.front();
  };
}

RunValue trace(const std::string& subset, const std::string& estimator) {
  return [=](const Run& run) {
    const Curvature* curvature = curvature_of(run, subset);
    if (curvature == nullptr) return kUnknown;
    const auto found = curvature->traces.find(estimator);
    return found == curvature->traces.end() ? kUnknown : found->second.mean;
  };
}

/// By Hutchinson's estimator as published, else by Hutch++.
Spread trace_of(const Group& group, const std::string& subset) {
  const Spread hutchinson = spread_of(group, trace(subset, "hutchinson"));
  return hutchinson.count > 0 ? hutchinson : spread_of(group, trace(subset, "hutch++"));
}

Table hessian_table(const Panel& panel) {
  Table table{
      "table-3",
      "Table III: largest eigenvalue and trace of the Hessian",
      {{"model", false}, {"source", false}, {"λ max, training"}, {"trace, training"}, {"λ max, test"}, {"trace, test"}},
      {},
      Csv({"model", "source", "lambda_max_train", "trace_train", "lambda_max_test", "trace_test"})};
  const Published& all = published();
  const std::string source = published_source(all.heads_size);
  for (const PublishedHead& head : all.heads) {
    const double train = head.eigenvalues_train.front(), test = head.eigenvalues_test.front();
    table.rows.push_back({{head.name, source, significant(train), significant(head.trace_train, 4),
                           significant(test, 4), significant(head.trace_test, 6)},
                          true});
    table.data.add({head.name, source, train, head.trace_train, test, head.trace_test});
  }
  for (const Group& group : panel.groups) {
    const Spread train = spread_of(group, lambda_max("train")), test = spread_of(group, lambda_max("test"));
    if (train.count + test.count == 0) continue;
    const Spread train_trace = trace_of(group, "train"), test_trace = trace_of(group, "test");
    table.rows.push_back(
        {{capitalised(group.label), our_source(group), with_spread_significant(train),
          with_spread_significant(train_trace), with_spread_significant(test), with_spread_significant(test_trace)}});
    table.data.add({group.label, our_source(group), train.mean, train_trace.mean, test.mean, test_trace.mean});
  }
  return table;
}

// ---- Table IV ----

std::string way_text(const Timing& timing) {
  std::string text = timing.engine;
  if (!timing.dispatch.empty() && timing.dispatch != "-") text += " " + timing.dispatch;
  return text + ", " + counted(size_t(timing.threads), "thread");
}

void add_published_times(Table& table) {
  const Published& all = published();
  for (const PublishedHead& head : all.heads) {
    for (const PublishedTiming& timing : head.timings) {
      const double peak = timing.device == "CPU" ? kUnknown : head.peak_mib;
      table.rows.push_back(
          {{head.name, published_source("width 64"), timing.device, std::to_string(timing.batch),
            fixed(timing.mean_ms, 2), fixed(timing.images_per_s, 0), short_count(head.parameters), fixed(peak, 1)},
           true});
      table.data.add({head.name, "published", timing.device, timing.batch, timing.mean_ms, timing.images_per_s,
                      head.parameters, peak});
    }
  }
}

void add_our_times(const Group& group, Table& table) {
  for (const Run* run : group.runs) {
    if (!run->efficiency) continue;
    for (const Timing& timing : run->efficiency->rows) {
      if (timing.batch != kPublishedBatch) continue;  // the others stand in the section on efficiency
      const std::string peak = std::isfinite(timing.std_ms) ? fixed(timing.mean_ms, 2) + " ± " + fixed(timing.std_ms, 2)
                                                            : fixed(timing.mean_ms, 2);
      table.rows.push_back(
          {{capitalised(group.label), run->name, way_text(timing), std::to_string(timing.batch), peak,
            fixed(timing.images_per_s, 0), short_count(run->efficiency->parameters), fixed(timing.peak_mib, 1)}});
      table.data.add({group.label, run->name, way_text(timing), timing.batch, timing.mean_ms, timing.images_per_s,
                      run->efficiency->parameters, timing.peak_mib});
    }
    return;  // the first seed stands for the others: they have the same shape
  }
}

Table times_table(const Panel& panel) {
  Table table{"table-4",
              "Table IV: inference",
              {{"model", false},
               {"source", false},
               {"device or engine", false},
               {"batch"},
               {"ms a batch"},
               {"images/s"},
               {"parameters"},
               {"peak MiB"}},
              {},
              Csv({"model", "source", "device", "batch", "mean_ms", "images_per_s", "parameters", "peak_mib"})};
  add_published_times(table);
  for (const Group& group : panel.groups) add_our_times(group, table);
  return table;
}

/// Published validation accuracy by epoch, dashed, beside ours.
Figure history_figure(const Panel& panel) {
  LineChart chart;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = "validation accuracy, %";
  chart.series = panel_lines(panel, by_epoch([](const Epoch& epoch) { return 100 * epoch.val_acc; }));
  std::erase_if(chart.series, [](const Series& series) { return series.stroke == Stroke::kThin; });
  for (const PublishedHead& head : published().heads) {
    size_t colour = 6;  // grey, where none of our runs has that head
    for (const Group& group : panel.groups) {
      if (group.setup().head == head.head) colour = group.colour;
    }
    Series series{head.head + ", published (width 64)", "published", colour, Stroke::kDashed, {}, {}};
    for (const double accuracy : head.history_val_acc) {
      series.x.push_back(double(series.x.size() + 1));
      series.y.push_back(100 * accuracy);
    }
    chart.series.push_back(std::move(series));
  }
  const PublishedHead& soft = *std::max_element(published().heads.begin(), published().heads.end(),
                                                [](const auto& a, const auto& b) { return a.val_acc < b.val_acc; });
  return line_figure(
      "published-histories",
      "The published runs, wider and longer, reach up to " + percent(soft.val_acc) + " (" + soft.head + ")",
      "Dashed: published, with the step of the learning rate after epoch 30; solid: our means.", std::move(chart));
}

}  // namespace

void add_published_heads(const Panel& panel, Page& page) {
  const auto measured = [&](auto has) { return panel.any(has); };
  page.paragraph("Published: " + published().heads_source + ".");
  page.table(accuracy_table(panel));
  if (measured([](const Run& run) { return !run.epochs.empty(); })) page.figures({history_figure(panel)});
  page.table(hessian_table(panel));
  if (!measured([](const Run& run) { return run.hessian.has_value(); })) {
    page.missing("Our side of Table III is not there yet: `trainer analyze RUN hessian` measures it.");
  }
  page.table(times_table(panel));
  if (!measured([](const Run& run) { return run.efficiency.has_value(); })) {
    page.missing("Our side of Table IV is not there yet: `trainer analyze RUN efficiency` measures it.");
  }
}

}  // namespace moefb::report
