#include "trainer/train/metrics_log.h"

#include <chrono>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "converter/atomic_file.h"

namespace moefb::trainer {
namespace {

void add_routing(nlohmann::ordered_json& json, const RoutingRecord& routing, const std::string& prefix,
                 const std::string& suffix) {
  for (const auto& [key, value] : routing.items()) json[prefix + key + suffix] = value;
}

/// Seconds since 1970, to a millisecond.
double unix_time() {
  using std::chrono::milliseconds, std::chrono::system_clock;
  return double(std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()) / 1000;
}

std::string whole_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<nlohmann::ordered_json> parse_lines(const std::string& text, const std::string& path) {
  std::vector<nlohmann::ordered_json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false));
    if (lines.back().is_object()) continue;
    throw std::runtime_error(path + ": expected a JSON object in line " + std::to_string(lines.size()) + ", found " +
                             line.substr(0, 40));
  }
  return lines;
}

std::string first_lines(const std::string& path, int64_t count) {
  if (count == 0) return "";
  const std::string text = whole_text(path);
  size_t end = 0;
  for (int64_t line = 0; line < count; ++line) {
    end = text.find('\n', end);
    if (end == std::string::npos) {
      throw std::runtime_error(path + ": expected at least " + std::to_string(count) + " lines, found " +
                               std::to_string(line));
    }
    ++end;
  }
  return text.substr(0, end);
}

}  // namespace

std::vector<nlohmann::ordered_json> read_metrics(const std::string& path) {
  if (!std::filesystem::exists(path)) return {};
  return parse_lines(whole_text(path), path);
}

bool is_tested(const std::string& path) {
  const auto lines = read_metrics(path);
  return !lines.empty() && lines.back().contains("test_acc");
}

MetricsLog::MetricsLog(std::string path, int64_t keep, bool writes)
    : path_(std::move(path)), writes_(writes), text_(first_lines(path_, keep)) {}

void MetricsLog::add(const EpochRecord& record) {
  nlohmann::ordered_json json = {
      {"epoch", record.epoch},       {"train_loss", record.train_loss}, {"train_acc", record.train_acc},
      {"val_loss", record.val_loss}, {"val_acc", record.val_acc},
  };
  add_routing(json, record.routing, "", "");
  add_routing(json, record.val_routing, "val_", "");
  json["learning_rate"] = record.learning_rate;
  json["images_per_s"] = record.images_per_s;
  json["data_wait"] = record.data_wait;
  json["seconds"] = record.resources.seconds;
  json["cpu_seconds"] = record.resources.cpu_seconds;
  json["peak_rss_mib"] = record.resources.peak_rss_mib;
  if (record.resources.peak_device_mib > 0) json["peak_device_mib"] = record.resources.peak_device_mib;
  json["unix_time"] = unix_time();
  append(json.dump());
}

void MetricsLog::add(const TestRecord& record) {
  nlohmann::ordered_json json = {
      {"test_loss", record.test_loss}, {"test_acc", record.test_acc}, {"tested_epoch", record.tested_epoch}};
  add_routing(json, record.routing, "", "_test_snapshot");
  if (!record.class_expert_mean.empty()) json["class_expert_mean"] = record.class_expert_mean;
  json["unix_time"] = unix_time();
  append(json.dump());
}

std::vector<nlohmann::ordered_json> MetricsLog::lines() const {
  return parse_lines(text_, path_);
}

std::vector<nlohmann::ordered_json> MetricsLog::epochs() const {
  std::vector<nlohmann::ordered_json> epochs = lines();
  std::erase_if(epochs, [](const auto& line) { return !line.contains("epoch"); });
  return epochs;
}

void MetricsLog::append(const std::string& line) {
  text_ += line + "\n";
  if (writes_) write_file_atomically(path_, text_);
}

}  // namespace moefb::trainer
