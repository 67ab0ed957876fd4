#include "trainer/train/tensorboard.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "schema/container.h"
#include "trainer/train/metrics_log.h"

namespace moefb::trainer {
namespace {

using Json = nlohmann::ordered_json;

// Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
constexpr int kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5;
constexpr int kSummaryValue = 1;
constexpr int kValueTag = 1, kValueSimple = 2;

// Protobuf's wire types.
constexpr int kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;

/// The message of one level, field after field.
class Message {
 public:
  void add_double(int field, double value) { add_fixed(field, kFixed64, value); }
  void add_float(int field, float value) { add_fixed(field, kFixed32, value); }
  void add_integer(int field, uint64_t value) {
    add_key(field, kVarint);
    add_varint(value);
  }
  void add_bytes(int field, std::string_view value) {
    add_key(field, kLengthDelimited);
    add_varint(value.size());
    bytes_ += value;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void add_key(int field, int wire_type) { add_varint(uint64_t(field << 3 | wire_type)); }
  void add_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += char(value | 0x80);
    bytes_ += char(value);
  }
  template <typename T>
  void add_fixed(int field, int wire_type, T value) {
    add_key(field, wire_type);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));  // little-endian: container.h asserts it
  }

  std::string bytes_;
};

std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = container::crc32c(std::as_bytes(std::span(bytes)));
  const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  return {reinterpret_cast<const char*>(&masked), sizeof(masked)};
}

std::string record(std::string_view data) {
  const uint64_t size = data.size();
  const std::string length(reinterpret_cast<const char*>(&size), sizeof(size));
  return length + masked_crc(length) + std::string(data) + masked_crc(data);
}

/// A layer goes by its published index, which is not its place in the list.
std::string name_in(const std::string& key, const Json& element) {
  return element.is_object() && element.contains("layer") ? "layer" + element["layer"].dump() : key;
}

class Summary {
 public:
  /// A number, or whatever has numbers in it; null, as JSON has it for what is not finite, is left out.
  void add(const std::string& tag, const Json& value) {
    if (tag.ends_with("/layer")) return;  // an index, and in the name already
    if (value.is_structured()) {
      for (const auto& [key, element] : value.items()) add(tag + "/" + name_in(key, element), element);
    } else if (value.is_number()) {
      Message scalar;
      scalar.add_bytes(kValueTag, tag);
      scalar.add_float(kValueSimple, value.get<float>());
      message_.add_bytes(kSummaryValue, scalar.bytes());
    }
  }
  const std::string& bytes() const { return message_.bytes(); }

 private:
  Message message_;
};

/// `key` of a line as a tag: what comes before the slash is a section on TensorBoard's page.
std::string tag_of(std::string key) {
  const std::string snapshot = "_test_snapshot";
  if (key.ends_with(snapshot)) return "test/" + key.substr(0, key.size() - snapshot.size());
  for (const std::string pass : {"train", "val", "test"}) {
    if (key.starts_with(pass + "_")) return pass + "/" + key.substr(pass.size() + 1);
  }
  if (std::find(kMachineKeys.begin(), kMachineKeys.end(), key) != kMachineKeys.end()) return "machine/" + key;
  return key == "learning_rate" ? key : "train/" + key;
}

bool is_scalar_key(const std::string& key) {
  return key != "epoch" && key != "tested_epoch" && key != "unix_time" && key != "class_expert_mean";
}

std::string event(const Json& line) {
  Summary summary;
  for (const auto& [key, value] : line.items()) {
    if (is_scalar_key(key)) summary.add(tag_of(key), value);
  }
  Message event;
  event.add_double(kEventWallTime, line.value("unix_time", 0.0));
  event.add_integer(kEventStep, line.at(line.contains("epoch") ? "epoch" : "tested_epoch").get<uint64_t>());
  event.add_bytes(kEventSummary, summary.bytes());
  return event.bytes();
}

std::string version_event(double wall_time) {
  Message event;
  event.add_double(kEventWallTime, wall_time);
  event.add_bytes(kEventFileVersion, "brain.Event:2");
  return event.bytes();
}

std::string content(const std::string& path) {
  if (!std::filesystem::exists(path)) return "";
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(bytes.data(), std::streamsize(bytes.size())).flush();
  if (!file) throw std::runtime_error(path + ": cannot write: " + std::strerror(errno));
}

}  // namespace

std::string tensorboard_events(const std::vector<Json>& lines) {
  std::string events = record(version_event(lines.empty() ? 0 : lines[0].value("unix_time", 0.0)));
  for (const Json& line : lines) events += record(event(line));
  return events;
}

void write_event_file(const std::string& path, std::string_view events) {
  const std::string before = content(path);
  if (events.starts_with(before) && !before.empty()) return append(path, events.substr(before.size()));
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file_atomically(path, events);
}

}  // namespace moefb::trainer
