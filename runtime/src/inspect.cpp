#include "moefb/inspect.h"

#include <algorithm>
#include <cmath>

#include "buffer.h"
#include "graph/graph.h"
#include "graph/shapes.h"
#include "model_state.h"
#include "plan/plan.h"
#if MOEFB_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace moefb {
namespace {

using graph::Graph;
using graph::Node;

const Graph& graph_of(const Model& model) noexcept {
  return *model.state().graph;
}

std::string_view op_name(graph::Op op) noexcept {
  switch (op) {
    case graph::Op::kConv2d:
      return "conv2d";
    case graph::Op::kLinear:
      return "linear";
    case graph::Op::kMaxPool:
      return "max_pool";
    case graph::Op::kGlobalAveragePool:
      return "global_average_pool";
    case graph::Op::kGroupNorm:
      return "group_norm";
    case graph::Op::kAdd:
      return "add";
  }
  return "";
}

std::string_view activation_name(graph::Activation activation) noexcept {
  switch (activation) {
    case graph::Activation::kNone:
      return "";
    case graph::Activation::kRelu:
      return "relu";
    case graph::Activation::kSilu:
      return "silu";
  }
  return "";
}

std::string_view router_name(graph::RouterKind kind) noexcept {
  switch (kind) {
    case graph::RouterKind::kSoft:
      return "soft";
    case graph::RouterKind::kTopK:
      return "top-k";
    case graph::RouterKind::kPatchTop1:
      return "patch top-1";
  }
  return "";
}

uint64_t elements(const Graph& graph, int tensor) noexcept {
  return tensor < 0 ? 0 : uint64_t(graph.tensors[size_t(tensor)].shape.elements());
}

/// Of one expert where the node is part of a body.
uint64_t node_parameters(const Graph& graph, const Node& node) noexcept {
  return elements(graph, node.weight) + elements(graph, node.bias);
}

uint64_t node_multiply_adds(const Graph& graph, const Node& node, const std::vector<graph::Value>& values) noexcept {
  if (node.op != graph::Op::kConv2d && node.op != graph::Op::kLinear) return 0;
  const graph::Extent out = graph::extent(values[size_t(node.output)].shape);
  return elements(graph, node.weight) * uint64_t(out.h * out.w);
}

uint64_t router_parameters(const Graph& graph, const graph::Router& router) noexcept {
  return elements(graph, router.weight) + elements(graph, router.bias) + elements(graph, router.feature_norm.weight) +
         elements(graph, router.feature_norm.bias);
}

/// Pixels of the model's input from one pixel of a value's map to the next: the strides on its way, multiplied up.
int64_t input_stride(const Graph& graph, int value) noexcept {
  constexpr int64_t kMost = int64_t{1} << 30;  // a 1 x 1 map may be strided for ever
  int64_t stride = 1;
  for (auto stage = graph.stages.rbegin(); stage != graph.stages.rend(); ++stage) {
    if (stage->output() != value) continue;
    if (!stage->is_moe) stride = std::min(stride * stage->node.stride, kMost);
    value = stage->is_moe ? stage->moe.input : stage->node.inputs.front();
  }
  return stride;
}

/// The shape of an expert, for a person. Literals only: an inspector allocates nothing.
std::string_view body_name(const graph::ExpertBank& bank) noexcept {
  if (bank.body.front().op == graph::Op::kLinear) return bank.body.size() == 1 ? "linear" : "linear, relu, linear";
  return bank.body.back().op == graph::Op::kAdd ? "conv2d, group_norm, silu, conv2d, group_norm, add" : "conv2d";
}

RouterInfo describe_router(const Graph& graph, const graph::MoE& moe) noexcept {
  const graph::Router& router = moe.router;
  const graph::Extent input = graph::extent(graph.values[size_t(moe.input)].shape);
  const bool patches = router.kind == graph::RouterKind::kPatchTop1;
  RouterInfo info;
  info.kind = router_name(router.kind);
  info.experts = moe.bank.experts;
  info.top_k = router.top_k;
  info.patch = moe.patch;
  const graph::TokenGrid grid = graph::token_grid(input, moe.patch);
  info.tokens_per_image = grid.per_image();
  info.rows = grid.rows;
  info.columns = grid.columns;
  info.stride = input_stride(graph, moe.input);
  info.features = graph::router_features(router, input);
  info.temperature = router.temperature;
  info.capacity_factor = patches ? router.capacity_factor : 0;
  info.capacity_group = router.capacity_group;
  info.mask_rule = router.mask_rule == graph::MaskRule::kThreshold ? "threshold" : "index";
  info.combine = router.combine == graph::CombineRule::kPublished ? "published" : "gate";
  info.drop_policy = router.drop_policy == graph::DropPolicy::kResidual ? "residual" : "second_choice";
  info.expert_body = body_name(moe.bank);
  for (const Node& node : moe.bank.body) info.expert_parameters += node_parameters(graph, node);
  info.crop_padding = moe.crop_padding;
  return info;
}

StageInfo describe_moe(const Graph& graph, const graph::MoE& moe) noexcept {
  StageInfo info;
  info.op = "moe";
  info.is_moe = true;
  info.published_layer = moe.published_layer;
  info.router = describe_router(graph, moe);
  info.parameters = router_parameters(graph, moe.router) + elements(graph, moe.gamma) +
                    info.router.expert_parameters * uint64_t(moe.bank.experts);
  uint64_t per_route = 0;
  for (const Node& node : moe.bank.body) per_route += node_multiply_adds(graph, node, moe.bank.values);
  info.multiply_adds = uint64_t(info.router.tokens_per_image) *
                       (per_route * uint64_t(moe.router.top_k) + elements(graph, moe.router.weight));
  return info;
}

/// How close the kernels in use must come to a stored answer: design.md, section 6.
double relative_limit(const Graph& graph) noexcept {
  return graph.meta.kind == "patch_net" ? 5e-5 : 2e-5;
}

/// (tokens, K) routes of a layer; 2^40 at most: no such batch runs, and no sum of them overflows.
int64_t routes_of(const graph::MoE& moe, const Graph& graph, int64_t batch) noexcept {
  constexpr int64_t kHuge = int64_t{1} << 40;
  if (moe.router.kind == graph::RouterKind::kSoft) return 0;
  const plan::MoeSizes sizes = plan::moe_sizes(moe, graph.values, batch);
  int64_t routes = 0;
  return __builtin_mul_overflow(sizes.T, sizes.K, &routes) ? kHuge : std::min(routes, kHuge);
}

GoldenReport compare(const GoldenVector& golden, std::span<const float> logits, std::span<const int32_t> routes,
                     double relative) noexcept {
  GoldenReport report;
  double largest = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, double(std::fabs(golden.logits[i])));
    const double error = std::fabs(double(logits[i]) - double(golden.logits[i]));
    report.max_error = std::isfinite(error) ? std::max(report.max_error, error) : INFINITY;
  }
  report.limit = relative * largest;
  report.routes = int64_t(routes.size());
  for (size_t i = 0; i < routes.size(); ++i) report.routes_differ += routes[i] != golden.routes[i];
  return report;
}

}  // namespace

