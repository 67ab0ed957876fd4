// convert: weights and config.json to one .moefb file, read back and run before it is written; or that file as C
// source.
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/common/command_line.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "apps/convert/c_array.h"
#include "converter/atomic_file.h"
#include "converter/convert.h"
#include "moefb/model.h"

namespace {

using namespace moefb;
namespace fs = std::filesystem;

struct Flags {
  convert::Options options;
  std::string dtype;    ///< empty: f32
  std::string c_array;  ///< the name of the array; empty: a .moefb file is written
  bool converted_already() const { return fs::path(options.source).extension() == ".moefb"; }
};

void check_flags(const Flags& flags) {
  if (!flags.converted_already()) return;
  const std::string& source = flags.options.source;
  if (flags.c_array.empty()) {
    throw std::runtime_error(source + ": is a model already; --c-array NAME makes C source of it");
  }
  if (!flags.dtype.empty() || !flags.options.config.empty()) {
    throw std::runtime_error(source + ": is a model already: --dtype and --config do not apply");
  }
  std::error_code ignored;
  if (fs::equivalent(source, flags.options.output, ignored)) {
    throw std::runtime_error(flags.options.output + ": the output is the input " + source);
  }
}

/// Empty if --help or --version was asked for.
std::optional<Flags> parse_flags(int argc, char** argv) {
  const std::map<std::string, convert::WeightDtype> dtypes = {{"f32", convert::WeightDtype::kF32},
                                                              {"bf16", convert::WeightDtype::kBf16}};
  apps::CommandLine line("Converts trained weights to a .moefb file, and checks the file by running it.");
  Flags flags;
  line.app
      .add_option("SOURCE", flags.options.source, "a run folder, or a .safetensors file; with --c-array also a .moefb")
      ->required()
      ->type_name("");
  line.app.add_option("-o,--output", flags.options.output, "the file to write")->required()->type_name("OUT.moefb");
  line.app.add_option("--config", flags.options.config, "the configuration (config.json beside SOURCE)")
      ->type_name("FILE.json");
  line.app.add_option("--dtype", flags.dtype, "how matrices and kernels are stored: f32 (default) or bf16")
      ->check(CLI::IsMember(dtypes))
      ->type_name("NAME");
  line.app.add_option("--c-array", flags.c_array, "write C source instead, that defines the file as an array NAME")
      ->type_name("NAME");
  if (!line.parse(argc, argv)) return std::nullopt;
  if (!flags.dtype.empty()) flags.options.dtype = dtypes.at(flags.dtype);
  check_flags(flags);
  return flags;
}

/// The bytes of an existing model, once they are known to be one.
std::vector<std::byte> read_model(const std::string& path) {
  std::vector<std::byte> file = read_file(path);
  apps::check(Model::load(file).status(), path);
  return file;
}

/// The bytes of a .moefb file; what was done on the way is printed.
std::vector<std::byte> model_bytes(const Flags& flags) {
  if (flags.converted_already()) return read_model(flags.options.source);
  convert::Report report;
  std::vector<std::byte> file = convert::convert_to_memory(flags.options, report);
  for (const std::string& warning : report.warnings) apps::complain("warning: " + warning);
  std::string text = "weights  " + report.weights_used + "\nconfig   " + report.config_used + '\n';
  for (const std::string& note : report.notes) text += "checked  " + note + '\n';
  apps::print(text);
  return file;
}

int convert_file(int argc, char** argv) {
  const std::optional<Flags> flags = parse_flags(argc, argv);
  if (!flags) return 0;
  const std::vector<std::byte> model = model_bytes(*flags);
  const std::string& output = flags->options.output;
  if (flags->c_array.empty()) {
    write_file_atomically(output, model);
  } else {
    write_file_atomically(output, convert::c_array(flags->c_array, model));
  }
  apps::print("wrote    " + output + ", " + apps::bytes_text(fs::file_size(output)) + '\n');
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return moefb::apps::run_program(argc, argv, convert_file);
}
