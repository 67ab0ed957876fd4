#include "apps/moe-infer/pictures.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "apps/common/model_files.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "apps/moe-infer/answer.h"
#include "apps/moe-infer/metrics_report.h"
#include "apps/moe-infer/routing_image.h"

namespace moefb::infer {
namespace {

/// The `top` likeliest classes; among equals the lower index first.
std::vector<ClassProbability> best_classes(const Model& model, std::span<const float> probabilities, int top) {
  std::vector<int> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return probabilities[size_t(a)] > probabilities[size_t(b)]; });
  order.resize(std::min(order.size(), size_t(top)));
  std::vector<ClassProbability> best;
  for (const int c : order) best.push_back({apps::class_text(model, c), probabilities[size_t(c)]});
  return best;
}

RouterMetrics make_metrics(const Model& model, const Flags& flags) {
  Result<RouterMetrics> metrics = RouterMetrics::create(model);
  apps::check(metrics.status(), flags.model);
  return std::move(*metrics);
}

/// Answers one picture after the other with the same Executor and buffers.
class PictureClassifier {
 public:
  PictureClassifier(const Model& model, const Flags& flags)
      : flags_(flags),
        model_(model),
        metrics_(flags.metrics ? std::optional(make_metrics(model, flags)) : std::nullopt),
        executor_(apps::make_executor(model, options(flags), flags.model)),
        input_(size_t(model.input_shape().elements())),
        logits_(size_t(model.classes())) {}

  /// @param index  of the picture on the command line
  /// @throws std::runtime_error "FILE: what was found"
  Answer answer(size_t index) {
    const std::string& picture = flags_.pictures[index];
    Result<Image> image = load_image(picture.c_str());
    apps::check(image.status(), picture);
    apps::check(preprocess(*image, *model_.preprocessing(), input_), picture);
    apps::check(executor_.run(input_, logits_), picture);
    softmax(logits_, logits_);
    Answer answer{picture, best_classes(model_, logits_, flags_.top), std::nullopt, ""};
    if (flags_.routing) answer.routing = read_routing(executor_);
    if (!flags_.routing_image.empty()) answer.routing_image = draw(index, *image, answer);
    if (metrics_) apps::check(metrics_->add(executor_), picture);
    ++answered_;
    return answer;
  }

  /// Of all pictures answered so far.
  std::string metrics() const { return (flags_.json ? metrics_json : metrics_text)(*metrics_, model_, answered_); }
  int64_t answered() const { return answered_; }

 private:
  static ExecutorOptions options(const Flags& flags) {
    ExecutorOptions options = flags.executor;
    const bool traced = flags.routing || flags.metrics || !flags.routing_image.empty();
    options.trace = traced ? Trace::kRouting : Trace::kOff;
    return options;
  }

  std::string draw(size_t index, const Image& image, const Answer& answer) const {
    const std::string file = routing_image_file(flags_.routing_image, index, flags_.pictures.size());
    write_routing_image(file, executor_, image, answer, flags_.model);
    return file;
  }

  const Flags& flags_;
  Model model_;
  std::optional<RouterMetrics> metrics_;
  Executor executor_;
  std::vector<float> input_;
  std::vector<float> logits_;
  int64_t answered_ = 0;
};

}  // namespace

bool classify_pictures(const Flags& flags) {
  const Model model = apps::load_model(flags.model, flags.load);
  if (model.input_kind() != InputKind::kPicture) {
    throw std::runtime_error(flags.model + ": takes " + apps::takes(model) + ", not pictures: use --input");
  }
  if (!flags.routing_image.empty()) check_draws_patches(model, flags.model);
  PictureClassifier classifier(model, flags);
  bool all_answered = true;
  for (size_t i = 0; i < flags.pictures.size(); ++i) {
    std::string text;
    try {
      const Answer answer = classifier.answer(i);
      text = flags.json ? answer_json(answer) : answer_text(answer);
    } catch (const std::runtime_error& e) {
      apps::complain(e.what());
      all_answered = false;
    }
    apps::print(text);
  }
  if (flags.metrics && classifier.answered() > 0) apps::print(classifier.metrics());
  return all_answered;
}

}  // namespace moefb::infer
