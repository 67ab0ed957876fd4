// `convert` on sources that are damaged, of another kind, or made to harm: exit 1, a message that names the file and
// what is wrong with it, and no output.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <limits>

#include "apps/fixture_model.h"
#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/synthetic_weights.h"

namespace moefb::testing {
namespace {

namespace fs = std::filesystem;
using safetensors::Tensor;

/// A run folder made of a fixture, for a test to spoil.
class HostileSource : public ::testing::Test {
 protected:
  HostileSource() {
    const std::string source = std::string(MOEFB_TEST_DATA "/golden/") + kFeatureFixture;
    fs::copy(source + "/config.json", config());
    fs::copy(source + "/state_dict.safetensors", weights());
  }

  std::string config() const { return folder_ / "config.json"; }
  std::string weights() const { return folder_ / "model.safetensors"; }

  /// Replaces `file` by `text`.
  void write(const std::string& file, const std::string& text) { write_file_atomically(file, text); }

  /// Replaces one tensor of the weights.
  void set_tensor(const std::string& key, const Tensor& tensor) {
    safetensors::File file = safetensors::read(weights());
    ASSERT_TRUE(file.tensors.contains(key));
    file.tensors[key] = tensor;
    safetensors::write(weights(), file);
  }
  void remove_tensor(const std::string& key) {
    safetensors::File file = safetensors::read(weights());
    ASSERT_EQ(file.tensors.erase(key), 1u) << key;
    safetensors::write(weights(), file);
  }
  Tensor tensor(const std::string& key) const { return safetensors::read(weights()).tensors.at(key); }

  void expect_refused(const std::string& file, const std::string& message) {
    const size_t files = folder_.file_count();
    const Outcome outcome = run({MOEFB_CONVERT, folder_.path(), "-o", folder_ / "m.moefb"});
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(contains(outcome.err, "convert: " + file + ": "));
    EXPECT_TRUE(contains(outcome.err, message));
    EXPECT_EQ(folder_.file_count(), files);
  }

