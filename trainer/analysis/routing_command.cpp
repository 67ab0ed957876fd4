#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include "trainer/analysis/example_sheets.h"
#include "trainer/analysis/picture_choice.h"
#include "trainer/analysis/results.h"
#include "trainer/analysis/routing.h"
#include "trainer/analysis/routing_tables.h"
#include "trainer/train/counted.h"

namespace moefb::trainer {
namespace {

/// `wanted` test pictures in the order of the set; 0: all.
std::vector<int64_t> test_pictures(const TrainedRun& run, int64_t wanted, uint64_t seed) {
  const int64_t available = run.dataset.test.size();
  std::vector<int64_t> pictures = draw_pictures(available, wanted > 0 ? wanted : available, seed);
  std::ranges::sort(pictures);
  return pictures;
}

void add_specialisation(RoutingReport& report, const AnalyzeCommand& command) {
  for (const RoutedLayer& layer : report.layers) {
    report.specialisation.push_back(specialisation(picture_table(layer.choices), report.labels, report.classes(),
                                                   command.routing.permutations, command.seed));
  }
}

/// @return false if it was stopped
bool add_stability(const TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop,
                   RoutingReport& report) {
  const std::vector<SavedWeights> saved = saved_weights(run.folder);
  if (saved.size() < 2) return true;
  const std::vector<int64_t> pictures = test_pictures(run, command.routing.stability_pictures, command.seed);
  report.stability_pictures = int64_t(pictures.size());
  const SavedWeights kept = kept_weights(run.folder);
  const auto at_the_end =
      choices_with(run, kept.file, pictures, shown_watch("routing of " + kept.file, "picture", stop));
  if (!at_the_end) return false;
  std::vector<LayerChoices> before;
  for (size_t i = 0; i < saved.size(); ++i) {
    auto now = choices_with(run, saved[i].file, pictures, shown_watch("routing of " + saved[i].file, "picture", stop));
    if (!now) return false;
    if (i > 0) report.stability.push_back({saved[i - 1], saved[i], stability(before, *now)});
    report.stability_to_kept.push_back({saved[i], kept, stability(*now, *at_the_end)});
    before = std::move(*now);
  }
  return true;
}

/// What the kept weights do. @return nothing if it was stopped
std::optional<RoutingReport> report_on(const TrainedRun& run, const AnalyzeCommand& command,
                                       const std::vector<int64_t>& pictures, const std::function<bool()>& stop) {
  const auto recorder =
      record_routing(run, *run.network, pictures, shown_watch("routing of test pictures", "picture", stop));
  if (!recorder) return std::nullopt;
  RoutingReport report;
  report.kind = std::holds_alternative<PatchNetConfig>(run.config.model) ? "patch_net" : "cifar_e2e";
  report.class_names = run.dataset.class_names;
  for (const int64_t picture : pictures) report.labels.push_back(run.dataset.test.labels[size_t(picture)]);
  report.layers = recorder->layers();
  report.router = recorder->router_metrics();
  add_specialisation(report, command);
  return report;
}

/// Whether there is anything to analyse.
bool has_routing(const TrainedRun& run, const AnalyzeCommand& command) {
  if (RoutingRecorder::has_experts(run.config.model)) return true;
  const std::string what = run.folder.path() + ": its network has no experts, so nothing is routed";
  if (!command.analyses.empty()) throw std::runtime_error(what);
  std::printf("%s\n", what.c_str());
  return false;
}

}  // namespace

bool analyze_routing(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop) {
  if (!has_routing(run, command)) return true;
  const std::vector<int64_t> pictures = test_pictures(run, command.pictures, command.seed);
  std::optional<RoutingReport> report = report_on(run, command, pictures, stop);
  if (!report || !add_stability(run, command, stop, *report)) return false;
  const auto sheets =
      draw_example_sheets(run, report->layers, pictures, shown_watch("sheets of examples", "expert", stop));
  if (!sheets) return false;
  for (const DrawnSheet& sheet : *sheets) report->examples.push_back(sheet.entry);

  write_example_sheets(*sheets, analysis_folder(run.folder));
  const std::string path = write_results(run.folder, "routing", to_json(*report));
  std::printf("%srouting written to %s, beside it %s of examples\n", describe(*report).c_str(), path.c_str(),
              counted(int64_t(sheets->size()), "sheet").c_str());
  return true;
}

}  // namespace moefb::trainer
