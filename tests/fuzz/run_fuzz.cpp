// Models that load are run. Answers are not looked at: weights that are any number give logits that are anything.
#include <cstdlib>

#include "fuzz/targets.h"
#include "runtime/format/run_model.h"
#include "runtime/format/tiny_model.h"

namespace moefb::fuzz {

void fuzz_run(Bytes file) {
  const testing::FileBytes copy(file);
  LoadOptions options;
  options.kernels = Kernels::kReference;
  options.max_batch = 2;
  const auto model = Model::load(copy.span(), options);
  if (!model.ok()) return;
  testing::look_at(*model);
  testing::run_if_small(*model);
}

}  // namespace moefb::fuzz
