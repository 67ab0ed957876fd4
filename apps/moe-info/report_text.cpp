#include <algorithm>
#include <utility>
#include <vector>

#include "apps/common/model_files.h"
#include "apps/common/names.h"
#include "apps/common/table.h"
#include "apps/common/text.h"
#include "apps/moe-info/report.h"

namespace moefb::info {
namespace {

using apps::format;
using apps::Table;
using apps::with_commas;

/// "circle, square, ..." or, without names, "class 0, class 1, ...".
std::string class_list(const Model& model) {
  std::string text;
  for (int c = 0; c < model.classes(); ++c) {
    text += (c == 0 ? "" : ", ") + apps::printable(apps::class_text(model, c));
  }
  return text;
}

/// Breaks `text` at blanks into lines of at most `width` columns; a word longer than that stands alone.
std::vector<std::string> wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines(1);
  for (size_t from = 0; from < text.size();) {
    const size_t to = std::min(text.find(' ', from), text.size());
    const std::string word = text.substr(from, to - from);
    if (!lines.back().empty() && apps::columns(lines.back()) + 1 + apps::columns(word) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    from = to + 1;
  }
  return lines;
}

std::string resize_text(const Preprocessing& p) {
  const char* filter = p.filter == Filter::kBilinear ? "bilinear" : "bicubic";
  if (p.resize == ResizeRule::kStretch) return format("stretched to %d x %d, %s", p.height, p.width, filter);
  return format("shorter side to %d, %s, centre crop %d x %d", p.resize_to, filter, p.height, p.width);
}

std::string three(const float (&values)[3]) {
  return apps::short_number(values[0]) + ' ' + apps::short_number(values[1]) + ' ' + apps::short_number(values[2]);
}

std::string summary(const Report& report) {
  const Model& model = report.model;
  const FileInfo file = file_info(model);
  Table table("ll", 2);
  table.add(
      {"kind", apps::printable(file.kind) + (file.head.empty() ? "" : ", " + apps::printable(file.head) + " head")});
  table.add({"takes", apps::takes(model)});
  if (const Preprocessing* p = model.preprocessing()) {
    table.add({"", resize_text(*p)});
    table.add({"", "mean " + three(p->mean) + ", std " + three(p->stddev)});
  }
  std::string label = "answers";
  for (std::string& line : wrapped(std::to_string(model.classes()) + " classes: " + class_list(model), 96)) {
    table.add({std::exchange(label, ""), std::move(line)});
  }
  table.add({"made by", format("%s, format version %u", apps::printable(file.producer).c_str(), file.format_version)});
  return apps::printable(report.path) + '\n' + table.text();
}

std::string stage_label(const StageInfo& stage) {
  std::string label(stage.op);
  if (!stage.activation.empty() && stage.activation != "none") label.append(" ").append(stage.activation);
  if (stage.published_layer >= 0) label += format(", layer %d", stage.published_layer);
  return label;
}

std::string graph(const Model& model) {
  Table table("rlllrr", 2);
  table.add({"", "stage", "output", "name", "parameters", "multiply-adds"});
  uint64_t parameters = 0;
  uint64_t multiply_adds = 0;
  for (int i = 0; i < stage_count(model); ++i) {
    const StageInfo stage = stage_info(model, i);
    table.add({std::to_string(i), stage_label(stage), apps::shape_text(stage.output), apps::printable(stage.name),
               with_commas(stage.parameters), with_commas(stage.multiply_adds)});
    parameters += stage.parameters;
    multiply_adds += stage.multiply_adds;
  }
  table.add({"", "as stored", "", "", with_commas(parameters), with_commas(multiply_adds)});
  return "\ngraph\n" + table.text();
}

std::string sizes(const Report& report) {
  const FileInfo file = file_info(report.model);
  const LoadOptions& load = report.model.options();
  Table table("lrl", 2);
  table.add({"parameters", with_commas(file.parameters), "as trained"});
  table.add({"active parameters", with_commas(file.active_parameters), "that one token meets"});
  table.add({"multiply-adds", with_commas(file.multiply_adds), "for one image"});
  table.add({"file", with_commas(file.file_bytes), format("bytes, weights in %s", apps::name_of(file.weight_dtype))});
  table.add({"arena", with_commas(report.arena_bytes),
             format("bytes at run time, batch %d, kernels %s", load.max_batch, apps::name_of(load.kernels))});
  return "\nsizes\n" + table.text();
}

std::string checksums(const Model& model) {
  Table table("llrl", 2);
  table.add({"graph", format("%08x", file_info(model).graph_crc32c)});
  for (int i = 0; i < segment_count(model); ++i) {
    const SegmentInfo s = segment_info(model, i);
    table.add(
        {std::string(s.kind), format("%08x", s.crc32c), with_commas(s.bytes), "bytes at " + with_commas(s.offset)});
  }
  return "\nchecksums (CRC32C, all verified)\n" + table.text();
}

std::string goldens(const Model& model) {
  Table table("rrrllr", 2);
  table.add({"", "batch", "seed", "from", "capacity group", "top-1 margin"});
  for (int i = 0; i < model.golden_count(); ++i) {
    const GoldenVector g = model.golden(i);
    table.add({std::to_string(i), std::to_string(g.batch), std::to_string(g.seed),
               g.from_trainer ? "trainer" : "reference kernels", apps::name_of(g.capacity_group),
               format("%.2e", double(g.top1_margin))});
  }
  return "\ngolden vectors\n" + (model.golden_count() > 0 ? table.text() : std::string("  none\n"));
}

}  // namespace

std::string report_text(const Report& report) {
  const Model& model = report.model;
  return summary(report) + graph(model) + "\nrouting\n" + routing_text(model) + sizes(report) + checksums(model) +
         goldens(model);
}

}  // namespace moefb::info
