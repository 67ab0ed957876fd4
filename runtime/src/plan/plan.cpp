#include "plan/plan.h"

#include <algorithm>

#include "graph/joined.h"
#include "graph/shapes.h"
#include "plan/arena.h"

namespace moefb::plan {
namespace {

using graph::Graph;
using graph::MoE;
using graph::Value;

/// Anything larger is refused as out of memory; low enough that no later sum overflows.
constexpr int64_t kHugeBytes = int64_t{1} << 46;

/// a * b, kHugeBytes at most.
int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? kHugeBytes : std::min(result, kHugeBytes);
}

/// Bytes of a * b words of 4 bytes, kHugeBytes at most.
int64_t words(int64_t a, int64_t b) {
  return product(product(a, b), 4);
}

/// Buffers on their way to offsets: remembers which field of the plan waits for each.
class Placement {
 public:
  void want(int64_t bytes, int first, int last, int64_t* offset) {
    buffers_.push_back({std::max<int64_t>(bytes, 1), first, last, 0});
    waiting_.push_back(offset);
  }
  int64_t settle() {
    const int64_t bytes = place(buffers_);
    for (size_t i = 0; i < buffers_.size(); ++i) *waiting_[i] = buffers_[i].offset;
    return bytes;
  }

 private:
  std::vector<Buffer> buffers_;
  std::vector<int64_t*> waiting_;
};

/// Last stage that reads each value; -1 if none. Where two stages may be done in one, what the first reads may not lie
/// where the second writes.
std::vector<int> last_uses(const Graph& graph) {
  std::vector<int> last(graph.values.size(), -1);
  const std::vector<bool> joined = graph::joined_with_next(graph);
  for (size_t s = 0; s < graph.stages.size(); ++s) {
    const graph::Stage& stage = graph.stages[s];
    if (stage.is_moe) {
      last[size_t(stage.moe.input)] = int(s);
    } else {
      for (int input : stage.node.inputs) last[size_t(input)] = int(s) + joined[s];
    }
  }
  return last;
}

void want_values(const Graph& graph, Trace trace, Plan& plan, Placement& placement) {
  const int end = int(graph.stages.size());
  std::vector<int> last = last_uses(graph);
  std::vector<int> first(graph.values.size(), -1);
  for (int s = 0; s < end; ++s) first[size_t(graph.stages[size_t(s)].output())] = s;
  last[size_t(graph.output)] = end;
  plan.values.assign(graph.values.size(), 0);
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Value& value = graph.values[v];
    if (trace == Trace::kAll && !value.name.empty()) last[v] = end;
    placement.want(words(plan.max_batch, value.shape.elements()), first[v], std::max(first[v], last[v]),
                   &plan.values[v]);
  }
}

/// The expert's body needs its own lifetimes: within the layer's stage, one step a node.
void want_body(const MoE& moe, int64_t rows, MoeLayout& layout, int64_t& block_bytes) {
  const std::vector<Value>& values = moe.bank.values;
  const std::vector<bool> joined = graph::joined_with_next(moe.bank);
  std::vector<Buffer> buffers(values.size());
  for (size_t v = 0; v < values.size(); ++v) {
    buffers[v] = {words(rows, values[v].shape.elements()), 0, 0, 0};
  }
  for (size_t s = 0; s < moe.bank.body.size(); ++s) {
    const graph::Node& node = moe.bank.body[s];
    buffers[size_t(node.output)].first = buffers[size_t(node.output)].last = int(s);
    for (int input : node.inputs) buffers[size_t(input)].last = int(s) + joined[s];
  }
  buffers[size_t(moe.bank.body.back().output)].bytes = 0;  // goes to `answers`
  block_bytes = place(buffers);
  layout.body.resize(values.size());
  for (size_t v = 0; v < values.size(); ++v) layout.body[v] = buffers[v].offset;
}

/// What the router writes; `kept` is the last step that reads it.
void want_routes(int stage, int kept, MoeLayout& layout, Placement& placement) {
  const MoeSizes& s = layout.sizes;
  const int64_t route_bytes = words(s.T, s.K);
  placement.want(words(s.T, s.features), stage, stage, &layout.features);
  placement.want(words(s.T, s.E), stage, kept, &layout.gate_logits);
  placement.want(words(s.T, s.E), stage, kept, &layout.scores);
  placement.want(words(s.T, s.E), stage, kept, &layout.probs);
  placement.want(route_bytes, stage, kept, &layout.chosen);
  placement.want(route_bytes, stage, kept, &layout.weight);
  placement.want(words(s.T, 1), stage, stage, &layout.gate);
  placement.want(words(s.T, 1), stage, kept, &layout.slot);
  placement.want(route_bytes, stage, stage, &layout.order);
  placement.want(route_bytes, stage, stage, &layout.position);
  placement.want(words(s.E + 1, 1), stage, stage, &layout.offsets);
}

