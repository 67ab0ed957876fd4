// Whole runs, small, and what they leave.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/train/go_on.h"

namespace moefb::trainer {

/// A patch network on a few pictures of `shapes`; one epoch of each phase.
inline constexpr const char* kTinyPatchToml = R"(
kind = "patch_net"
image = 32
base_channels = 4
num_experts = 4
patch_size = 8
capacity_group = "image"
resize_to = 32
[train]
epochs = 3
batch_size = 16
warmup_epochs = 1
uniform_epochs = 1
router_warmup_epochs = 1
temperature_epochs = 1
threads = 1
[data]
train_size = 60
val_size = 24
test_size = 36
)";

constexpr const char* kTinyResnetToml = R"(
kind = "resnet18"
image = 32
width0 = 4
resize_to = 32
[train]
epochs = 2
batch_size = 16
warmup_epochs = 1
precision = "f32"
threads = 1
[data]
train_size = 60
val_size = 24
test_size = 36
)";

/// Runs by name, in a folder of the test's own.
class WholeRuns : public ::testing::Test {
 protected:
  RunFolder start(const std::string& name, const char* toml, const std::vector<std::string>& sets = {}) {
    const std::string path = folder_ / (name + ".toml");
    write_file_atomically(path, std::string_view(toml));
    RunConfig config = load_toml_config(path, sets);
    resolve(config, load_dataset(config.data));
    const RunFolder folder = RunFolder::create(folder_ / name);
    write_file_atomically(folder.config(), to_json(config));
    return folder;
  }
  RunFolder finished(const std::string& name, const char* toml, const std::vector<std::string>& sets = {},
                     const at::Device& device = at::kCPU) {
    const RunFolder folder = start(name, toml, sets);
    EXPECT_TRUE(go_on(folder, 1000, device));
    return folder;
  }

  testing::TemporaryFolder folder_;
};

inline std::string text_in(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline nlohmann::json json_in(const std::string& path) {
  return nlohmann::json::parse(text_in(path));
}

/// Of metrics.jsonl, without what another run of the same configuration would have otherwise.
inline std::vector<nlohmann::json> lines_of(const RunFolder& folder) {
  std::istringstream text(text_in(folder.metrics()));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(nlohmann::json::parse(line));
    for (const char* key : kMachineKeys) lines.back().erase(key);
  }
  return lines;
}

}  // namespace moefb::trainer
