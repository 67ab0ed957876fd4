#include "converter/convert.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>

#include "converter/atomic_file.h"
#include "converter/build_model.h"
#include "converter/config.h"
#include "converter/draw_golden.h"
#include "converter/golden.h"
#include "converter/moefb_file.h"
#include "converter/safetensors.h"
#include "converter/state_dict.h"
#include "converter/trainer_golden.h"
#include "moefb/inspect.h"

namespace moefb::convert {
namespace {

namespace fs = std::filesystem;

constexpr double kBf16Limit = 5e-2;  // of max|reference|, given the routes: design.md, section 6

struct Inputs {
  std::string weights;
  std::string config;
  std::string golden;  ///< empty: none
};

Inputs locate(const Options& options) {
  const fs::path source = options.source;
  if (!fs::exists(source)) throw std::runtime_error(options.source + ": no such file or run folder");
  const bool run = fs::is_directory(source);
  const fs::path folder = run ? source : source.parent_path();
  Inputs inputs;
  inputs.weights = run ? (folder / "model.safetensors").string() : options.source;
  inputs.config = options.config.empty() ? (folder / "config.json").string() : options.config;
  // Beside a single file it might belong to other weights.
  if (run && fs::exists(folder / "golden.safetensors")) inputs.golden = (folder / "golden.safetensors").string();
  if (options.config.empty() && !fs::exists(inputs.config)) {
    throw std::runtime_error(inputs.config + ": no such file; name the configuration with --config");
  }
  return inputs;
}

/// Writing must not destroy what was read.
void refuse_overwriting(const Inputs& inputs, const std::string& output) {
  for (const std::string& input : {inputs.weights, inputs.config, inputs.golden}) {
    std::error_code ignored;
    if (!input.empty() && fs::equivalent(input, output, ignored)) {
      throw std::runtime_error(output + ": the output is the input " + input);
    }
  }
}

/// "3.1e-07"
std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", value);
  return text;
}

double largest(const std::vector<float>& values) {
  double max = 0;
  for (const float v : values) max = std::max(max, std::fabs(double(v)));
  return max;
}

/// bf16 weights answer a little differently than the trainer did: how much is checked here, the file gets a vector of
/// its own.
void compare_rounded(const std::vector<std::byte>& file, const GoldenData& trainer, Report& report) {
  const Model model = load(file, Kernels::kReference, trainer.batch);
  const double error = error_given_routes(model, trainer);
  const double limit = kBf16Limit * largest(trainer.logits);
  if (!(error <= limit)) {
    throw std::runtime_error("with bf16 weights the logits are off the trainer's by " + scientific(error) +
                             ", expected at most " + scientific(limit));
  }
  report.notes.push_back("bf16 weights: logits within " + scientific(error) + " of the trainer's (limit " +
                         scientific(limit) + ")");
}

/// The vector for the file: the trainer's for f32 weights, if there is one; else our own.
GoldenData choose_golden(const std::vector<std::byte>& file, const Inputs& inputs, WeightDtype dtype, Report& report) {
  const uint64_t multiply_adds = file_info(load(file, Kernels::kReference, 1)).multiply_adds;
  const Model model = load(file, Kernels::kReference, golden_batch(multiply_adds));
  if (!inputs.golden.empty()) {
    GoldenData trainer = read_trainer_golden(inputs.golden, model);
    if (dtype == WeightDtype::kF32) return trainer;
    compare_rounded(file, trainer, report);
  }
  GoldenData golden = draw_golden(model);
  if (!golden.margins_hold) {
    report.warnings.push_back("golden vector: no seed kept every route off an edge; seed " +
                              std::to_string(golden.seed) + " came closest (lead " + scientific(golden.top1_margin) +
                              ")");
  }
  return golden;
}

/// The file runs its vector as it will on the user's machine.
void prove(const std::vector<std::byte>& file, int batch, Kernels kernels, const char* name, Report& report) {
  const Model model = load(file, kernels, batch);
  for (int i = 0; i < model.golden_count(); ++i) {
    const Result<GoldenReport> result = check_golden(model, i);
    check(result.status(), "the converted model does not run its golden vector");
    const std::string what = std::string("golden vector ") + std::to_string(i) + ", from the " +
                             (model.golden(i).from_trainer ? "trainer" : "reference kernels") + ", kernels " + name +
                             ": logits within " + scientific(result->max_error) + " (limit " +
                             scientific(result->limit) + "), " + std::to_string(result->routes_differ) + " of " +
                             std::to_string(result->routes) + " routes differ";
    if (!result->passed()) throw std::runtime_error("the converted model fails its " + what);
    report.notes.push_back(what);
  }
}

std::vector<std::byte> convert_to_bytes(const Inputs& inputs, const Options& options, Report& report) {
  const Config config = read_config(inputs.config);
  report.warnings = config.warnings;
  StateDict weights(safetensors::read(inputs.weights), inputs.weights);
  BuiltModel built = build_model(config, weights, options.dtype);
  std::vector<std::byte> file = to_file(built);
  if (!options.with_golden) {
    load(file, Kernels::kAuto, 1);
    return file;
  }
  const GoldenData golden = choose_golden(file, inputs, options.dtype, report);
  attach_golden(golden, load(file, Kernels::kReference, 1), built);
  file = to_file(built);
  prove(file, golden.batch, Kernels::kAuto, "auto", report);
  prove(file, golden.batch, Kernels::kReference, "reference", report);
  return file;
}

}  // namespace

std::vector<std::byte> convert_to_memory(const Options& options, Report& report) {
  const Inputs inputs = locate(options);
  refuse_overwriting(inputs, options.output);
  report.weights_used = inputs.weights;
  report.config_used = inputs.config;
  std::vector<std::byte> file = convert_to_bytes(inputs, options, report);
  report.file_bytes = file.size();
  return file;
}

Report convert(const Options& options) {
  Report report;
  write_file_atomically(options.output, convert_to_memory(options, report));
  return report;
}

}  // namespace moefb::convert
