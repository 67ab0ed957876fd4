// What can be asked of the efficiency analysis.
#pragma once

#include <cstdint>
#include <optional>

namespace moefb::trainer {

struct EfficiencyOptions {
  bool published = false;          ///< as many batches as the published protocol has
  std::optional<int64_t> warmup;   ///< batches before the clock starts, instead of the protocol's
  std::optional<int64_t> batches;  ///< timed ones, at most
};

}  // namespace moefb::trainer
