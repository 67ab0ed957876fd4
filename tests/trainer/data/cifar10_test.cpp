#include "trainer/data/cifar10.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

constexpr int kBatchSize = 20;  // the official batches hold 10,000
constexpr size_t kRecord = 3073;

/// Byte `at` of picture `number`'s record; the picture's number can be read from its first two red values.
char record_byte(int number, size_t at) {
  if (at == 0) return char(number % 10);
  if (at == 1) return char(number);
  if (at == 2) return char(number >> 8);
  return char((size_t(number) * 31 + at * 7) % 251);
}

/// A folder laid out as the official one, with pictures numbered through; gone with the test.
class Cifar10 : public ::testing::Test {
 protected:
  Cifar10() {
    for (int batch = 0; batch < 5; ++batch) {
      write("data_batch_" + std::to_string(batch + 1) + ".bin", records(batch * kBatchSize, kBatchSize));
    }
    write("test_batch.bin", records(1000, kBatchSize));
    write("batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    config_.name = "cifar10";
    config_.path = folder_.path();
  }

  static std::string records(int first, int count) {
    std::string bytes;
    for (int i = first; i < first + count; ++i) {
      for (size_t at = 0; at < kRecord; ++at) bytes += record_byte(i, at);
    }
    return bytes;
  }
  std::string file(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
  }
  std::string error() const {
    return testing::message_of([&] { load_dataset(config_); });
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

int number_of(std::span<const uint8_t> picture) {
  return picture[0] + 256 * picture[3];
}

std::vector<int> numbers_of(const PictureSet& set) {
  std::vector<int> numbers;
  for (int64_t i = 0; i < set.size(); ++i) numbers.push_back(number_of(set.picture(i)));
  return numbers;
}

TEST_F(Cifar10, SplitsNineToOneAndLosesNothing) {
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.name, "cifar10");
  EXPECT_EQ(dataset.train.size(), 90);
  EXPECT_EQ(dataset.val.size(), 10);
  EXPECT_EQ(dataset.test.size(), kBatchSize);
  std::vector<int> numbers = numbers_of(dataset.train);
  const std::vector<int> val = numbers_of(dataset.val);
  numbers.insert(numbers.end(), val.begin(), val.end());
  EXPECT_FALSE(std::ranges::is_sorted(numbers)) << "the split is to be permuted";
  std::ranges::sort(numbers);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(numbers[size_t(i)], i);
}

TEST_F(Cifar10, PlanesBecomePixelsAndKeepTheirLabel) {
  const Dataset dataset = load_dataset(config_);
  for (const PictureSet* set : {&dataset.train, &dataset.val, &dataset.test}) {
    for (int64_t i = 0; i < set->size(); ++i) {
      const auto picture = set->picture(i);
      const int number = number_of(picture);
      ASSERT_EQ(set->labels[size_t(i)], number % 10);
      for (size_t pixel = 0; pixel < 1024; ++pixel) {
        for (size_t c = 0; c < 3; ++c) {
          ASSERT_EQ(picture[3 * pixel + c], uint8_t(record_byte(number, 1 + c * 1024 + pixel)));
        }
      }
    }
  }
}

TEST_F(Cifar10, TestPicturesKeepTheirOrder) {
  const std::vector<int> numbers = numbers_of(load_dataset(config_).test);
  for (int i = 0; i < kBatchSize; ++i) EXPECT_EQ(numbers[size_t(i)], 1000 + i);
}

TEST_F(Cifar10, SeedMovesTheSplit) {
  const std::vector<int> val = numbers_of(load_dataset(config_).val);
  EXPECT_EQ(numbers_of(load_dataset(config_).val), val);
  config_.seed = 43;
  EXPECT_NE(numbers_of(load_dataset(config_).val), val);
}

TEST_F(Cifar10, SizesCanBeChosen) {
  const std::vector<int> all = numbers_of(load_dataset(config_).train);
  config_.train_size = 7;
  config_.test_size = 3;
  Dataset dataset = load_dataset(config_);
  EXPECT_EQ(numbers_of(dataset.train), std::vector<int>(all.begin(), all.begin() + 7));
  EXPECT_EQ(numbers_of(dataset.test), (std::vector<int>{1000, 1001, 1002}));
  EXPECT_EQ(dataset.test.pixels.size(), 3u * 3072);
  config_ = {.name = "cifar10", .path = folder_.path(), .val_size = 40};
  dataset = load_dataset(config_);
  EXPECT_EQ(dataset.val.size(), 40);
  EXPECT_EQ(dataset.train.size(), 60);
}

TEST_F(Cifar10, TakesNamesAndConstants) {
  const Dataset dataset = load_dataset(config_);
  EXPECT_EQ(dataset.class_names.size(), 10u);
  EXPECT_EQ(dataset.class_names[6], "frog");
  EXPECT_FLOAT_EQ(dataset.mean[2], 0.4465f);
  EXPECT_FLOAT_EQ(dataset.stddev[0], 0.2470f);
}

TEST_F(Cifar10, TakesWindowsLineEnds) {
  write("batches.meta.txt", "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\n");
  EXPECT_EQ(load_dataset(config_).class_names[9], "j");
}

TEST_F(Cifar10, RefusesAMissingFolder) {
  config_.path = file("nowhere");
  EXPECT_EQ(error(), "data set cifar10: expected in path the folder that holds data_batch_1.bin, found \"" +
                         config_.path + "\", which is no folder");
}

TEST_F(Cifar10, RefusesAMissingFile) {
  for (const char* name : {"data_batch_1.bin", "data_batch_4.bin", "test_batch.bin", "batches.meta.txt"}) {
    const auto bytes = file(name) + ".away";
    std::filesystem::rename(file(name), bytes);
    EXPECT_NE(error().find(file(name)), std::string::npos) << error();
    std::filesystem::rename(bytes, file(name));
  }
}

TEST_F(Cifar10, RefusesAFileCutInsideARecord) {
  write("data_batch_3.bin", records(40, kBatchSize).substr(0, 20 * kRecord - 1));
  EXPECT_EQ(error(), file("data_batch_3.bin") +
                         ": expected whole records of 3073 bytes, found 61459 bytes: the file is cut short or no "
                         "CIFAR-10 batch");
}

TEST_F(Cifar10, RefusesAFileCutBetweenRecords) {
  write("test_batch.bin", records(1000, kBatchSize - 1));
  EXPECT_EQ(error(), file("test_batch.bin") + ": expected 20 pictures, as in data_batch_1.bin, found 19");
}

TEST_F(Cifar10, RefusesAnEmptyFile) {
  write("data_batch_1.bin", "");
  EXPECT_NE(error().find("found 0 bytes"), std::string::npos) << error();
}

TEST_F(Cifar10, RefusesALabelOutOfRange) {
  for (const int label : {10, 255}) {
    std::string bytes = records(20, kBatchSize);
    bytes[4 * kRecord] = char(label);
    write("data_batch_2.bin", bytes);
    EXPECT_EQ(error(),
              file("data_batch_2.bin") + ": picture 4: expected a label from 0 to 9, found " + std::to_string(label));
  }
}

TEST_F(Cifar10, RefusesWrongNumbersOfNames) {
  write("batches.meta.txt", "airplane\nautomobile\n");
  EXPECT_EQ(error(), file("batches.meta.txt") + ": expected the names of 10 classes, found 2");
}

TEST_F(Cifar10, RefusesMoreThanThereIs) {
  config_.test_size = 21;
  EXPECT_EQ(error(), "data set cifar10: expected test_size of at most 20, found 21");
  config_.test_size = 0;
  config_.train_size = 91;
  EXPECT_EQ(error(), "data set cifar10: expected train_size of at most 90, found 91");
  config_.train_size = 0;
  config_.val_size = 100;
  EXPECT_EQ(error(), "data set cifar10: expected val_size of at most 99, found 100");
}

TEST_F(Cifar10, RefusesAnotherSide) {
  config_.image = 64;
  EXPECT_EQ(error(), "data set cifar10: expected image = 32, found 64");
}

}  // namespace
}  // namespace moefb::trainer
