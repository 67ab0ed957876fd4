#include "apps/moe-infer/pictures.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "apps/common/model_files.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "apps/moe-infer/answer.h"

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

/// Answers one picture after the other with the same Executor and buffers.
class PictureClassifier {
 public:
  PictureClassifier(const Model& model, const Flags& flags)
      : flags_(flags),
        model_(model),
        executor_(apps::make_executor(model, options(flags), flags.model)),
        input_(size_t(model.input_shape().elements())),
        logits_(size_t(model.classes())) {}

  /// @throws std::runtime_error "FILE: what was found"
  Answer answer(const std::string& picture) {
    Result<Image> image = load_image(picture.c_str());
    apps::check(image.status(), picture);
    apps::check(preprocess(*image, *model_.preprocessing(), input_), picture);
    apps::check(executor_.run(input_, logits_), picture);
    softmax(logits_, logits_);
    Answer answer{picture, best_classes(model_, logits_, flags_.top), std::nullopt};
    if (flags_.routing) answer.routing = read_routing(executor_);
    return answer;
  }

 private:
  static ExecutorOptions options(const Flags& flags) {
    ExecutorOptions options = flags.executor;
    options.trace = flags.routing ? Trace::kRouting : Trace::kOff;
    return options;
  }

  const Flags& flags_;
  Model model_;
  Executor executor_;
  std::vector<float> input_;
  std::vector<float> logits_;
};

}  // namespace

bool classify_pictures(const Flags& flags) {
  const Model model = apps::load_model(flags.model, flags.load);
  if (model.input_kind() != InputKind::kPicture) {
    throw std::runtime_error(flags.model + ": takes " + apps::takes(model) + ", not pictures: use --input");
  }
  PictureClassifier classifier(model, flags);
  bool all_answered = true;
  for (const std::string& picture : flags.pictures) {
    std::string text;
    try {
      const Answer answer = classifier.answer(picture);
      text = flags.json ? answer_json(answer) : answer_text(answer);
    } catch (const std::runtime_error& e) {
      apps::complain(e.what());
      all_answered = false;
    }
    apps::print(text);
  }
  return all_answered;
}

}  // namespace moefb::infer
