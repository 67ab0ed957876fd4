// One picture, in C++: one_picture_cpp MODEL PICTURE prints the likeliest class.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "moefb/executor.h"

namespace {

int fail(const char* what, const moefb::Status& status) {
  char text[256];
  std::fprintf(stderr, "%s: %s\n", what, status.describe(text, sizeof text));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODEL PICTURE\n", argv[0]);
    return 1;
  }
  const moefb::Result<moefb::Model> model = moefb::Model::load(argv[1]);
  if (!model.ok()) return fail(argv[1], model.status());
  if (model->preprocessing() == nullptr) {
    std::fprintf(stderr, "%s: takes no pictures\n", argv[1]);
    return 1;
  }
  moefb::Result<moefb::Executor> executor = moefb::Executor::create(*model);
  if (!executor.ok()) return fail(argv[1], executor.status());

  const moefb::Result<moefb::Image> picture = moefb::load_image(argv[2]);
  if (!picture.ok()) return fail(argv[2], picture.status());
  std::vector<float> input(size_t(model->input_shape().elements()));
  std::vector<float> answer(size_t(model->classes()));
  moefb::Status status = moefb::preprocess(*picture, *model->preprocessing(), input);
  if (status.ok()) status = executor->run(input, answer);
  if (!status.ok()) return fail(argv[2], status);

  moefb::softmax(answer, answer);
  const auto best = std::max_element(answer.begin(), answer.end());
  const std::string_view name = model->class_name(int(best - answer.begin()));
  std::printf("%s: %.*s, %.6f\n", argv[2], int(name.size()), name.data(), double(*best));
  return 0;
}
