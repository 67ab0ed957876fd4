#include "apps/moe-infer/routing_image.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "apps/common/program.h"
#include "apps/common/text.h"
#include "apps/moe-infer/drawing/png.h"
#include "apps/moe-infer/drawing/routing_sheet.h"
#include "apps/moe-infer/trace.h"
#include "converter/atomic_file.h"
#include "moefb/inspect.h"

namespace moefb::infer {
namespace {

// Of the longer side of a view. Below, numbers in the patches are hard to read; above, the file is large for nothing.
constexpr double kSmallestView = 360;
constexpr double kLargestView = 640;

std::string file_name(const std::string& path) {
  return apps::printable(std::filesystem::path(path).filename().string());
}

/// Pixels of the picture for one of the model's input, after the model's own resizing.
double picture_pixels_per_input(const Image& image, const Preprocessing& rule) {
  if (rule.resize == ResizeRule::kShorterSide) return double(std::min(image.width, image.height)) / rule.resize_to;
  return std::max(double(image.width) / rule.width, double(image.height) / rule.height);
}

/// The model's rule at another resolution: what the model sees, as large as it is in the picture if that is sensible.
/// @param columns  of patches: the width becomes a multiple of it, so that all are equally wide
Preprocessing view_rule(const Image& image, Preprocessing rule, int64_t columns) {
  const double longer = std::max(rule.width, rule.height);
  const double side = std::clamp(longer * picture_pixels_per_input(image, rule), kSmallestView, kLargestView);
  const double width = std::max(1.0, std::round(side * rule.width / longer));
  const double even_width = columns < width ? width - std::fmod(width, double(columns)) : width;
  const double scale = even_width / rule.width;
  rule.width = int(even_width);
  rule.height = std::max(1, int(std::lround(rule.height * scale)));
  rule.resize_to = std::max(1, int(std::lround(rule.resize_to * scale)));
  return rule;
}

drawing::ExpertMap expert_map(const Executor& executor, const StageInfo& stage) {
  const std::string prefix = "layer" + std::to_string(stage.published_layer) + ".";
  drawing::ExpertMap map;
  map.layer = stage.published_layer;
  map.channels = stage.output[0];
  map.height = stage.output[1];
  map.width = stage.output[2];
  map.patch = stage.router.patch;
  map.rows = stage.router.rows;
  map.columns = stage.router.columns;
  map.cell = double(stage.router.patch) * double(stage.router.stride);
  map.experts = stage.router.experts;
  map.capacity = trace_values<int64_t>(executor, prefix + "capacity").at(0);
  map.expert = trace_values<int64_t>(executor, prefix + "assigned_expert");
  return map;
}

std::vector<drawing::ExpertMap> expert_maps(const Executor& executor) {
  std::vector<drawing::ExpertMap> maps;
  for (int i = 0; i < stage_count(executor.model()); ++i) {
    const StageInfo stage = stage_info(executor.model(), i);
    if (stage.is_moe && stage.published_layer >= 0) maps.push_back(expert_map(executor, stage));
  }
  return maps;
}

drawing::RoutingSheet routing_sheet(const Executor& executor, const Image& image, const Answer& answer,
                                    const std::string& model_path) {
  const Preprocessing& rule = *executor.model().preprocessing();
  drawing::RoutingSheet sheet;
  sheet.layers = expert_maps(executor);
  sheet.title = apps::printable(answer.top.front().name);
  sheet.title_note = apps::format("%.1f %%", 100.0 * double(answer.top.front().probability));
  sheet.caption = file_name(answer.picture) + "  \xc2\xb7  " + file_name(model_path) + "  \xc2\xb7  " +
                  apps::count_text(uint64_t(sheet.layers.front().experts), "expert");
  sheet.input_height = rule.height;
  sheet.input_width = rule.width;
  const Preprocessing view = view_rule(image, rule, sheet.layers.front().columns);
  sheet.view_height = view.height;
  sheet.view_width = view.width;
  sheet.view.resize(size_t(view.height) * size_t(view.width) * 3);
  apps::check(resize_and_crop(image, view, sheet.view), answer.picture);
  return sheet;
}

}  // namespace

void check_draws_patches(const Model& model, const std::string& path) {
  bool routes = false;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    routes = routes || stage.is_moe;
    if (stage.is_moe && stage.published_layer >= 0) return;
  }
  throw std::runtime_error(path + (routes ? ": its router sends whole pictures" : ": it has no router") +
                           ", so there are no patches to draw: --routing-image needs a patch network");
}

std::string routing_image_file(const std::string& file, size_t index, size_t count) {
  if (count == 1) return file;
  std::filesystem::path numbered(file);
  numbered.replace_filename(numbered.stem().string() + '-' + std::to_string(index + 1) + numbered.extension().string());
  return numbered.string();
}

void write_routing_image(const std::string& file, const Executor& executor, const Image& image, const Answer& answer,
                         const std::string& model_path) {
  const drawing::Canvas canvas = draw_routing_sheet(routing_sheet(executor, image, answer, model_path));
  write_file_atomically(file, drawing::encode_png(canvas));
}

}  // namespace moefb::infer
