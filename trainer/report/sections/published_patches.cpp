// Both tables of the paper on patch networks, ours below the published rows.
#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/published_tables.h"
#include "trainer/report/sections/router.h"
#include "trainer/report/sections/series.h"

namespace moefb::report {
namespace {

Spread in_percent(const Spread& spread) {
  return {spread.count, 100 * spread.mean, 100 * spread.stddev, 100 * spread.min, 100 * spread.max};
}

/// A router metric under its published name, of the test or else of the last validation.
RunValue router_metric(const std::string& name) {
  return [name](const Run& run) {
    const RouterRecord& router = final_router(run);
    const auto found = router.values.find(name);
    return found == router.values.end() ? kUnknown : found->second;
  };
}

double parameters_of(const Run& run) {
  return run.parameters ? double(*run.parameters) : kUnknown;
}

Table accuracy_table(const Panel& panel) {
  Table table{"patch-table-1",
              "First table: accuracy",
              {{"model", false}, {"source", false}, {"top-1, %"}, {"loss"}, {"spec_entropy"}, {"parameters"}},
              {},
              Csv({"model", "source", "top1", "loss", "spec_entropy", "parameters"})};
  const Published& all = published();
  const std::string source = published_source(all.patches_size);
  for (const PublishedPatches& one : all.patches) {
    table.rows.push_back({{one.name, source, fixed(100 * one.top1, 2), fixed(one.val_loss, 2),
                           fixed(one.spec_entropy, 2), short_count(one.parameters)},
                          true});
    table.data.add({one.name, source, one.top1, one.val_loss, one.spec_entropy, one.parameters});
  }
  for (const Group& group : panel.groups) {
    const Spread top1 = spread_of(group, [](const Run& run) { return run.test ? run.test->accuracy : kUnknown; });
    const Spread loss = spread_of(group, [](const Run& run) { return run.test ? run.test->loss : kUnknown; });
    const Spread entropy = spread_of(group, router_metric("spec_entropy_mean"));
    const double parameters = spread_of(group, parameters_of).mean;
    table.rows.push_back({{capitalised(group.label), our_source(group), with_spread(in_percent(top1), 2),
                           with_spread(loss, 2), with_spread(entropy, 2), short_count(parameters)}});
    table.data.add({group.label, our_source(group), top1.mean, loss.mean, entropy.mean, parameters});
  }
  return table;
}

/// Time for one picture, of the fastest way that it was measured in.
struct OneImage {
  double ms = kUnknown, std_ms = kUnknown;
  std::string way;
};

OneImage one_image(const Group& group) {
  OneImage best;
  for (const Run* run : group.runs) {
    if (!run->efficiency) continue;
    for (const Timing& timing : run->efficiency->rows) {
      if (timing.batch != 1 || timing.mean_ms >= best.ms) continue;
      best = {timing.mean_ms, timing.std_ms, timing.engine + (timing.dispatch == "-" ? "" : " " + timing.dispatch)};
    }
  }
  return best;
}

std::string latency_text(const OneImage& one) {
  if (!std::isfinite(one.ms)) return kDash;
  return fixed(one.ms, 2) + " (" + fixed(one.std_ms, 2) + ")" + (one.way.empty() ? "" : ", " + one.way);
}

void add_our_router(const Group& group, Table& table) {
  const OneImage latency = one_image(group);
  const Spread entropy = spread_of(group, router_metric("entropy_norm_mean"));
  const Spread imbalance = spread_of(group, router_metric("imbalance_mean"));
  const Spread drops = spread_of(group, router_metric("drop_rate"));
  const Spread ratio = spread_of(group, router_metric("mean_capacity_ratio_mean"));
  table.rows.push_back(
      {{capitalised(group.label), our_source(group), kDash, latency_text(latency), with_spread(entropy, 2),
        with_spread(imbalance, 2), with_spread(drops, 3), with_spread(ratio, 2)}});
  table.data.add({group.label, our_source(group), kUnknown, latency.ms, latency.std_ms, entropy.mean, imbalance.mean,
                  drops.mean, ratio.mean});
}

Table router_table(const Panel& panel) {
  Table table{"patch-table-2",
              "Second table: latency of one picture, and the routers",
              {{"model", false},
               {"source", false},
               {"top-1 of 101 pictures, %"},
               {"latency, ms (std)"},
               {"entr_norm"},
               {"imbalance"},
               {"drop_rate"},
               {"cap_ratio"}},
              {},
              Csv({"model", "source", "subset_top1", "latency_ms", "latency_std_ms", "entropy_norm", "imbalance",
                   "drop_rate", "capacity_ratio"})};
  const Published& all = published();
  const std::string source = published_source(all.patches_size);
  for (const PublishedPatches& one : all.patches) {
    table.rows.push_back(
        {{one.name, source, fixed(100 * one.subset_top1, 2), latency_text({one.latency_ms, one.latency_std_ms, ""}),
          fixed(one.entropy_norm, 2), fixed(one.imbalance, 2), fixed(one.drop_rate, 2), fixed(one.capacity_ratio, 2)},
         true});
    table.data.add({one.name, source, one.subset_top1, one.latency_ms, one.latency_std_ms, one.entropy_norm,
                    one.imbalance, one.drop_rate, one.capacity_ratio});
  }
  for (const Group& group : panel.groups) add_our_router(group, table);
  return table;
}

}  // namespace

void add_published_patches(const Panel& panel, Page& page) {
  page.paragraph("Published: " + published().patches_source +
                 ". Its top-1 of 101 pictures moves by 0.99 points a picture; ours is the whole test set above.");
  page.table(accuracy_table(panel));
  page.table(router_table(panel));
  if (!panel.any([](const Run& run) { return run.efficiency.has_value(); })) {
    page.missing("Our latency is not there yet: `trainer analyze RUN efficiency` measures it.");
  }
}

}  // namespace moefb::report
