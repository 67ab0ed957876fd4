#include "trainer/report/read_analysis.h"

#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"
#include "trainer/report/fields.h"
#include "trainer/report/number_text.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t kFormat = 1;

void check_format(const Fields& file) {
  if (file.integer("format") != kFormat) file.fail("format", std::to_string(kFormat) + ", which this program reads");
}

/// @param length  of the list `key`; fails unless it is `expected`, the length of the list `other`
void check_length(const Fields& fields, const std::string& key, size_t length, const std::string& other,
                  size_t expected) {
  if (length != expected) {
    fields.fail(key,
                std::to_string(expected) + " entries, as many as " + other + " has, not " + std::to_string(length));
  }
}

// ---- hessian.json ----

LossCurve read_curve(const Fields& fields) {
  LossCurve curve{fields.text("direction"), fields.numbers("alphas"), fields.numbers("losses"),
                  fields.numbers_if_any("accuracies")};
  check_length(fields, "losses", curve.losses.size(), "alphas", curve.alphas.size());
  if (!curve.accuracies.empty()) {
    check_length(fields, "accuracies", curve.accuracies.size(), "alphas", curve.alphas.size());
  }
  return curve;
}

LossSurface read_surface(const Fields& fields) {
  LossSurface surface{fields.text("x"), fields.text("y"), fields.numbers("alphas"), fields.numbers("betas"),
                      fields.matrix("losses")};
  check_length(fields, "losses", surface.losses.rows, "betas", surface.betas.size());
  check_length(fields, "losses", surface.losses.columns, "alphas", surface.alphas.size());
  return surface;
}

Density read_density(const Fields& fields) {
  Density density{fields.numbers("lambda"), fields.numbers("density"), fields.number_if_any("sigma")};
  check_length(fields, "density", density.density.size(), "lambda", density.lambda.size());
  return density;
}

std::map<std::string, Trace> read_traces(const Fields& fields) {
  std::map<std::string, Trace> traces;
  for (const std::string name : {"hutchinson", "hutch++"}) {
    if (!fields.has(name)) continue;
    const Fields trace = fields.object(name);
    traces[name] = {trace.number("mean"), trace.number_if_any("standard_error"), trace.integer_if_any("samples", 0)};
  }
  return traces;
}

Curvature read_curvature(const Fields& fields) {
  Curvature curvature;
  curvature.pictures = fields.integer_if_any("pictures", 0);
  curvature.loss = fields.number_if_any("loss");
  curvature.accuracy = fields.number_if_any("accuracy");
  curvature.eigenvalues = fields.numbers_if_any("eigenvalues");
  curvature.method = fields.text_if_any("method");
  if (fields.has("trace")) curvature.traces = read_traces(fields.object("trace"));
  if (fields.has("density")) curvature.density = read_density(fields.object("density"));
  for (const Fields& curve : fields.objects_if_any("curves")) curvature.curves.push_back(read_curve(curve));
  for (const Fields& surface : fields.objects_if_any("surfaces")) curvature.surfaces.push_back(read_surface(surface));
  return curvature;
}

/// "all", or the prefixes of the parameters that count.
std::string read_selection(const Fields& file) {
  if (file.has("selection") && file.json().at("selection").is_string()) return file.text("selection");
  return listed(file.texts_if_any("selection"));
}

Hessian read_hessian(const Fields& file) {
  Hessian hessian;
  hessian.routing = file.text_if_any("routing");
  hessian.selection = read_selection(file);
  hessian.parameters = file.integer_if_any("parameters", 0);
  const Fields subsets = file.object("subsets");
  for (const std::string name : {"train", "test"}) {
    if (subsets.has(name)) hessian.subsets[name] = read_curvature(subsets.object(name));
  }
  return hessian;
}

// ---- routing.json ----

Specialisation read_specialisation(const Fields& fields) {
  return {fields.number("mutual_information_bits"), fields.number_if_any("of_at_most"),
          fields.number_if_any("chance_mean"), fields.number_if_any("chance_p95"), fields.number_if_any("p_value")};
}

void read_grid(const Fields& fields, LayerRouting& layer) {
  layer.position_expert = fields.matrix_if_any("position_expert");
  if (layer.position_expert.empty()) return;
  const std::vector<double> grid = fields.numbers("grid");
  if (grid.size() != 2 || !(grid[0] >= 1 && grid[1] >= 1) || grid[0] * grid[1] != double(layer.position_expert.rows)) {
    fields.fail("grid", "rows and columns of the " + std::to_string(layer.position_expert.rows) + " patches");
  }
  layer.grid_rows = int64_t(grid[0]);
  layer.grid_columns = int64_t(grid[1]);
}

