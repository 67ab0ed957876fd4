#include "graph/joined.h"

#include <algorithm>

namespace moefb::graph {
namespace {

bool is_pair(const Node& norm, const Node& sum) noexcept {
  if (norm.op != Op::kGroupNorm || sum.op != Op::kAdd || sum.inputs.size() < 2) return false;
  if (std::count(sum.inputs.begin(), sum.inputs.end(), norm.output) != 1) return false;
  return sum.inputs.back() == norm.output || sum.inputs.size() == 2;
}

void count_readers(const Node& node, std::vector<int>& readers) noexcept {
  for (int input : node.inputs) ++readers[size_t(input)];
}

/// A value with a name may be asked for.
bool is_read_once(int value, const std::vector<Value>& values, const std::vector<int>& readers) noexcept {
  return readers[size_t(value)] == 1 && values[size_t(value)].name.empty();
}

}  // namespace

std::vector<bool> joined_with_next(const Graph& graph) {
  std::vector<int> readers(graph.values.size(), 0);
  ++readers[size_t(graph.output)];
  for (const Stage& stage : graph.stages) {
    if (stage.is_moe) {
      ++readers[size_t(stage.moe.input)];
    } else {
      count_readers(stage.node, readers);
    }
  }
  std::vector<bool> joined(graph.stages.size(), false);
  for (size_t s = 0; s + 1 < graph.stages.size(); ++s) {
    const Stage& stage = graph.stages[s];
    const Stage& next = graph.stages[s + 1];
    joined[s] = !stage.is_moe && !next.is_moe && is_pair(stage.node, next.node) &&
                is_read_once(stage.node.output, graph.values, readers);
  }
  return joined;
}

std::vector<bool> joined_with_next(const ExpertBank& bank) {
  std::vector<int> readers(bank.values.size(), 0);
  for (const Node& node : bank.body) count_readers(node, readers);
  std::vector<bool> joined(bank.body.size(), false);
  for (size_t i = 0; i + 1 < bank.body.size(); ++i) {
    joined[i] = is_pair(bank.body[i], bank.body[i + 1]) && is_read_once(bank.body[i].output, bank.values, readers);
  }
  return joined;
}

}  // namespace moefb::graph
