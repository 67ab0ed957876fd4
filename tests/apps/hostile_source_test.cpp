// `convert` on sources that are damaged, of another kind, or made to harm: exit 1, a message that names the file and
// what is wrong with it, and no output.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <limits>

#include "apps/fixture_model.h"
#include "apps/process.h"
#include "converter/atomic_file.h"

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
  file.tensors.erase("gate.w_gate.bias");
  safetensors::write(weights(), file);
  expect_refused(weights(), "tensor \"gate.w_gate.bias\" is missing");
  file.tensors["gate.w_gate.bias"] = bias;
  file.tensors["extra"] = bias;
  safetensors::write(weights(), file);
  expect_refused(weights(), "tensor \"extra\" is unexpected");
}

}  // namespace
}  // namespace moefb::testing
