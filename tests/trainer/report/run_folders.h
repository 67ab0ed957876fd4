// Run folders as training leaves them, small and made up.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"

namespace moefb::report {

using Json = nlohmann::ordered_json;

inline void write_text(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file_atomically(path, std::string_view(text));
}

inline std::string text_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// config.json of a head: dense, soft or sparse (k = 2).
inline Json head_config(const std::string& head, int seed) {
  Json json = {{"kind", "cifar_e2e"}, {"head", head}, {"num_classes", 2}, {"image", 32}, {"width0", 8}};
  if (head != "dense") json["num_experts"] = 3;
  if (head == "sparse") json["k"] = 2;
  json["class_names"] = {"cat", "<b>&\"dog\"'"};
  json["train"] = {{"epochs", 2}, {"seed", seed}, {"learning_rate", 0.1}, {"threads", seed}};
  json["data"] = {{"name", "cifar10"}, {"path", "/somewhere"}, {"train_size", 1000}};
  return json;
}

inline Json patch_config(int experts, int seed) {
  Json json = {
      {"kind", "patch_net"}, {"num_classes", 2}, {"image", {64, 64}}, {"base_channels", 8}, {"num_experts", experts}};
  json["train"] = {{"epochs", 2}, {"seed", seed}};
  json["data"] = {{"name", "folder"}, {"path", "/somewhere/flowers/"}};
  return json;
}

inline Json epoch_line(int epoch, double accuracy) {
  return {{"epoch", epoch},          {"train_loss", 1.0 / epoch}, {"train_acc", accuracy + 0.1},
          {"val_loss", 1.2 / epoch}, {"val_acc", accuracy},       {"images_per_s", 800 + epoch},
          {"data_wait", 0.01}};
}

inline Json test_line(double accuracy) {
  return {{"test_loss", 0.9}, {"test_acc", accuracy}, {"tested_epoch", 2}};
}

/// Folders of one test.
class RunFolders {
 public:
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string root() const { return folder_.path(); }

  std::string add(const std::string& name, const Json& config, const std::vector<Json>& lines) {
    std::string text;
    for (const Json& line : lines) text += line.dump() + "\n";
    write_text(path(name) + "/config.json", config.dump(2));
    if (!lines.empty()) write_text(path(name) + "/metrics.jsonl", text);
    return path(name);
  }

  /// Two epochs and a test.
  std::string add_head(const std::string& name, const std::string& head, int seed, double accuracy) {
    std::vector<Json> lines = {epoch_line(1, accuracy - 0.2), epoch_line(2, accuracy), test_line(accuracy)};
    if (head != "dense") {
      for (Json& line : lines) {
        const bool test = line.contains("test_acc");
        line[test ? "util_test_snapshot" : "val_util"] = {0.5, 0.3, 0.2};
        line[test ? "entropy_test_snapshot" : "val_entropy"] = 0.9;
      }
      lines.back()["class_expert_mean"] = {{0.6, 0.3, 0.1}, {0.1, 0.2, 0.7}};
    }
    return add(name, head_config(head, seed), lines);
  }

  std::string add_patches(const std::string& name, int experts, int seed, double accuracy) {
    Json router = {
        {"drop_rate", 0.02}, {"entropy_norm_mean", 0.9}, {"imbalance_mean", 3.0}, {"spec_entropy_mean", 0.5}};
    for (const int layer : {0, 1, 3}) {
      router["layers"].push_back({{"layer", layer},
                                  {"usage", std::vector<double>(size_t(experts), 10.0 + layer)},
                                  {"drop_rate", 0.02},
                                  {"entropy_norm", 0.9},
                                  {"imbalance", 3.0},
                                  {"spec_entropy", 0.5}});
    }
    std::vector<Json> lines = {epoch_line(1, accuracy - 0.2), epoch_line(2, accuracy), test_line(accuracy)};
    for (Json& line : lines) line[line.contains("test_acc") ? "router_test_snapshot" : "val_router"] = router;
    return add(name, patch_config(experts, seed), lines);
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace moefb::report