FileInfo file_info(const Model& model) noexcept {
  const Graph& graph = graph_of(model);
  FileInfo info;
  info.kind = graph.meta.kind;
  info.head = graph.meta.head;
  info.producer = graph.meta.producer;
  for (const graph::Tensor& tensor : graph.tensors) {
    if (tensor.dtype == Dtype::kBf16) info.weight_dtype = Dtype::kBf16;
  }
  info.format_version = graph.format_version;
  info.file_bytes = graph.file_bytes;
  info.graph_crc32c = graph.graph_crc32c;
  info.parameters = graph.meta.parameters;
  info.active_parameters = graph.meta.active_parameters;
  info.multiply_adds = graph.meta.multiply_adds;
  return info;
}

int segment_count(const Model& model) noexcept {
  return int(graph_of(model).segments.size());
}

SegmentInfo segment_info(const Model& model, int index) noexcept {
  constexpr std::string_view kKinds[] = {"weights", "golden", "packed"};
  const graph::Segment& segment = graph_of(model).segments[size_t(index)];
  return {kKinds[segment.kind], segment.offset, segment.bytes, segment.crc32c};
}

int stage_count(const Model& model) noexcept {
  return int(graph_of(model).stages.size());
}

StageInfo stage_info(const Model& model, int index) noexcept {
  const Graph& graph = graph_of(model);
  const graph::Stage& stage = graph.stages[size_t(index)];
  StageInfo info;
  if (stage.is_moe) {
    info = describe_moe(graph, stage.moe);
  } else {
    info.op = op_name(stage.node.op);
    info.activation = activation_name(stage.node.activation);
    info.parameters = node_parameters(graph, stage.node);
    info.multiply_adds = node_multiply_adds(graph, stage.node, graph.values);
  }
  const graph::Value& output = graph.values[size_t(stage.output())];
  info.name = output.name;
  info.output = output.shape;
  return info;
}

int64_t route_count(const Model& model, int batch) noexcept {
  int64_t count = 0;
  for (const graph::Stage& stage : graph_of(model).stages) {
    if (stage.is_moe) count += routes_of(stage.moe, graph_of(model), batch);
  }
  return count;
}

Result<GoldenReport> check_golden(const Model& model, int index, const ExecutorOptions& options) noexcept {
  if (index < 0 || index >= model.golden_count()) {
    return Status(Code::kInvalidArgument, "no such golden vector").values(index, model.golden_count());
  }
  const GoldenVector golden = model.golden(index);
  ExecutorOptions checked = options;
  checked.capacity_group = golden.capacity_group;
  checked.trace = Trace::kRouting;
  auto executor = Executor::create(model, checked);
  MOEFB_TRY(executor.status());
  const Buffer<float> logits = allocate<float>(int64_t(golden.logits.size()));
  const Buffer<int32_t> routes = allocate<int32_t>(int64_t(golden.routes.size()));
  if (logits == nullptr || routes == nullptr) return Status(Code::kOutOfMemory, "no memory");
  const std::span<float> answer(logits.get(), golden.logits.size());
  const std::span<int32_t> taken(routes.get(), golden.routes.size());
  MOEFB_TRY(executor->run(golden.input, answer));
  MOEFB_TRY(executor->read_routes(taken));
  return compare(golden, answer, taken, relative_limit(graph_of(model)));
}

const char* onednn_version() noexcept {
#if MOEFB_ONEDNN
#define MOEFB_TEXT_(x) #x
#define MOEFB_TEXT(x) MOEFB_TEXT_(x)
  return "oneDNN " MOEFB_TEXT(DNNL_VERSION_MAJOR) "." MOEFB_TEXT(DNNL_VERSION_MINOR) "." MOEFB_TEXT(DNNL_VERSION_PATCH);
#else
  return "";
#endif
}

const char* version() noexcept {
  return MOEFB_VERSION;
}

}  // namespace moefb
