#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/common/names.h"
#include "apps/common/text.h"
#include "apps/moe-info/report.h"

namespace moefb::info {
namespace {

using Json = nlohmann::ordered_json;

/// The double whose shortest text is the float's: 0.85 and not 0.8500000238418579.
double shown(float value) {
  return std::strtod(apps::short_number(value).c_str(), nullptr);
}

Json numbers(const float (&values)[3]) {
  return {shown(values[0]), shown(values[1]), shown(values[2])};
}

Json dims(const Shape& shape) {
  return std::vector<int64_t>(shape.dims, shape.dims + shape.rank);
}

std::string checksum(uint32_t crc) {
  return apps::format("%08x", crc);
}

Json preprocessing(const Preprocessing* p) {
  if (p == nullptr) return nullptr;
  return {{"height", p->height},
          {"width", p->width},
          {"resize", p->resize == ResizeRule::kStretch ? "stretch" : "shorter_side"},
          {"resize_to", p->resize_to},
          {"filter", p->filter == Filter::kBilinear ? "bilinear" : "bicubic"},
          {"mean", numbers(p->mean)},
          {"std", numbers(p->stddev)}};
}

Json routing(const RouterInfo& r) {
  return {{"kind", r.kind},
          {"experts", r.experts},
          {"k", r.top_k},
          {"patch", r.patch},
          {"tokens_per_image", r.tokens_per_image},
          {"features", r.features},
          {"temperature", shown(r.temperature)},
          {"capacity_factor", r.capacity_factor},
          {"capacity_group", apps::name_of(r.capacity_group)},
          {"mask_rule", r.mask_rule},
          {"combine_weight", r.combine},
          {"drop_policy", r.drop_policy},
          {"crop_padding", r.crop_padding},
          {"expert_body", r.expert_body},
          {"expert_parameters", r.expert_parameters}};
}

Json layer(const StageInfo& stage) {
  Json json = {{"op", stage.op},
               {"name", stage.name},
               {"activation", stage.activation},
               {"output", dims(stage.output)},
               {"parameters", stage.parameters},
               {"multiply_adds", stage.multiply_adds}};
  if (!stage.is_moe) return json;
  if (stage.published_layer >= 0) json["published_layer"] = stage.published_layer;
  json["routing"] = routing(stage.router);
  return json;
}

Json layers(const Model& model) {
  Json list = Json::array();
  for (int i = 0; i < stage_count(model); ++i) list.push_back(layer(stage_info(model, i)));
  return list;
}

Json segments(const Model& model) {
  Json list = Json::array();
  for (int i = 0; i < segment_count(model); ++i) {
    const SegmentInfo s = segment_info(model, i);
    list.push_back({{"kind", s.kind}, {"offset", s.offset}, {"bytes", s.bytes}, {"crc32c", checksum(s.crc32c)}});
  }
  return list;
}

Json goldens(const Model& model) {
  Json list = Json::array();
  for (int i = 0; i < model.golden_count(); ++i) {
    const GoldenVector g = model.golden(i);
    list.push_back({{"batch", g.batch},
                    {"seed", g.seed},
                    {"origin", g.from_trainer ? "trainer" : "reference"},
                    {"capacity_group", apps::name_of(g.capacity_group)},
                    {"top1_margin", shown(g.top1_margin)},
                    {"capacity_margin", shown(g.capacity_margin)}});
  }
  return list;
}

Json class_names(const Model& model) {
  Json list = Json::array();
  for (int c = 0; c < model.classes(); ++c) list.push_back(apps::class_text(model, c));
  return list;
}

}  // namespace

std::string report_json(const Report& report) {
  const Model& model = report.model;
  const FileInfo file = file_info(model);
  const LoadOptions& load = model.options();
  const Json json = {{"file", report.path},
                     {"file_bytes", file.file_bytes},
                     {"format_version", file.format_version},
                     {"producer", file.producer},
                     {"kind", file.kind},
                     {"head", file.head},
                     {"weight_dtype", apps::name_of(file.weight_dtype)},
                     {"input", {{"takes", apps::name_of(model.input_kind())}, {"shape", dims(model.input_shape())}}},
                     {"preprocessing", preprocessing(model.preprocessing())},
                     {"classes", model.classes()},
                     {"class_names", class_names(model)},
                     {"parameters", file.parameters},
                     {"active_parameters", file.active_parameters},
                     {"multiply_adds", file.multiply_adds},
                     {"max_batch", load.max_batch},
                     {"kernels", apps::name_of(load.kernels)},
                     {"arena_bytes", report.arena_bytes},
                     {"capacity_group", apps::name_of(model.capacity_group())},
                     {"layers", layers(model)},
                     {"checksums", {{"graph", checksum(file.graph_crc32c)}, {"segments", segments(model)}}},
                     {"golden_vectors", goldens(model)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace moefb::info
