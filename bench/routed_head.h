// What the benchmark runs: a sparse head with random weights, tokens, and routes whose distribution it chooses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/common.h"
#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::bench {

struct HeadShape {
  int64_t experts = 8;  ///< E
  int64_t top_k = 1;    ///< K
  int64_t hidden = 64;  ///< H of each expert
  int64_t features = 512;
  int64_t classes = 10;

  auto operator<=>(const HeadShape&) const = default;
};

/// A head-only model as the converter makes it, loaded with the fastest kernels, and an arena that its executors share:
/// one runs at a time, and none finds another's memory colder than its own.
class Head {
 public:
  /// @throws std::runtime_error with what converter or runtime say
  Head(const HeadShape& shape, int64_t max_tokens);

  const HeadShape& shape() const { return shape_; }
  /// @param routes  (tokens, K) experts for the number of tokens that will be run; outlive the executor
  Executor make_executor(Dispatch dispatch, int threads, std::span<const int32_t> routes);

 private:
  HeadShape shape_;
  std::vector<std::byte> file_;
  std::unique_ptr<Model> model_;
  Arena arena_;
  std::span<std::byte> memory_;
};

enum class Routing : uint8_t {
  kBalanced,  ///< every expert gets as many tokens as any other
  kSkewed,    ///< expert e is drawn with probability proportional to 1 / (e + 1)
};

/// (tokens, K) experts, all different within a token, in random order; the same for the same arguments.
std::vector<int32_t> make_routes(Routing routing, int64_t tokens, int64_t experts, int64_t top_k);

}  // namespace moefb::bench
