#include "cpu/step.h"

namespace moefb::cpu {
namespace {

/// The answer of the first implementation that has one; null if none has.
Result<std::unique_ptr<Op>> ask(const OpSpec& spec, std::span<const OpFactory> factories) noexcept {
  for (OpFactory factory : factories) {
    auto made = factory(spec);
    if (!made.ok() || *made != nullptr) return made;
  }
  return std::unique_ptr<Op>();
}

Status check_inputs(const graph::Node& node) noexcept {
  if (node.inputs.size() <= size_t(kMaxInputs)) return {};
  return Status(Code::kUnsupported, "a node has too many inputs").values(int64_t(node.inputs.size()), kMaxInputs);
}

}  // namespace

Result<std::unique_ptr<Op>> make_op(const OpSpec& spec, std::span<const OpFactory> factories) noexcept {
  MOEFB_TRY(check_inputs(spec.node));
  auto made = ask(spec, factories);
  if (made.ok() && *made == nullptr) {
    return Status(Code::kUnsupported, "no kernels know this op").at(int64_t(spec.node.op));
  }
  return made;
}

Result<Step> make_step(OpSpec spec, std::span<const OpFactory> factories) noexcept {
  Step step;
  step.inputs = spec.node.inputs;
  step.output = spec.node.output;
  if (spec.sum != nullptr) {
    MOEFB_TRY(check_inputs(*spec.sum));
    auto both = ask(spec, factories);
    MOEFB_TRY(both.status());
    if (*both != nullptr) {
      step.op = std::move(*both);
      for (int addend : spec.sum->inputs) {
        if (addend != spec.node.output) step.inputs.push_back(addend);
      }
      step.output = spec.sum->output;
      step.nodes = 2;
      return step;
    }
    spec.sum = nullptr;
  }
  auto made = make_op(spec, factories);
  MOEFB_TRY(made.status());
  step.op = std::move(*made);
  return step;
}

}  // namespace moefb::cpu
