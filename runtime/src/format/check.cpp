#include "format/check.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "format/fields.h"
#include "graph/def_use.h"
#include "graph/shapes.h"

namespace moefb::format {
namespace {

using graph::Graph;
using graph::Stage;

Status use_inputs(const Stage& stage, graph::DefUse& flow) noexcept {
  if (stage.is_moe) return flow.use(stage.moe.input);
  for (int input : stage.node.inputs) MOEFB_TRY(flow.use(input));
  return {};
}

Result<Shape> infer(const Stage& stage, const Graph& graph) noexcept {
  return stage.is_moe ? graph::infer(stage.moe, graph.values, graph.tensors)
                      : graph::infer(stage.node, graph.values, graph.tensors, 1);
}

Status check_stage(const Stage& stage, const Graph& graph, graph::DefUse& flow) noexcept {
  MOEFB_TRY(use_inputs(stage, flow));
  const auto shape = infer(stage, graph);
  if (!shape.ok()) return shape.status();
  MOEFB_TRY(flow.define(stage.output()));
  if (!(*shape == graph.values[size_t(stage.output())].shape)) {
    return corrupt("a value has another shape than its stage gives");
  }
  return {};
}

Status check_flow(const Graph& graph) {
  graph::DefUse flow(graph.values.size());
  MOEFB_TRY(flow.define(graph.input));
  for (size_t i = 0; i < graph.stages.size(); ++i) {
    if (const Status s = check_stage(graph.stages[i], graph, flow); !s.ok()) return s.at(int64_t(i));
  }
  MOEFB_TRY(flow.use(graph.output));
  return flow.finish();
}

/// Traces are found by name, so two things may not share one.
Status check_names(const Graph& graph) {
  std::vector<std::string_view> names;
  for (const graph::Value& value : graph.values) {
    if (!value.name.empty()) names.push_back(value.name);
  }
  std::sort(names.begin(), names.end());
  const bool unique = std::adjacent_find(names.begin(), names.end()) == names.end();
  return unique ? Status() : corrupt("two values have one name");
}

Status check_published_layers(const Graph& graph) {
  std::vector<int> layers;
  for (const Stage& stage : graph.stages) {
    if (stage.is_moe) layers.push_back(stage.moe.published_layer);
  }
  std::sort(layers.begin(), layers.end());
  const auto twice = std::adjacent_find(layers.begin(), layers.end());
  return twice == layers.end() ? Status() : corrupt("two MoE layers have one published index").values(*twice, -1);
}

Status check_preprocessing(const Graph& graph, const Shape& input) noexcept {
  if (graph.meta.input_kind != InputKind::kPicture) {
    return graph.has_preprocessing ? corrupt("a model that takes no pictures has preprocessing") : Status();
  }
  if (!graph.has_preprocessing) return corrupt("a model that takes pictures has no preprocessing");
  const Preprocessing& rule = graph.preprocessing;
  if (!(input == Shape{3, {3, rule.height, rule.width}})) {
    return corrupt("preprocessing makes pictures of another size than the model takes");
  }
  return {};
}

Status check_input(const Graph& graph) noexcept {
  const Shape& input = graph.values[size_t(graph.input)].shape;
  const int rank = graph.meta.input_kind == InputKind::kFeatures ? 1 : 3;
  if (input.rank != rank) return corrupt("the input's shape is not of its kind").values(input.rank, rank);
  return check_preprocessing(graph, input);
}

Status check_output(const Graph& graph) noexcept {
  const Shape& output = graph.values[size_t(graph.output)].shape;
  if (output.rank != 1) return corrupt("the model's output is not a vector of classes").values(output.rank, 1);
  const auto names = int64_t(graph.meta.class_names.size());
  if (names != 0 && names != output[0]) {
    return corrupt("there are not as many class names as classes").values(names, output[0]);
  }
  return {};
}

}  // namespace

Status check_graph(const Graph& graph) {
  MOEFB_TRY(check_flow(graph));
  MOEFB_TRY(check_names(graph));
  MOEFB_TRY(check_published_layers(graph));
  MOEFB_TRY(check_input(graph));
  return check_output(graph);
}

}  // namespace moefb::format
