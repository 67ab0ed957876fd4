// Files of torch.save, sound and hostile. That the original's files are read right is golden_trainer_test's.
#include "trainer/import/torch_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/import/damage.h"
#include "trainer/import/torch_archive.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::PickleWriter;
using testing::Records;
using testing::write_archive;

std::vector<std::byte> floats(const std::vector<float>& values) {
  return safetensors::Tensor::from_f32({int64_t(values.size())}, values).data;
}

/// {"model": {"w": a tensor}, "val_acc": 0.5}
Records one_tensor(const std::string& type, int64_t elements, int64_t offset, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& strides) {
  PickleWriter pickle;
  pickle.dict().mark().text("model").ordered_dict().mark().text("w");
  pickle.tensor(type, "0", elements, offset, shape, strides).set_items().text("val_acc").number(0.5).set_items();
  return {{"data.pkl", pickle.done()}, {"data/0", floats({0, 1, 2, 3, 4, 5})}};
}

class TorchFile : public ::testing::Test {
 protected:
  PublishedCheckpoint read(const Records& records) const {
    write_archive(path_, records);
    return read_published_checkpoint(path_);
  }
  std::string refusal(const Records& records) const {
    return testing::message_of([&] { read(records); });
  }
  std::string refusal_of_pickle(PickleWriter pickle) const { return refusal({{"data.pkl", pickle.done()}}); }
  std::string refusal_of_bytes(const std::vector<std::byte>& bytes) const {
    write_file_atomically(path_, bytes);
    return testing::message_of([&] { read_published_checkpoint(path_); });
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "model.pt";
};

TEST_F(TorchFile, ReadsWeightsAndAccuracy) {
  safetensors::File weights;
  weights.tensors["a.weight"] = safetensors::Tensor::from_f32({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  weights.tensors["a.steps"] = safetensors::Tensor::from_i64({}, std::vector<int64_t>{7});
  const PublishedCheckpoint checkpoint = read(testing::published_container(weights));
  EXPECT_EQ(checkpoint.val_acc, 0.5);
  ASSERT_EQ(checkpoint.weights.tensors.size(), 2u);
  for (const auto& [name, expected] : weights.tensors) {
    const safetensors::Tensor& found = checkpoint.weights.tensors.at(name);
    EXPECT_EQ(found.dtype, expected.dtype);
    EXPECT_EQ(found.shape, expected.shape);
    EXPECT_EQ(found.data, expected.data);
  }
}

TEST_F(TorchFile, FollowsOffsetAndStrides) {
  const PublishedCheckpoint checkpoint = read(one_tensor("FloatStorage", 6, 1, {2, 2}, {1, 3}));
  EXPECT_EQ(checkpoint.weights.tensors.at("w").to_f32(), (std::vector<float>{1, 4, 2, 5}));
}

TEST_F(TorchFile, RefusesTensorsThatReachOutside) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  const auto reach = [this](int64_t offset, const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
    return refusal(one_tensor("FloatStorage", 6, offset, shape, strides));
  };
  EXPECT_EQ(reach(0, {2, 3}, {3, 1}), "");
  for (const std::string& message :
       {reach(1, {2, 3}, {3, 1}), reach(0, {7}, {1}), reach(-1, {2}, {1}), reach(0, {2}, {-1}), reach(0, {-2}, {1}),
        reach(0, {0}, {1}), reach(0, {huge, huge}, {0, 0}), reach(0, {2, 2}, {huge, huge}), reach(huge, {2}, {1}),
        reach(0, {100}, {0})}) {
    EXPECT_EQ(message, path_ + ": tensor w: reaches outside its storage of 6 elements");
  }
  EXPECT_TRUE(contains(reach(0, {2, 3}, {1}), "each with a stride, found 2 and 1"));
  EXPECT_TRUE(contains(reach(0, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)), "at most 8 dimensions"));
}

TEST_F(TorchFile, RefusesAStorageOfAnotherSize) {
  EXPECT_TRUE(contains(refusal(one_tensor("FloatStorage", 7, 0, {2}, {1})),
                       "tensor w: expected a storage of 7 elements, found 24 bytes"));
  EXPECT_TRUE(contains(refusal(one_tensor("LongStorage", 6, 0, {2}, {1})), "found 24 bytes"));
  EXPECT_TRUE(contains(refusal(one_tensor("FloatStorage", -1, 0, {2}, {1})), "a storage of -1 elements"));
}

TEST_F(TorchFile, RefusesAStorageThatIsMissing) {
  Records records = one_tensor("FloatStorage", 6, 0, {6}, {1});
  records.erase("data/0");
  EXPECT_EQ(refusal(records), path_ + ": expected a file model/data/0 inside, found none");
}

TEST_F(TorchFile, RefusesOtherTypes) {
  EXPECT_TRUE(contains(refusal(one_tensor("QInt8Storage", 6, 0, {6}, {1})), "storage type QInt8 is not used"));
}

TEST_F(TorchFile, RefusesWeightsThatAreNotFinite) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Records records = one_tensor("FloatStorage", 6, 0, {6}, {1});
    records["data/0"] = floats({0, 1, 2, 3, value, 5});
    const std::string message = refusal(records);
    EXPECT_TRUE(contains(message, path_ + ": tensor w: expected finite weights, found "));
    EXPECT_TRUE(contains(message, " at 4"));
  }
}

