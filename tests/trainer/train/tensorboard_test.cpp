// The event file, read back by a reader that shares no code with the writer: its CRC is computed bit by bit.
#include "trainer/train/tensorboard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/train/go_on.h"
#include "trainer/train/metrics_log.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

using testing::TemporaryFolder;
using Json = nlohmann::ordered_json;

uint32_t crc32c(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= uint8_t(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

uint32_t unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8;
  return (rotated << 15) | (rotated >> 17);
}

template <typename T>
T take(std::string& bytes) {
  T value{};
  if (bytes.size() < sizeof(T)) throw std::runtime_error("the bytes end too soon");
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.erase(0, sizeof(T));
  return value;
}

std::string take_bytes(std::string& bytes, size_t count) {
  if (bytes.size() < count) throw std::runtime_error("the bytes end too soon");
  const std::string taken = bytes.substr(0, count);
  bytes.erase(0, count);
  return taken;
}

std::vector<std::string> records(std::string file) {
  std::vector<std::string> records;
  while (!file.empty()) {
    const std::string length_bytes = file.substr(0, 8);
    const auto length = take<uint64_t>(file);
    EXPECT_EQ(unmask(take<uint32_t>(file)), crc32c(length_bytes));
    records.push_back(take_bytes(file, length));
    EXPECT_EQ(unmask(take<uint32_t>(file)), crc32c(records.back()));
  }
  return records;
}

uint64_t take_varint(std::string& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

/// One field of a protobuf message: whichever its wire type has.
struct Field {
  uint64_t number = 0;
  uint64_t integer = 0;
  double real = 0;
  std::string bytes;
};

std::vector<Field> fields(std::string message) {
  std::vector<Field> fields;
  while (!message.empty()) {
    const uint64_t key = take_varint(message);
    Field field;
    field.number = key >> 3;
    switch (key & 7) {
      case 0:
        field.integer = take_varint(message);
        break;
      case 1:
        field.real = take<double>(message);
        break;
      case 2:
        field.bytes = take_bytes(message, take_varint(message));
        break;
      case 5:
        field.real = take<float>(message);
        break;
      default:
        throw std::runtime_error("no such wire type");
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

struct Event {
  double wall_time = 0;
  uint64_t step = 0;
  std::string version;
  std::map<std::string, double> scalars;
};

Event event_of(const std::string& record) {
  Event event;
  for (const Field& field : fields(record)) {
    if (field.number == 1) event.wall_time = field.real;
    if (field.number == 2) event.step = field.integer;
    if (field.number == 3) event.version = field.bytes;
    if (field.number != 5) continue;
    for (const Field& value : fields(field.bytes)) {
      EXPECT_EQ(value.number, 1u);
      const auto parts = fields(value.bytes);
      EXPECT_EQ(parts.size(), 2u);
      EXPECT_EQ(parts[0].number, 1u);
      EXPECT_EQ(parts[1].number, 2u);
      EXPECT_TRUE(event.scalars.emplace(parts[0].bytes, parts[1].real).second) << parts[0].bytes << " is there twice";
    }
  }
  return event;
}

std::vector<Event> events(const std::string& file) {
  std::vector<Event> events;
  for (const std::string& record : records(file)) events.push_back(event_of(record));
  return events;
}

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(TensorBoard, CrcOfThisReaderIsThePublishedOne) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);  // RFC 3720's check value
}

TEST(TensorBoard, EachLineIsAnEventWithItsScalars) {
  const std::vector<Json> lines = {
      {{"epoch", 1},
       {"train_loss", 2.5},
       {"val_acc", 0.25},
       {"util", {0.75, 0.25}},
       {"learning_rate", 0.1},
       {"images_per_s", 300},
       {"unix_time", 1700000000.25}},
      {{"epoch", 300}, {"train_loss", nullptr}, {"val_util", {0.5, 0.5}}},
      {{"test_acc", 0.5}, {"tested_epoch", 300}, {"util_test_snapshot", {1, 0}}, {"class_expert_mean", {{1, 0}}}}};
  const auto found = events(tensorboard_events(lines));
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].version, "brain.Event:2");
  EXPECT_EQ(found[1].wall_time, 1700000000.25);
  EXPECT_EQ(found[1].step, 1u);
  using Scalars = std::map<std::string, double>;
  EXPECT_EQ(found[1].scalars, (Scalars{{"train/loss", 2.5},
                                       {"val/acc", 0.25},
                                       {"train/util/0", 0.75},
                                       {"train/util/1", 0.25},
                                       {"learning_rate", 0.1f},
                                       {"machine/images_per_s", 300}}));
  EXPECT_EQ(found[2].step, 300u) << "two bytes as a varint";
  EXPECT_EQ(found[2].scalars, (Scalars{{"val/util/0", 0.5}, {"val/util/1", 0.5}})) << "a number that is none";
  EXPECT_EQ(found[3].step, 300u);
  EXPECT_EQ(found[3].scalars, (Scalars{{"test/acc", 0.5}, {"test/util/0", 1}, {"test/util/1", 0}}));
}

TEST(TensorBoard, LayersGoByTheirPublishedIndex) {
  const std::vector<Json> lines = {
      {{"epoch", 1},
       {"val_router", {{"drop_rate", 0.5}, {"layers", Json::array({{{"layer", 3}, {"usage", {4, 5}}}})}}}}};
  EXPECT_EQ(events(tensorboard_events(lines))[1].scalars,
            (std::map<std::string, double>{{"val/router/drop_rate", 0.5},
                                           {"val/router/layers/layer3/usage/0", 4},
                                           {"val/router/layers/layer3/usage/1", 5}}));
}

ino_t inode(const std::string& path) {
  struct stat info {};
  ::stat(path.c_str(), &info);
  return info.st_ino;
}

TEST(TensorBoard, AFileGrowsInPlaceOrIsReplaced) {
  const TemporaryFolder folder;
  const std::string path = folder / "tensorboard/events";
  const std::vector<Json> one = {{{"epoch", 1}, {"val_acc", 0.1}}};
  const std::vector<Json> two = {one[0], {{"epoch", 2}, {"val_acc", 0.2}}};
  write_event_file(path, tensorboard_events(one));
  const ino_t first = inode(path);
  write_event_file(path, tensorboard_events(two));
  EXPECT_EQ(text_of(path), tensorboard_events(two));
  EXPECT_EQ(inode(path), first) << "TensorBoard, which has it open, would not see the new epoch";

  // A run that was killed while it wrote: what is there of the second epoch is cut off.
  std::filesystem::resize_file(path, tensorboard_events(two).size() - 3);
  write_event_file(path, tensorboard_events(two));
  EXPECT_EQ(text_of(path), tensorboard_events(two));

  write_event_file(path, tensorboard_events(one));
  EXPECT_EQ(text_of(path), tensorboard_events(one)) << "the second epoch is run again";
}

TEST(TensorBoard, AStoppedRunHasEveryStepOnce) {
  const TemporaryFolder folder;
  const TinyRun run(folder / "tiny.toml", {"train.epochs=3", "train.tensorboard=true"});
  const RunFolder run_folder = RunFolder::create(folder / "run");
  write_file_atomically(run_folder.config(), to_json(run.config));
  while (!go_on(run_folder, 4)) {
  }
  const auto found = events(text_of(run_folder.events()));
  std::vector<uint64_t> steps;
  for (const Event& event : found) steps.push_back(event.step);
  ASSERT_EQ(steps.size(), 5u);
  EXPECT_EQ((std::vector<uint64_t>(steps.begin(), steps.begin() + 4)), (std::vector<uint64_t>{0, 1, 2, 3}));
  const auto lines = read_metrics(run_folder.metrics());
  EXPECT_EQ(steps[4], lines[3]["tested_epoch"].get<uint64_t>());
  EXPECT_EQ(found[2].scalars.at("val/loss"), double(lines[1]["val_loss"].get<float>()));
  EXPECT_EQ(found[2].scalars.at("train/util/3"), double(lines[1]["util"][3].get<float>()));
  EXPECT_EQ(found[2].wall_time, lines[1]["unix_time"].get<double>());
  EXPECT_TRUE(found[4].scalars.contains("test/acc"));
}

}  // namespace
}  // namespace moefb::trainer
