// What the tests of the C API start from: the table, the model that comes with moefb, and handles that free themselves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "moefb/moefb.h"

namespace moefb::testing {

inline const std::string kModelFile = MOEFB_SOURCE_DIR "/models/shapes-sparse.moefb";
inline const std::string kPictureFile = MOEFB_SOURCE_DIR "/examples/images/star.jpg";
inline constexpr size_t kInputs = 3 * 32 * 32;
inline constexpr size_t kClasses = 12;

inline const moefb_api& api() {
  return *moefb_get_api(MOEFB_API_VERSION);
}

/// A struct that says its size, otherwise the default.
template <typename T>
T sized() {
  T value = {};
  value.size = sizeof value;
  return value;
}

struct FreeModel {
  void operator()(moefb_model* model) const { api().model_free(model); }
};
struct FreeExecutor {
  void operator()(moefb_executor* executor) const { api().executor_free(executor); }
};
using ModelHandle = std::unique_ptr<moefb_model, FreeModel>;
using ExecutorHandle = std::unique_ptr<moefb_executor, FreeExecutor>;

/// The shipped model with the reference kernels: the same bits in every test.
inline ModelHandle load_model(int max_batch = 1) {
  auto options = sized<moefb_load_options>();
  options.kernels = MOEFB_KERNELS_REFERENCE;
  options.max_batch = max_batch;
  auto error = sized<moefb_error>();
  moefb_model* model = nullptr;
  EXPECT_EQ(api().model_load_file(kModelFile.c_str(), &options, &model, &error), MOEFB_OK) << error.message;
  return ModelHandle(model);
}

inline ExecutorHandle make_executor(const moefb_model* model, const moefb_executor_options& options) {
  auto error = sized<moefb_error>();
  moefb_executor* executor = nullptr;
  EXPECT_EQ(api().executor_create(model, &options, &executor, &error), MOEFB_OK) << error.message;
  return ExecutorHandle(executor);
}

/// The picture as the model's input.
inline std::vector<float> picture_input(const moefb_model* model) {
  std::vector<float> input(kInputs);
  EXPECT_EQ(api().input_from_file(model, kPictureFile.c_str(), input.data(), input.size(), nullptr), MOEFB_OK);
  return input;
}

/// One row of logits, checked.
inline std::vector<float> run_once(moefb_executor* executor, const std::vector<float>& input) {
  std::vector<float> logits(kClasses);
  EXPECT_EQ(api().run(executor, input.data(), input.size(), logits.data(), logits.size(), nullptr), MOEFB_OK);
  return logits;
}

}  // namespace moefb::testing