void want_two_products(int stage, MoeLayout& layout, Placement& placement) {
  const MoeSizes& s = layout.sizes;
  const int64_t columns = product(s.E, s.hidden);
  layout.two_products = true;
  placement.want(words(s.T, columns), stage, stage, &layout.hidden);
  placement.want(words(s.T, columns + s.E), stage, stage, &layout.scaled);
}

void want_experts(const MoE& moe, int stage, Dispatch dispatch, MoeLayout& layout, Placement& placement,
                  int64_t* body_base) {
  const MoeSizes& s = layout.sizes;
  const int64_t rows = dispatch == Dispatch::kGrouped ? product(s.T, s.K) : s.T;
  placement.want(words(rows, s.out_elements), stage, stage, &layout.answers);
  int64_t block_bytes = 0;
  want_body(moe, rows, layout, block_bytes);
  placement.want(block_bytes, stage, stage, body_base);
}

void want_moe(const MoE& moe, int stage, int end, Trace trace, Dispatch dispatch, MoeLayout& layout,
              Placement& placement, int64_t* body_base) {
  want_routes(stage, trace == Trace::kOff ? stage : end, layout, placement);
  if (dispatch == Dispatch::kGrouped && is_two_products(moe)) {
    want_two_products(stage, layout, placement);
  } else {
    want_experts(moe, stage, dispatch, layout, placement, body_base);
  }
}

}  // namespace

MoeSizes moe_sizes(const MoE& moe, const std::vector<Value>& values, int64_t images) noexcept {
  const graph::Extent input = graph::extent(values[size_t(moe.input)].shape);
  MoeSizes s;
  s.tokens_per_image = graph::token_grid(input, moe.patch).per_image();
  s.T = images * s.tokens_per_image;
  s.E = moe.bank.experts;
  s.K = moe.router.top_k;
  s.features = graph::router_features(moe.router, input);
  s.token_elements = moe.bank.values.front().shape.elements();
  s.out_elements = moe.bank.values[size_t(moe.bank.body.back().output)].shape.elements();
  if (is_two_products(moe)) s.hidden = moe.bank.values[size_t(moe.bank.body.front().output)].shape.elements();
  return s;
}

bool is_two_products(const MoE& moe) noexcept {
  const graph::ExpertBank& bank = moe.bank;
  if (moe.router.kind != graph::RouterKind::kSoft || moe.residual || moe.gamma != graph::kNone) return false;
  if (bank.values.front().shape.rank != 1 || bank.body.size() != 2) return false;
  const graph::Node& first = bank.body[0];
  const graph::Node& second = bank.body[1];
  return first.op == graph::Op::kLinear && second.op == graph::Op::kLinear && first.inputs == std::vector<int>{0} &&
         second.inputs == std::vector<int>{first.output} && second.activation == graph::Activation::kNone;
}

Plan make_plan(const Graph& graph, int64_t max_batch, Trace trace, Dispatch dispatch) {
  Plan plan;
  plan.max_batch = max_batch;
  const int end = int(graph.stages.size());
  for (const graph::Stage& stage : graph.stages) {
    if (!stage.is_moe) continue;
    plan.moe.emplace_back();
    plan.moe.back().sizes = moe_sizes(stage.moe, graph.values, max_batch);
  }
  Placement placement;
  want_values(graph, trace, plan, placement);
  std::vector<int64_t> body_base(plan.moe.size(), 0);
  for (int s = 0, m = 0; s < end; ++s) {
    const graph::Stage& stage = graph.stages[size_t(s)];
    if (!stage.is_moe) continue;
    want_moe(stage.moe, s, end, trace, dispatch, plan.moe[size_t(m)], placement, &body_base[size_t(m)]);
    ++m;
  }
  plan.arena_bytes = placement.settle();
  for (size_t m = 0; m < plan.moe.size(); ++m) {
    for (int64_t& offset : plan.moe[m].body) offset += body_base[m];
  }
  return plan;
}

}  // namespace moefb::plan
