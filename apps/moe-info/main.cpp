// moe-info: what is inside a .moefb file, as text or JSON.
#include "apps/common/model_files.h"
#include "apps/common/program.h"
#include "apps/moe-info/flags.h"
#include "apps/moe-info/report.h"

namespace {

int moe_info(int argc, char** argv) {
  using namespace moefb;
  const std::optional<info::Flags> flags = info::parse_flags(argc, argv);
  if (!flags) return 0;
  const Model model = apps::load_model(flags->model, flags->load);
  const Result<Requirements> memory = requirements(model);
  apps::check(memory.status(), flags->model);
  const info::Report report{flags->model, model, memory->arena_bytes};
  apps::print(flags->json ? info::report_json(report) : info::report_text(report));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return moefb::apps::run_program(argc, argv, moe_info);
}