  TemporaryFolder folder_;
};

TEST_F(HostileSource, IsConvertedWhileItIsWhole) {
  const Outcome outcome = run({MOEFB_CONVERT, folder_.path(), "-o", folder_ / "m.moefb"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

// ---- config.json -------------------------------------------------------------------------------------------------

TEST_F(HostileSource, ConfigThatIsEmptyOrNoJson) {
  for (const char* text :
       {"", "kind = \"cifar_head\"", "{\"kind\": \"cifar_head\"", "\x89PNG\r\n", "{\"a\": \"\xff\"}"}) {
    write(config(), text);
    expect_refused(config(), "not valid JSON");
  }
}

TEST_F(HostileSource, ConfigWithAKeyTwice) {
  write(config(), R"({"kind": "cifar_head", "k": 2, "k": 1})");
  expect_refused(config(), "key \"k\" appears twice");
}

TEST_F(HostileSource, ConfigOf100000Brackets) {
  write(config(), std::string(100'000, '['));
  expect_refused(config(), "nested deeper than 32 levels");
  write(config(), "{\"kind\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}");
  expect_refused(config(), "nested deeper than 32 levels");
}

TEST_F(HostileSource, ConfigWithHugeNumbers) {
  write(config(), R"({"kind": "cifar_head", "k": 1e400})");
  expect_refused(config(), "not valid JSON");
  write(config(), "{\"kind\": \"cifar_head\", \"k\": 1" + std::string(10'000, '0') + "}");
  expect_refused(config(), "not valid JSON");
  write(config(), R"({"kind": "cifar_head", "k": 4294967298})");
  expect_refused(config(), "key \"k\": expected a whole number from 1 to");
}

TEST_F(HostileSource, ConfigThatIsAFolderOrAPipe) {
  fs::remove(config());
  fs::create_directory(config());
  expect_refused(config(), "not a regular file");
  fs::remove(config());
  ASSERT_EQ(::mkfifo(config().c_str(), 0600), 0);
  expect_refused(config(), "not a regular file");
}

TEST_F(HostileSource, ClassNamesThatATerminalWouldObey) {
  std::string text = R"({"kind": "cifar_head", "head": "sparse", "k": 2, "temperature": 1.0, "class_names": [)";
  for (int i = 0; i < 7; ++i) text += std::string(i > 0 ? ", " : "") + "\"a\\u001b[2J" + std::to_string(i) + "\"";
  write(config(), text + "]}");
  expect_refused(config(), "key \"class_names\": expected names of at most 256 bytes without control characters");
}

// ---- model.safetensors -------------------------------------------------------------------------------------------

TEST_F(HostileSource, WeightsThatAreEmptyOrSomethingElse) {
  for (const std::string& text : {std::string(), std::string("{}"), std::string(64, '\xff'), std::string(64, '\0')}) {
    write(weights(), text);
    expect_refused(weights(), "");
  }
}

TEST_F(HostileSource, WeightsCutShort) {
  const std::vector<std::byte> whole = read_file(weights());
  for (const size_t size : {size_t{7}, size_t{8}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(weights(), std::span(whole).first(size));
    expect_refused(weights(), size < 8 ? "not a safetensors file" : "cut short");
  }
}

TEST_F(HostileSource, WeightsThatAreAFolderOrAPipe) {
  fs::remove(weights());
  fs::create_directory(weights());
  expect_refused(weights(), "not a regular file");
  fs::remove(weights());
  ASSERT_EQ(::mkfifo(weights().c_str(), 0600), 0);
  expect_refused(weights(), "not a regular file");
}

TEST_F(HostileSource, WeightsThatAreNoNumbers) {
  const Tensor good = tensor("gate.w_gate.weight");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = good.to_f32();
    values[3] = bad;
    set_tensor("gate.w_gate.weight", Tensor::from_f32(good.shape, values));
    expect_refused(weights(), "tensor \"gate.w_gate.weight\": element 3 is ");
  }
}

TEST_F(HostileSource, WeightsOfDoublesBeyondAFloat) {
  const Tensor good = tensor("gate.w_gate.bias");
  set_tensor("gate.w_gate.bias", Tensor::from_f64(good.shape, std::vector<double>(size_t(good.elements()), 1e300)));
  expect_refused(weights(), "tensor \"gate.w_gate.bias\": element 0 is inf, expected a finite number");
}

TEST_F(HostileSource, WeightsOfAnotherShapeOrDtype) {
  const Tensor good = tensor("gate.w_gate.bias");
  const auto count = size_t(good.elements());
  set_tensor("gate.w_gate.bias", Tensor::from_f32({good.elements(), 1}, good.to_f32()));
  expect_refused(weights(), "tensor \"gate.w_gate.bias\" has shape (5,1), expected (5)");
  set_tensor("gate.w_gate.bias", Tensor::from_f32({0}, {}));
  expect_refused(weights(), "tensor \"gate.w_gate.bias\" has shape (0), expected (5)");
  set_tensor("gate.w_gate.bias", Tensor::from_i64(good.shape, std::vector<int64_t>(count, 1)));
  expect_refused(weights(), "tensor \"gate.w_gate.bias\": expected a tensor of floats, found I64");
}

TEST_F(HostileSource, WeightsThatLackATensorOrHaveOneMore) {
  safetensors::File file = safetensors::read(weights());
  const Tensor bias = file.tensors.at("gate.w_gate.bias");
  remove_tensor("gate.w_gate.bias");
  expect_refused(weights(), "tensor \"gate.w_gate.bias\" is missing");
  file.tensors["extra"] = bias;
  safetensors::write(weights(), file);
  expect_refused(weights(), "tensor \"extra\" is unexpected");
}

// ---- a dense comparison ------------------------------------------------------------------------------------------

/// A whole resnet18, 4 channels wide, for 32 x 32 pictures of 5 classes.
class HostileResnet18 : public HostileSource {
 protected:
  HostileResnet18() {
    write(config(), R"({"kind": "resnet18", "image": 32})");
    SyntheticWeights whole;
    whole.add_resnet18(4, 5);
    safetensors::write(weights(), whole.file);
  }
};

TEST_F(HostileResnet18, IsConvertedWhileItIsWhole) {
  const Outcome outcome = run({MOEFB_CONVERT, folder_.path(), "-o", folder_ / "m.moefb"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST_F(HostileResnet18, ConfigOfAnotherNetwork) {
  write(config(), R"({"kind": "resnet50", "image": 32})");
  expect_refused(config(),
                 "key \"kind\": expected one of cifar_e2e, cifar_head, patch_net, resnet18, found \"resnet50\"");
  write(config(), R"({"kind": "resnet18", "image": 32, "width0": 64})");
  expect_refused(config(), "key \"width0\" is 64, but tensor \"conv1.weight\" says 4");
  write(config(), R"({"kind": "resnet18", "image": 32, "num_classes": 200})");
  expect_refused(config(), "key \"num_classes\" is 200, but tensor \"fc.weight\" says 5");
}

TEST_F(HostileResnet18, ConfigWithoutAUsablePictureSize) {
  write(config(), R"({"kind": "resnet18"})");
  expect_refused(config(), "key \"image\" is missing");
  for (const char* image : {"0", "-32", "[32]", "[32, 16385]", "\"32\"", "null"}) {
    write(config(), std::string(R"({"kind": "resnet18", "image": )") + image + "}");
    expect_refused(config(), std::string("key \"image\": expected a side or [height, width], each from 1 to 16384"));
  }
}

TEST_F(HostileResnet18, WeightsThatLackATensor) {
  for (const char* key :
       {"conv1.weight", "bn1.running_mean", "layer1.1.bn2.running_var", "layer2.0.downsample.0.weight",
        "layer3.0.downsample.1.bias", "layer4.0.conv2.weight", "fc.bias", "fc.weight"}) {
    const std::vector<std::byte> whole = read_file(weights());
    remove_tensor(key);
    expect_refused(weights(), "tensor \"" + std::string(key) + "\" is missing");
    write_file_atomically(weights(), whole);
  }
}

TEST_F(HostileResnet18, WeightsOfAnotherShape) {
  const struct {
    const char* key;
    std::vector<int64_t> shape;
    const char* message;
  } cases[] = {
      {"conv1.weight", {4, 3, 3, 3}, "tensor \"conv1.weight\" has shape (4,3,3,3), expected (*,3,7,7)"},
      {"layer1.0.conv1.weight", {4, 8, 3, 3}, "has shape (4,8,3,3), expected (*,4,3,3)"},
      {"layer2.0.conv2.weight", {8, 8, 1, 1}, "has shape (8,8,1,1), expected (8,8,3,3)"},
      {"layer3.0.downsample.0.weight", {16, 8, 3, 3}, "has shape (16,8,3,3), expected (16,8,1,1)"},
      {"layer4.1.bn2.weight", {16}, "has shape (16), expected (32)"},
      {"fc.weight", {5, 128}, "has shape (5,128), expected (*,32)"},
      {"fc.bias", {6}, "has shape (6), expected (5)"},
  };
  for (const auto& [key, shape, message] : cases) {
    const std::vector<std::byte> whole = read_file(weights());
    SyntheticWeights odd;
    odd.add(key, shape);
    set_tensor(key, odd.file.tensors.at(key));
    expect_refused(weights(), "tensor \"" + std::string(key) + "\"");
    expect_refused(weights(), message);
    write_file_atomically(weights(), whole);
  }
}

TEST_F(HostileResnet18, WeightsOfAnotherNetworkOrOneTensorMore) {
  safetensors::File file = safetensors::read(weights());
  file.tensors["layer5.0.conv1.weight"] = file.tensors.at("layer1.0.conv1.weight");
  safetensors::write(weights(), file);
  expect_refused(weights(), "tensor \"layer5.0.conv1.weight\" is unexpected");
  SyntheticWeights other;
  other.add_patch_net(2, 8, 5);
  safetensors::write(weights(), other.file);
  expect_refused(weights(), "tensor \"conv1.weight\" is missing");
}

TEST_F(HostileResnet18, WeightsWithANegativeVariance) {
  set_tensor("bn1.running_var", Tensor::from_f32({4}, std::vector<float>{1, 1, -1, 1}));
  expect_refused(weights(), "tensor \"bn1.running_var\": element 2 is -1.000000, expected 0 or more");
}

}  // namespace
}  // namespace moefb::testing
