#include "apps/moe-infer/flags.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "apps/common/command_line.h"
#include "apps/common/default_model.h"
#include "apps/common/names.h"
#include "apps/moe-infer/routing_image.h"

namespace moefb::infer {
namespace {

constexpr int kMaxThreads = 256;
constexpr int kDefaultThreads = 8;  // at most: one picture is little work, and more threads wait more than they help

struct Line {
  Flags flags;
  std::string dispatch = "grouped";
  std::string capacity_group;
  std::string kernels = "auto";
  std::string backend = "cpu";
  int threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kDefaultThreads);
};

void declare(CLI::App& app, Line& line) {
  Flags& f = line.flags;
  const auto value = [&app](const char* name, auto& variable, const char* type, const char* help) {
    app.add_option(name, variable, help)->type_name(type);
  };
  value("PICTURE", f.pictures, "", "PNG, JPEG, BMP or GIF files; each is answered by itself");
  value("--model", f.model, "FILE", "a .moefb file; without it the default model that came with moefb");
  value("--top", f.top, "N", "how many classes to show, best first (5)");
  app.add_flag("--json", f.json, "one JSON object per picture and line, and nothing else, on standard output");
  app.add_flag("--routing", f.routing, "also which experts answered, or how many tokens each expert took");
  value("--routing-image", f.routing_image, "FILE.png",
        "draw which expert took which patch, layer by layer; several pictures: FILE-1.png, FILE-2.png, ...");
  app.add_flag(
      "--metrics", f.metrics,
      "patch networks: how evenly and surely the routers worked, over all pictures; each is a batch of its own, "
      "so experts have slots for the patches of one picture at a time");
  value("--dispatch", line.dispatch, "NAME", "how tokens meet their experts: grouped (default), naive or all");
  value("--capacity-group", line.capacity_group, "NAME",
        "which tokens share an expert's slots: batch, image or none; without it as the model says");
  value("--kernels", line.kernels, "NAME", "auto (default), onednn or reference");
  value("--backend", line.backend, "NAME", "cpu");
  value("--threads", line.threads, "N", "1 to 256; without it as many as the machine has, at most 8");
  app.add_flag("--selftest", f.selftest, "run the model's golden vectors and compare");
  value("--input", f.input, "FILE", "tensor mode: a .safetensors file whose tensor `input` is one batch");
  value("--output", f.output, "FILE", "tensor mode: the .safetensors file to write `logits` to");
  app.add_flag("--trace", f.trace, "tensor mode: also write what the routers decided and the feature maps");
}

/// What would lose a picture: its name taken for the file to draw in.
void check_routing_image_name(const std::string& file, const std::vector<std::string>& pictures) {
  if (pictures.empty()) throw std::runtime_error("--routing-image needs pictures");
  if (!file.ends_with(".png"))
    throw std::runtime_error("--routing-image " + file + ": expected a name that ends in .png");
  std::error_code error;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::string drawn = routing_image_file(file, i, pictures.size());
    for (const std::string& picture : pictures) {
      if (!std::filesystem::equivalent(drawn, picture, error)) continue;
      throw std::runtime_error("--routing-image " + file + ": would replace " + drawn +
                               ", one of the pictures to classify");
    }
  }
}

void check_modes(const Flags& f) {
  if (f.input.empty() != f.output.empty()) throw std::runtime_error("--input and --output go together");
  if (!f.input.empty() && !f.pictures.empty()) throw std::runtime_error("give pictures or --input, not both");
  if (f.trace && f.input.empty()) throw std::runtime_error("--trace needs --input and --output");
  if (f.metrics && f.pictures.empty()) throw std::runtime_error("--metrics needs pictures");
  if (!f.routing_image.empty()) check_routing_image_name(f.routing_image, f.pictures);
  if (f.pictures.empty() && f.input.empty() && !f.selftest) {
    throw std::runtime_error("nothing to do: give pictures, --input and --output, or --selftest (see --help)");
  }
}

Flags resolve(Line line) {
  Flags& f = line.flags;
  if (f.top < 1) throw std::runtime_error("--top " + std::to_string(f.top) + ": expected 1 or more");
  if (line.threads < 1 || line.threads > kMaxThreads) {
    throw std::runtime_error("--threads " + std::to_string(line.threads) + ": expected 1 to " +
                             std::to_string(kMaxThreads));
  }
  f.load.backend = apps::backend_from(line.backend);
  f.load.kernels = apps::kernels_from(line.kernels);
  f.executor.threads = line.threads;
  f.executor.dispatch = apps::dispatch_from(line.dispatch);
  if (!line.capacity_group.empty()) f.executor.capacity_group = apps::capacity_group_from(line.capacity_group);
  check_modes(f);
  if (f.model.empty()) f.model = apps::default_model();
  return f;
}

}  // namespace

std::optional<Flags> parse_flags(int argc, char** argv) {
  apps::CommandLine command_line("Classifies pictures with a sparse Mixture-of-Experts model.");
  Line line;
  declare(command_line.app, line);
  if (!command_line.parse(argc, argv)) return std::nullopt;
  return resolve(std::move(line));
}

}  // namespace moefb::infer
