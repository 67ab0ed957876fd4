// The ResNet-18 that patch networks are compared with, against its formulas.
#include <gtest/gtest.h>

#include "runtime/model_runs.h"
#include "runtime/plain_layers.h"

namespace moefb {
namespace {

using testing::LoadedModel;
using testing::SyntheticWeights;
namespace plain = testing::plain;

constexpr int64_t kHeight = 45, kWidth = 38, kClasses = 5, kBatch = 3;

SyntheticWeights weights() {
  SyntheticWeights w(7);
  w.add_resnet18(4, kClasses);
  return w;
}

convert::Config config() {
  convert::Config c = convert::make_config(convert::Kind::kResnet18);
  c.image = convert::ImageSize{kHeight, kWidth};
  return c;
}

plain::Map block(const plain::Map& x, const plain::Weights& w, const std::string& key, int64_t stride) {
  const plain::Map hidden =
      plain::relu(plain::batch_norm(plain::conv(x, w, key + "conv1.weight", stride), w, key + "bn1"));
  const plain::Map out = plain::batch_norm(plain::conv(hidden, w, key + "conv2.weight"), w, key + "bn2");
  if (!w.has(key + "downsample.0.weight")) return plain::relu(plain::add(out, x));
  const plain::Map skip = plain::conv(x, w, key + "downsample.0.weight", stride);
  return plain::relu(plain::add(out, plain::batch_norm(skip, w, key + "downsample.1")));
}

std::vector<double> logits_of(const plain::Map& image, const plain::Weights& w) {
  plain::Map x = plain::max_pool(plain::relu(plain::batch_norm(plain::conv(image, w, "conv1.weight", 2), w, "bn1")));
  for (int layer = 1; layer <= 4; ++layer) {
    const std::string key = "layer" + std::to_string(layer) + ".";
    x = block(x, w, key + "0.", layer == 1 ? 1 : 2);
    x = block(x, w, key + "1.", 1);
  }
  return plain::linear(plain::pool(x), w, "fc");
}

TEST(Resnet18, AnswersAsItsFormulasSay) {
  const SyntheticWeights w = weights();
  const std::vector<float> input = testing::random_input(kBatch * 3 * kHeight * kWidth, 1);
  std::vector<double> expected;
  for (int64_t n = 0; n < kBatch; ++n) {
    plain::Map image(3, kHeight, kWidth);
    std::copy_n(input.begin() + n * int64_t(image.values.size()), image.values.size(), image.values.begin());
    const std::vector<double> logits = logits_of(image, plain::Weights(w.file));
    expected.insert(expected.end(), logits.begin(), logits.end());
  }
  for (Kernels kernels : {Kernels::kReference, Kernels::kAuto}) {
    const LoadedModel loaded(config(), w, kernels, kBatch);
    for (int threads : {1, 2}) {
      ExecutorOptions options;
      options.threads = threads;
      Result<Executor> executor = Executor::create(loaded.model, options);
      ASSERT_TRUE(executor.ok()) << executor.status().text();
      testing::expect_close(testing::run(*executor, input, kBatch * kClasses), expected, 2e-5,
                            kernels == Kernels::kReference ? "reference" : "auto");
    }
  }
}

}  // namespace
}  // namespace moefb
