// `shapes` must need a network: a linear classifier on its pixels has to fail. So the classifier is given every chance:
// enough pictures, several strengths of weight decay, and its best accuracy on the test set over all epochs counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "trainer/data/augment.h"
#include "trainer/data/dataset.h"

namespace moefb::trainer {
namespace {

constexpr size_t kClasses = 12;

/// Normalised pictures, (n, inputs), with their labels.
struct Samples {
  std::vector<float> inputs;
  std::vector<int64_t> labels;
  size_t width = 0;

  std::span<const float> row(size_t i) const { return {inputs.data() + i * width, width}; }
};

Samples samples_of(const PictureSet& set, const Dataset& dataset) {
  Samples samples;
  samples.labels = set.labels;
  samples.width = set.picture_bytes();
  samples.inputs.resize(set.pixels.size());
  std::vector<int64_t> all(set.labels.size());
  std::iota(all.begin(), all.end(), 0);
  make_batch(set, all, dataset, {}, 0, 0, samples.inputs);
  return samples;
}

/// Softmax regression: class scores are weights * input + bias, trained on cross-entropy by Adam.
class LinearClassifier {
 public:
  explicit LinearClassifier(size_t inputs)
      : inputs_(inputs), values_(kClasses * (inputs + 1)), first_(values_), second_(values_) {}

  void train_epoch(const Samples& samples, std::span<const int64_t> order, float rate, float decay) {
    constexpr size_t kBatch = 50;
    std::vector<float> gradient(values_.size());
    for (size_t start = 0; start < order.size(); start += kBatch) {
      const auto batch = order.subspan(start, std::min(kBatch, order.size() - start));
      std::ranges::fill(gradient, 0.0f);
      for (const int64_t i : batch) add_gradient(samples, size_t(i), 1 / float(batch.size()), gradient);
      step(gradient, rate, decay);
    }
  }

  double accuracy(const Samples& samples) const {
    size_t right = 0;
    for (size_t i = 0; i < samples.labels.size(); ++i) {
      const auto scores = scores_of(samples.row(i));
      right += std::ranges::max_element(scores) - scores.begin() == samples.labels[i] ? 1 : 0;
    }
    return double(right) / double(samples.labels.size());
  }

 private:
  std::array<float, kClasses> scores_of(std::span<const float> input) const {
    std::array<float, kClasses> scores;
    for (size_t c = 0; c < kClasses; ++c) {
      const float* weights = values_.data() + c * (inputs_ + 1);
      std::array<float, 8> sums{};  // eight sums at once, so that the compiler may use vectors
      for (size_t i = 0; i < inputs_; i += 8) {
        for (size_t lane = 0; lane < 8; ++lane) sums[lane] += weights[i + lane] * input[i + lane];
      }
      scores[c] = std::accumulate(sums.begin(), sums.end(), weights[inputs_]);
    }
    return scores;
  }

  /// d(cross-entropy) / d(score c) = probability c - [c is the label]
  void add_gradient(const Samples& samples, size_t i, float share, std::span<float> gradient) const {
    auto errors = scores_of(samples.row(i));
    const float top = std::ranges::max(errors);
    float sum = 0;
    for (float& e : errors) sum += e = std::exp(e - top);
    for (float& e : errors) e /= sum;
    errors[size_t(samples.labels[i])] -= 1;
    const float* input = samples.row(i).data();
    for (size_t c = 0; c < kClasses; ++c) {
      float* row = gradient.data() + c * (inputs_ + 1);
      const float error = errors[c] * share;
      for (size_t k = 0; k < inputs_; ++k) row[k] += error * input[k];
      row[inputs_] += error;
    }
  }

  void step(std::span<const float> gradient, float rate, float decay) {
    ++steps_;
    const float first_scale = 1 / (1 - std::pow(0.9f, float(steps_)));
    const float second_scale = 1 / (1 - std::pow(0.999f, float(steps_)));
    for (size_t i = 0; i < values_.size(); ++i) {
      first_[i] = 0.9f * first_[i] + 0.1f * gradient[i];
      second_[i] = 0.999f * second_[i] + 0.001f * gradient[i] * gradient[i];
      const float move = first_[i] * first_scale / (std::sqrt(second_[i] * second_scale) + 1e-8f);
      values_[i] -= rate * (move + decay * values_[i]);
    }
  }

  size_t inputs_;
  int steps_ = 0;
  std::vector<float> values_;  // (classes, inputs + 1): weights and bias
  std::vector<float> first_, second_;
};

struct Outcome {
  double best_on_test = 0;
  double on_train = 0;
};

Outcome fit(const Samples& train, const Samples& test, float rate, float decay) {
  LinearClassifier classifier(train.width);
  Outcome outcome;
  for (int epoch = 0; epoch < 8; ++epoch) {
    classifier.train_epoch(train, epoch_order(int64_t(train.labels.size()), 1, epoch), rate, decay);
    outcome.best_on_test = std::max(outcome.best_on_test, classifier.accuracy(test));
  }
  outcome.on_train = classifier.accuracy(train);
  return outcome;
}

TEST(LinearClassifier, LearnsWhatIsLinear) {
  // Pictures whose brightness is their class: the same code must then be nearly always right.
  Samples samples;
  samples.width = 48;
  for (int i = 0; i < 1200; ++i) {
    const int label = i % int(kClasses);
    samples.labels.push_back(label);
    for (int k = 0; k < 48; ++k) samples.inputs.push_back(k / 4 == label ? 1.0f : float((i * 7 + k * 13) % 11) * 0.05f);
  }
  EXPECT_GT(fit(samples, samples, 3e-3f, 0).best_on_test, 0.99);
}

TEST(LinearClassifier, StaysBelowHalfOnShapes) {
  DataConfig config;
  config.train_size = 4'000;
  config.val_size = 1;
  const Dataset dataset = load_dataset(config);
  const Samples train = samples_of(dataset.train, dataset);
  const Samples test = samples_of(dataset.test, dataset);
  for (const float decay : {0.0f, 0.3f}) {
    const Outcome outcome = fit(train, test, 1e-3f, decay);
    std::printf("linear classifier, weight decay %.1f: %.1f %% on train, at best %.1f %% on test\n", double(decay),
                100 * outcome.on_train, 100 * outcome.best_on_test);
    EXPECT_GT(outcome.on_train, 0.25) << "it did not learn: chance is 0.083";
    EXPECT_LT(outcome.best_on_test, 0.5);
  }
}

}  // namespace
}  // namespace moefb::trainer
