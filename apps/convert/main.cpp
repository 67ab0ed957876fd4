// convert: weights and config.json to one .moefb file, read back and run before it is written.
#include <map>
#include <optional>
#include <string>

#include "apps/common/command_line.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "converter/convert.h"

namespace {

using namespace moefb;

/// Empty if --help or --version was asked for.
std::optional<convert::Options> parse_flags(int argc, char** argv) {
  const std::map<std::string, convert::WeightDtype> dtypes = {{"f32", convert::WeightDtype::kF32},
                                                              {"bf16", convert::WeightDtype::kBf16}};
  apps::CommandLine line("convert", "Converts trained weights to a .moefb file, and checks the file by running it.");
  convert::Options options;
  std::string dtype = "f32";
  line.app.add_option("SOURCE", options.source, "a run folder, or a .safetensors file")->required()->type_name("");
  line.app.add_option("-o,--output", options.output, "the file to write")->required()->type_name("OUT.moefb");
  line.app.add_option("--config", options.config, "the configuration (config.json beside SOURCE)")
      ->type_name("FILE.json");
  line.app.add_option("--dtype", dtype, "how matrices and kernels are stored: f32 (default) or bf16")
      ->check(CLI::IsMember(dtypes))
      ->type_name("NAME");
  if (!line.parse(argc, argv)) return std::nullopt;
  options.dtype = dtypes.at(dtype);
  return options;
}

int convert_file(int argc, char** argv) {
  const std::optional<convert::Options> options = parse_flags(argc, argv);
  if (!options) return 0;
  const convert::Report report = convert::convert(*options);
  for (const std::string& warning : report.warnings) apps::complain("warning: " + warning);
  std::string text = "weights  " + report.weights_used + "\nconfig   " + report.config_used + '\n';
  for (const std::string& note : report.notes) text += "checked  " + note + '\n';
  text += "wrote    " + options->output + ", " + apps::bytes_text(report.file_bytes) + '\n';
  apps::print(text);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return moefb::apps::run_program("convert", argc, argv, convert_file);
}