TEST_F(TorchFile, RefusesOtherContainers) {
  EXPECT_TRUE(
      contains(refusal_of_pickle(PickleWriter().none()), "expected a dict with the key \"val_acc\", found none"));
  EXPECT_TRUE(contains(refusal_of_pickle(PickleWriter().dict().text("val_acc").number(0.5).raw("s")),
                       "expected a dict with the key \"model\", found none"));
  EXPECT_TRUE(contains(refusal_of_pickle(PickleWriter().dict().text("val_acc").integer(1).raw("s")),
                       "\"val_acc\": expected a float, found a int"));
  PickleWriter list;
  list.dict().mark().text("val_acc").number(0.5).text("model").raw("]").set_items();
  EXPECT_TRUE(contains(refusal_of_pickle(list), "\"model\": expected a dict, found a list"));
}

TEST_F(TorchFile, RefusesAnAccuracyOutOfRange) {
  for (const double value : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_TRUE(contains(refusal_of_pickle(PickleWriter().dict().text("val_acc").number(value).raw("s")),
                         "\"val_acc\": expected a share from 0 to 1, found"));
  }
}

TEST_F(TorchFile, RefusesAStateDictOfOtherThings) {
  PickleWriter pickle;
  pickle.dict().mark().text("val_acc").number(0.5).text("model").dict().text("w").integer(3).raw("s").set_items();
  EXPECT_TRUE(contains(refusal_of_pickle(pickle), "\"model\": expected tensors by name, found a int under a text"));
}

TEST_F(TorchFile, RefusesATensorThatIsThereTwice) {
  PickleWriter pickle;
  pickle.dict().mark().text("val_acc").number(0.5).text("model").dict().mark();
  for (int i = 0; i < 2; ++i) pickle.text("w").tensor("FloatStorage", "0", 6, 0, {6}, {1});
  pickle.set_items().set_items();
  EXPECT_EQ(refusal({{"data.pkl", pickle.done()}, {"data/0", floats({0, 1, 2, 3, 4, 5})}}),
            path_ + ": tensor w is there twice");
}

TEST_F(TorchFile, RefusesToRunCode) {
  PickleWriter pickle;
  pickle.global("os", "system").mark().text("echo").tuple().reduce();
  EXPECT_TRUE(contains(refusal_of_pickle(pickle), path_ + ": pickle, byte 24: refuses to call os system"));
}

TEST_F(TorchFile, RefusesBigEndianTensors) {
  Records records = one_tensor("FloatStorage", 6, 0, {6}, {1});
  records["byteorder"] = PickleWriter::unfinished("big");
  EXPECT_EQ(refusal(records), path_ + ": expected little-endian tensors, found byteorder big");
}

TEST_F(TorchFile, RefusesWhatIsNoFileOfTorchSave) {
  EXPECT_TRUE(contains(refusal_of_bytes(PickleWriter().none().done()), "expected a zip file of torch.save"));
  EXPECT_TRUE(contains(testing::message_of([&] { read_published_checkpoint(folder_ / "absent.pt"); }), "absent.pt"));
  EXPECT_TRUE(contains(refusal({{"other", {}}}), "expected a file /data.pkl inside, found none"));
}

TEST_F(TorchFile, RefusesEveryLengthThatIsCut) {
  write_archive(path_, one_tensor("FloatStorage", 6, 0, {6}, {1}));
  testing::expect_every_cut_refused(read_file(path_), [this](const auto& bytes) { return refusal_of_bytes(bytes); });
}

TEST_F(TorchFile, NoticesEveryWeightThatIsChanged) {
  write_archive(path_, one_tensor("FloatStorage", 6, 0, {6}, {1}));
  testing::expect_every_change_noticed(
      read_file(path_), floats({0, 1, 2, 3, 4, 5}), [this](const auto& bytes) { return refusal_of_bytes(bytes); },
      path_ + ": file model/data/0 inside is damaged: its checksum differs");
}

}  // namespace
}  // namespace moefb::trainer
