#include "apps/moe-infer/selftest.h"

#include <algorithm>

#include "apps/common/model_files.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "moefb/inspect.h"

namespace moefb::infer {
namespace {

/// The model made ready for its largest golden vector, whose batch only the file knows.
Model load_for_goldens(const Flags& flags) {
  LoadOptions options = flags.load;
  const Model model = apps::load_model(flags.model, options);
  for (int i = 0; i < model.golden_count(); ++i) options.max_batch = std::max(options.max_batch, model.golden(i).batch);
  return options.max_batch == flags.load.max_batch ? model : apps::load_model(flags.model, options);
}

std::string report_text(int index, const GoldenVector& vector, const GoldenReport& report) {
  std::string text = apps::format("golden vector %d: %s, error %.1e (limit %.1e)", index,
                                  report.passed() ? "passed" : "FAILED", report.max_error, report.limit);
  if (report.routes > 0) {
    text += apps::format(", %lld of %lld routes differ", (long long)(report.routes_differ), (long long)(report.routes));
  }
  return text + apps::format(", batch %d, seed %llu, from the %s\n", vector.batch, (unsigned long long)(vector.seed),
                             vector.from_trainer ? "trainer" : "reference kernels");
}

}  // namespace

bool run_selftest(const Flags& flags) {
  const Model model = load_for_goldens(flags);
  if (model.golden_count() == 0) {
    apps::complain(flags.model + ": holds no golden vectors, so there is nothing to test");
    return false;
  }
  ExecutorOptions options = flags.executor;
  options.dispatch = Dispatch::kGrouped;
  options.capacity_group.reset();
  bool all_passed = true;
  for (int i = 0; i < model.golden_count(); ++i) {
    const Result<GoldenReport> report = check_golden(model, i, options);
    apps::check(report.status(), flags.model);
    apps::print_note(report_text(i, model.golden(i), *report), flags.json);
    all_passed = all_passed && report->passed();
  }
  return all_passed;
}

}  // namespace moefb::infer