LayerRouting read_layer(const Fields& fields) {
  LayerRouting layer;
  layer.layer = fields.integer("layer");
  layer.experts = fields.integer("experts");
  const size_t experts = size_t(layer.experts);
  layer.utilisation = fields.numbers_if_any("utilisation");
  layer.load = fields.numbers_if_any("load");
  layer.entropy = fields.number_if_any("entropy");
  layer.class_expert = fields.matrix_if_any("class_expert");
  layer.coactivation = fields.matrix_if_any("coactivation");
  if (fields.has("specialisation")) layer.specialisation = read_specialisation(fields.object("specialisation"));
  read_grid(fields, layer);
  for (const auto& [key, matrix] : {std::pair{"class_expert", &layer.class_expert},
                                    {"coactivation", &layer.coactivation},
                                    {"position_expert", &layer.position_expert}}) {
    if (!matrix->empty()) check_length(fields, key, matrix->columns, "experts", experts);
  }
  if (!layer.utilisation.empty()) check_length(fields, "utilisation", layer.utilisation.size(), "experts", experts);
  if (fields.has("router")) {
    fields.object("router").each_number([&](const std::string& name, double value) { layer.router[name] = value; });
  }
  return layer;
}

Stability read_stability(const Fields& fields) {
  Stability stability{fields.integer("from_epoch"), fields.integer("to_epoch"), {}};
  for (const Fields& layer : fields.objects_if_any("layers")) {
    stability.layers.push_back({layer.integer("layer"), layer.number("same")});
  }
  return stability;
}

RoutingStudy read_routing(const Fields& file, const std::string& folder) {
  RoutingStudy study;
  study.pictures = file.integer_if_any("pictures", 0);
  study.class_names = file.texts_if_any("class_names");
  for (const Fields& layer : file.objects_if_any("layers")) study.layers.push_back(read_layer(layer));
  for (const Fields& one : file.objects_if_any("transitions")) {
    study.transitions.push_back({one.integer("from"), one.integer("to"), one.matrix("share")});
  }
  for (const Fields& one : file.objects_if_any("stability")) study.stability.push_back(read_stability(one));
  for (const Fields& one : file.objects_if_any("examples")) {
    study.examples.push_back({one.integer("layer"), one.integer("expert"), folder + "/" + one.text("file")});
  }
  return study;
}

// ---- efficiency.json ----

Timing read_timing(const Fields& fields) {
  Timing timing;
  timing.engine = fields.text("engine");
  timing.dispatch = fields.text_if_any("dispatch");
  timing.kernels = fields.text_if_any("kernels");
  timing.device = fields.text_if_any("device");
  timing.threads = fields.integer_if_any("threads", 0);
  timing.batch = fields.integer("batch");
  timing.mean_ms = fields.number("mean_ms");
  timing.std_ms = fields.number_if_any("std_ms");
  timing.median_ms = fields.number_if_any("median_ms");
  timing.images_per_s = fields.number_if_any("images_per_s");
  timing.peak_mib = fields.number_if_any("peak_mib");
  return timing;
}

Efficiency read_efficiency(const Fields& file) {
  Efficiency efficiency;
  if (file.has("machine")) {
    const Fields machine = file.object("machine");
    efficiency.cpu = machine.text_if_any("cpu");
    efficiency.cores = machine.integer_if_any("cores", 0);
    efficiency.instruction_set = machine.text_if_any("instruction_set");
    efficiency.gpu = machine.text_if_any("gpu");
    efficiency.libtorch = machine.text_if_any("libtorch");
  }
  efficiency.protocol = file.text_if_any("protocol");
  efficiency.parameters = file.number_if_any("parameters");
  efficiency.active_parameters = file.number_if_any("active_parameters");
  efficiency.multiply_adds = file.number_if_any("multiply_adds");
  efficiency.f32_mib = file.number_if_any("f32_mib");
  for (const Fields& row : file.objects_if_any("rows")) efficiency.rows.push_back(read_timing(row));
  return efficiency;
}

/// @return nothing where there is no such file
template <typename Read>
auto read_if_there(const std::string& path, Read read) -> std::optional<decltype(read(std::declval<Fields>()))> {
  if (!fs::exists(path)) return std::nullopt;
  const std::vector<std::byte> bytes = read_file(path);
  const Json json = parse_json_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  const Fields file(json, path);
  check_format(file);
  return read(file);
}

}  // namespace

void read_analysis(Run& run) {
  const std::string folder = run.path + "/analysis";
  run.hessian = read_if_there(folder + "/hessian.json", read_hessian);
  run.routing = read_if_there(folder + "/routing.json", [&](const Fields& file) { return read_routing(file, folder); });
  run.efficiency = read_if_there(folder + "/efficiency.json", read_efficiency);
}

std::string Efficiency::machine() const {
  std::string text = cpu;
  if (cores > 0) text += ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores");
  if (!instruction_set.empty()) text += ", " + instruction_set;
  if (!gpu.empty()) text += (text.empty() ? "" : "; ") + gpu;
  return text;
}

}  // namespace moefb::report
