// Several threads and one model, in C++: several_threads MODEL PICTURE... answers each picture, in the order given.
//
// The model and its packed weights exist once. Each thread has an executor of its own and takes the next picture.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "moefb/executor.h"

namespace {

struct Answer {
  moefb::Status status;
  int best = 0;
  float probability = 0;
};

moefb::Status classify(const char* path, moefb::Executor& executor, Answer& answer) {
  const moefb::Model& model = executor.model();
  const moefb::Result<moefb::Image> picture = moefb::load_image(path);
  if (!picture.ok()) return picture.status();
  std::vector<float> input(size_t(model.input_shape().elements()));
  std::vector<float> scores(size_t(model.classes()));
  MOEFB_TRY(moefb::preprocess(*picture, *model.preprocessing(), input));
  MOEFB_TRY(executor.run(input, scores));
  moefb::softmax(scores, scores);
  answer.best = int(std::max_element(scores.begin(), scores.end()) - scores.begin());
  answer.probability = scores[size_t(answer.best)];
  return {};
}

/// What one thread does: pictures, until there are no more.
void work(const moefb::Model& model, char** pictures, std::vector<Answer>& answers, std::atomic<size_t>& next) {
  moefb::Result<moefb::Executor> executor = moefb::Executor::create(model);
  for (size_t i = next++; i < answers.size(); i = next++) {
    answers[i].status = executor.ok() ? classify(pictures[i], *executor, answers[i]) : executor.status();
  }
}

/// @return whether it is an answer
bool print(const moefb::Model& model, const char* picture, const Answer& answer) {
  if (!answer.status.ok()) {
    char text[256];
    std::fprintf(stderr, "%s: %s\n", picture, answer.status.describe(text, sizeof text));
    return false;
  }
  const std::string name(model.class_name(answer.best));
  std::printf("%s: %s, %.6f\n", picture, name.c_str(), double(answer.probability));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL PICTURE...\n", argv[0]);
    return 1;
  }
  const moefb::Result<moefb::Model> model = moefb::Model::load(argv[1]);
  if (!model.ok() || model->preprocessing() == nullptr) {
    char text[256];
    std::fprintf(stderr, "%s: %s\n", argv[1],
                 model.ok() ? "takes no pictures" : model.status().describe(text, sizeof text));
    return 1;
  }

  char** pictures = argv + 2;
  std::vector<Answer> answers(size_t(argc - 2));
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  const size_t wanted = std::min<size_t>(answers.size(), std::max(2u, std::thread::hardware_concurrency()));
  for (size_t i = 0; i < wanted; ++i) {
    threads.emplace_back([&] { work(*model, pictures, answers, next); });
  }
  for (std::thread& thread : threads) thread.join();

  bool all_answered = true;
  for (size_t i = 0; i < answers.size(); ++i) all_answered &= print(*model, pictures[i], answers[i]);
  return all_answered ? 0 : 1;
}
