#include "apps/moe-info/flags.h"

#include <stdexcept>

#include "apps/common/command_line.h"
#include "apps/common/default_model.h"
#include "apps/common/names.h"

namespace moefb::info {

std::optional<Flags> parse_flags(int argc, char** argv) {
  apps::CommandLine line("Shows what is inside a .moefb model: graph, routing, sizes, checksums.");
  Flags flags;
  std::string kernels = "auto";
  line.app.add_option("MODEL", flags.model, "a .moefb file; without it the default model that came with moefb")
      ->type_name("");
  line.app.add_flag("--json", flags.json, "one JSON object instead of text");
  line.app.add_option("--kernels", kernels, "count memory for auto (default), onednn or reference")->type_name("NAME");
  line.app.add_option("--max-batch", flags.load.max_batch, "count memory for batches up to this (1)")->type_name("N");
  if (!line.parse(argc, argv)) return std::nullopt;
  flags.load.kernels = apps::kernels_from(kernels);
  if (flags.load.max_batch < 1) {
    throw std::runtime_error("--max-batch " + std::to_string(flags.load.max_batch) + ": expected 1 or more");
  }
  if (flags.model.empty()) flags.model = apps::default_model();
  return flags;
}

}  // namespace moefb::info
