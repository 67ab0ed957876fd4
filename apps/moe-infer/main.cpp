// moe-infer: pictures in, classes out. Flags are in flags.cpp; each mode has a file of its own.
#include "apps/common/program.h"
#include "apps/moe-infer/flags.h"
#include "apps/moe-infer/pictures.h"
#include "apps/moe-infer/selftest.h"
#include "apps/moe-infer/tensor_mode.h"

namespace {

int moe_infer(int argc, char** argv) {
  using namespace moefb::infer;
  const std::optional<Flags> flags = parse_flags(argc, argv);
  if (!flags) return 0;
  bool good = true;
  if (flags->selftest) good = run_selftest(*flags) && good;
  if (!flags->pictures.empty()) good = classify_pictures(*flags) && good;
  if (!flags->input.empty()) classify_tensor(*flags);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return moefb::apps::run_program(argc, argv, moe_infer);
}
