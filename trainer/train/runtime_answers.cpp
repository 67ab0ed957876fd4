#include "trainer/train/runtime_answers.h"

#include <algorithm>
#include <stdexcept>

#include "moefb/executor.h"
#include "moefb/inspect.h"
#include "moefb/model.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace {

void require(const Status& status, const std::string& path) {
  char text[256];
  if (!status.ok()) throw std::runtime_error(path + ": " + status.describe(text, sizeof(text)));
}

template <typename T>
T take(Result<T> result, const std::string& path) {
  if (!result.ok()) require(result.status(), path);
  return std::move(*result);
}

void check_fit(const Model& model, const Dataset& dataset, const PictureSet& set, const std::string& path) {
  const Preprocessing* rule = model.preprocessing();
  if (!rule) throw std::runtime_error(path + ": takes no pictures");
  if (rule->height != set.height || rule->width != set.width) {
    throw std::runtime_error(path + ": takes pictures of " + std::to_string(rule->width) + "x" +
                             std::to_string(rule->height) + ", the data set has " + std::to_string(set.width) + "x" +
                             std::to_string(set.height));
  }
  const auto& names = dataset.class_names;
  bool same_names = model.classes() == int(names.size());
  for (int c = 0; same_names && c < model.classes(); ++c) same_names = model.class_name(c) == names[size_t(c)];
  if (!same_names) throw std::runtime_error(path + ": its classes are not those of data set " + dataset.name);
}

}  // namespace

RuntimeAnswers runtime_answers(const std::string& path, const Dataset& dataset, const PictureSet& set,
                               const RuntimeSettings& settings) {
  LoadOptions load_options;
  load_options.max_batch = settings.batch;
  const Model model = take(Model::load(path.c_str(), load_options), path);
  check_fit(model, dataset, set, path);
  ExecutorOptions executor_options;
  executor_options.threads = settings.threads;
  Executor executor = take(Executor::create(model, executor_options), path);

  const size_t image = size_t(model.input_shape().elements());
  const size_t classes = size_t(model.classes());
  std::vector<float> planes(size_t(settings.batch) * image);
  RuntimeAnswers result;
  result.bf16_weights = file_info(model).weight_dtype == Dtype::kBf16;
  result.logits.resize(size_t(set.size()) * classes);
  for (int64_t first = 0; first < set.size(); first += settings.batch) {
    const size_t n = size_t(std::min<int64_t>(settings.batch, set.size() - first));
    for (size_t i = 0; i < n; ++i) {
      const std::span<float> one(planes.data() + i * image, image);
      const std::vector<uint8_t> picture = prepared_picture(dataset, set, first + int64_t(i));
      require(normalize(picture, *model.preprocessing(), one), path);
    }
    const std::span<float> answers(result.logits.data() + size_t(first) * classes, n * classes);
    require(executor.run({planes.data(), n * image}, answers), path);
  }
  return result;
}

}  // namespace moefb::trainer
