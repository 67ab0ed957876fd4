#include "trainer/data/cifar10.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/data/augment.h"
#include "trainer/data/random.h"
#include "trainer/data/split.h"

namespace moefb::trainer {
namespace {

constexpr int kSide = 32;
constexpr size_t kPlane = size_t(kSide) * kSide;
constexpr size_t kRecord = 1 + 3 * kPlane;  // label, then a plane of red, of green, of blue
constexpr int kClasses = 10;
const std::vector<std::string> kNames = {"airplane", "automobile", "bird",  "cat",  "deer",
                                         "dog",      "frog",       "horse", "ship", "truck"};
// spec/cifar-heads.md, section 10
constexpr float kMean[3] = {0.4914f, 0.4822f, 0.4465f};
constexpr float kStddev[3] = {0.2470f, 0.2435f, 0.2616f};

PictureSet empty_set() {
  PictureSet set;
  set.height = set.width = kSide;
  return set;
}

void append_picture(PictureSet& set, std::span<const uint8_t> pixels, int64_t label) {
  set.pixels.insert(set.pixels.end(), pixels.begin(), pixels.end());
  set.labels.push_back(label);
}

void append_record(PictureSet& set, const std::byte* record) {
  uint8_t pixels[3 * kPlane];
  for (size_t i = 0; i < kPlane; ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = uint8_t(record[1 + channel * kPlane + i]);
    }
  }
  append_picture(set, pixels, int64_t(record[0]));
}

/// Appends a batch file to `set` and returns how many pictures it holds.
int64_t append_batch(const std::string& path, PictureSet& set) {
  const std::vector<std::byte> bytes = read_file(path);
  if (bytes.empty() || bytes.size() % kRecord != 0) {
    throw std::runtime_error(path + ": expected whole records of 3073 bytes, found " + std::to_string(bytes.size()) +
                             " bytes: the file is cut short or no CIFAR-10 batch");
  }
  for (size_t at = 0; at < bytes.size(); at += kRecord) {
    if (int(bytes[at]) >= kClasses) {
      throw std::runtime_error(path + ": picture " + std::to_string(at / kRecord) +
                               ": expected a label from 0 to 9, found " + std::to_string(int(bytes[at])));
    }
    append_record(set, &bytes[at]);
  }
  return int64_t(bytes.size() / kRecord);
}

/// Like append_batch, for the batches after the first: all have one length, so a shorter one was cut between records.
void append_equal_batch(const std::string& path, int64_t expected, PictureSet& set) {
  const int64_t found = append_batch(path, set);
  if (found != expected) {
    throw std::runtime_error(path + ": expected " + std::to_string(expected) +
                             " pictures, as in data_batch_1.bin, found " + std::to_string(found));
  }
}

std::vector<std::string> read_class_names(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  std::vector<std::string> names(1);
  for (const std::byte b : bytes) {
    if (char(b) == '\n') {
      names.emplace_back();
    } else if (char(b) != '\r') {
      names.back() += char(b);
    }
  }
  std::erase(names, "");  // the official file ends with an empty line
  if (names.size() != kClasses) {
    throw std::runtime_error(path + ": expected the names of 10 classes, found " + std::to_string(names.size()));
  }
  return names;
}

PictureSet pick(const PictureSet& from, std::span<const int64_t> indices) {
  PictureSet set = empty_set();
  set.pixels.reserve(indices.size() * from.picture_bytes());
  for (const int64_t i : indices) append_picture(set, from.picture(i), from.labels[size_t(i)]);
  return set;
}

void split_train(const PictureSet& all, const DataConfig& config, Dataset& dataset) {
  const int64_t val_size =
      config.val_size == 0 ? all.size() / 10 : size_within("cifar10", "val_size", config.val_size, all.size() - 1);
  const int64_t train_size = size_within("cifar10", "train_size", config.train_size, all.size() - val_size);
  const std::vector<int64_t> order = permutation(all.size(), Random(config.seed, Stream::kSplit, 0));
  const std::span<const int64_t> indices(order);
  dataset.train = pick(all, indices.first(size_t(train_size)));
  dataset.val = pick(all, indices.last(size_t(val_size)));
}

}  // namespace

Dataset describe_cifar10() {
  Dataset dataset;
  dataset.name = "cifar10";
  dataset.class_names = kNames;
  std::copy_n(kMean, 3, dataset.mean);
  std::copy_n(kStddev, 3, dataset.stddev);
  return dataset;
}

Dataset load_cifar10(const DataConfig& config) {
  if (config.image != kSide) {
    throw std::runtime_error("data set cifar10: expected image = 32, found " + std::to_string(config.image));
  }
  if (!std::filesystem::is_directory(config.path)) {
    throw std::runtime_error("data set cifar10: expected in path the folder that holds data_batch_1.bin, found \"" +
                             config.path + "\", which is no folder");
  }
  const std::filesystem::path folder(config.path);
  const auto file = [&](const std::string& name) { return (folder / name).string(); };

  PictureSet all = empty_set();
  const int64_t batch_size = append_batch(file("data_batch_1.bin"), all);
  for (int batch = 2; batch <= 5; ++batch) {
    append_equal_batch(file("data_batch_" + std::to_string(batch) + ".bin"), batch_size, all);
  }
  PictureSet test = empty_set();
  append_equal_batch(file("test_batch.bin"), batch_size, test);

  Dataset dataset = describe_cifar10();
  dataset.class_names = read_class_names(file("batches.meta.txt"));
  split_train(all, config, dataset);
  const int64_t test_size = size_within("cifar10", "test_size", config.test_size, test.size());
  test.labels.resize(size_t(test_size));
  test.pixels.resize(size_t(test_size) * test.picture_bytes());
  dataset.test = std::move(test);
  return dataset;
}

}  // namespace moefb::trainer
