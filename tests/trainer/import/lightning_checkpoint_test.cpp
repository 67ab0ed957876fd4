// Checkpoints of Lightning, sound and hostile. What all files of torch.save share is torch_file_test's; that the
// original's file is read right is golden_trainer_test's.
#include <gtest/gtest.h>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/import/damage.h"
#include "trainer/import/torch_archive.h"
#include "trainer/import/torch_file.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::PickleWriter;
using testing::Records;
using testing::write_archive;

safetensors::File two_tensors() {
  safetensors::File weights;
  weights.tensors["a.weight"] = safetensors::Tensor::from_f32({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  weights.tensors["model.steps"] = safetensors::Tensor::from_i64({}, std::vector<int64_t>{7});  // a prefix of its own
  return weights;
}

void expect_same(const safetensors::File& found, const safetensors::File& expected) {
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    ASSERT_TRUE(found.tensors.contains(name)) << name;
    EXPECT_EQ(found.tensors.at(name).dtype, tensor.dtype) << name;
    EXPECT_EQ(found.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_TRUE(found.tensors.at(name).data == tensor.data) << name;
  }
}

class Lightning : public ::testing::Test {
 protected:
  LightningCheckpoint read(const Records& records) const {
    write_archive(path_, records);
    return read_lightning_checkpoint(path_);
  }
  std::string refusal(PickleWriter pickle) const {
    return testing::message_of([&] { read({{"data.pkl", pickle.done()}, {"data/0", std::vector<std::byte>(24)}}); });
  }
  /// Of a checkpoint with one tensor of this name.
  std::string refusal_of_key(const std::string& key) const {
    PickleWriter pickle;
    pickle.dict().mark().text("state_dict").dict().text(key).tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("s");
    return refusal(pickle.set_items());
  }
  std::string refusal_of_bytes(const std::vector<std::byte>& bytes) const {
    write_file_atomically(path_, bytes);
    return testing::message_of([&] { read_lightning_checkpoint(path_); });
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "last.ckpt";
};

TEST_F(Lightning, WeightsLoseTheirPrefixAndAllElseIsIgnored) {
  const LightningCheckpoint checkpoint = read(testing::lightning_container(two_tensors()));
  EXPECT_EQ(checkpoint.epoch, 149);
  expect_same(checkpoint.weights, two_tensors());
}

TEST_F(Lightning, ReadsEveryTensorOfAPublishedNetwork) {
  const auto weights =
      safetensors::read(std::string(MOEFB_TEST_DATA) + "/golden/seed2_net_tiny_ckpt/state_dict.safetensors");
  ASSERT_FALSE(weights.tensors.empty());
  expect_same(read(testing::lightning_container(weights)).weights, weights);
}

TEST_F(Lightning, ReadsABareStateDict) {
  safetensors::File weights = two_tensors();
  for (const char* prefix : {"", "model."}) {
    const LightningCheckpoint checkpoint = read(testing::bare_state_dict(weights, prefix));
    EXPECT_EQ(checkpoint.epoch, std::nullopt);
    expect_same(checkpoint.weights, weights);
  }
}

TEST_F(Lightning, TheEpochMayBeMissing) {
  PickleWriter pickle;
  pickle.dict().mark().text("state_dict").dict().text("model.w").tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("s");
  const LightningCheckpoint checkpoint =
      read({{"data.pkl", pickle.set_items().done()}, {"data/0", std::vector<std::byte>(24)}});
  EXPECT_EQ(checkpoint.epoch, std::nullopt);
  EXPECT_EQ(checkpoint.weights.tensors.at("w").to_f32(), std::vector<float>(6, 0.0f));
}

TEST_F(Lightning, RefusesKeysWithoutThePrefix) {
  EXPECT_EQ(refusal_of_key("model.w"), "");
  EXPECT_EQ(refusal_of_key("w"), path_ + ": expected every tensor's name to begin with model., found w");
  EXPECT_EQ(refusal_of_key("model."), path_ + ": expected every tensor's name to begin with model., found model.");
}

TEST_F(Lightning, RefusesAnEpochThatIsNoCount) {
  EXPECT_EQ(refusal(PickleWriter().dict().mark().text("state_dict").dict().text("epoch").integer(-1).set_items()),
            path_ + ": \"epoch\": expected 0 or more, found -1");
  EXPECT_EQ(refusal(PickleWriter().dict().mark().text("state_dict").dict().text("epoch").number(3).set_items()),
            path_ + ": \"epoch\": expected a int, found a float");
}

TEST_F(Lightning, RefusesOtherContainers) {
  EXPECT_EQ(refusal(PickleWriter().none()),
            path_ + ": expected a dict with the key \"state_dict\", or a bare state_dict, found a None");
  EXPECT_EQ(refusal(PickleWriter().dict()), path_ + ": expected a state_dict with tensors, found it empty");
  EXPECT_EQ(refusal(PickleWriter().dict().text("state_dict").dict().raw("s")),
            path_ + ": expected a state_dict with tensors, found it empty");
  EXPECT_EQ(refusal(PickleWriter().dict().text("state_dict").raw("]").raw("s")),
            path_ + ": \"state_dict\": expected a dict, found a list");
  EXPECT_EQ(
      refusal(PickleWriter().dict().mark().text("state_dict").dict().text("model.w").integer(3).raw("s").raw("u")),
      path_ + ": \"state_dict\": expected tensors by name, found a int under a text");
  EXPECT_EQ(refusal(PickleWriter().dict().text("epoch").integer(3).raw("s")),
            path_ +
                ": without a \"state_dict\" inside, the file itself: expected tensors by name, found a int under a "
                "text");
}

TEST_F(Lightning, RefusesToRunCodeInWhatItIgnores) {
  PickleWriter pickle;
  pickle.dict().mark().text("callbacks").global("os", "system").mark().text("echo").tuple().reduce().set_items();
  EXPECT_TRUE(contains(refusal(pickle), "refuses to call os system"));
}

TEST_F(Lightning, RefusesEveryLengthThatIsCut) {
  write_archive(path_, testing::lightning_container(two_tensors()));
  testing::expect_every_cut_refused(read_file(path_), [this](const auto& bytes) { return refusal_of_bytes(bytes); });
}

TEST_F(Lightning, NoticesEveryWeightThatIsChanged) {
  write_archive(path_, testing::lightning_container(two_tensors()));
  testing::expect_every_change_noticed(
      read_file(path_), two_tensors().tensors.at("a.weight").data,
      [this](const auto& bytes) { return refusal_of_bytes(bytes); }, "inside is damaged: its checksum differs");
}

}  // namespace
}  // namespace moefb::trainer
