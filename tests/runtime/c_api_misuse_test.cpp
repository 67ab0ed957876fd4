// What a C program can get wrong and C++ rules out: null pointers, sizes, numbers that are no enum. Each is answered.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <utility>

#include "runtime/c_api_session.h"

namespace moefb::testing {
namespace {

/// Everything a call may need, right.
class CApiMisuse : public ::testing::Test {
 protected:
  CApiMisuse()
      : model_(load_model()), executor_(make_executor(model_.get(), traced())), input_(picture_input(model())) {
    run_once(executor(), input_);
  }

  static moefb_executor_options traced() {
    auto options = sized<moefb_executor_options>();
    options.trace = MOEFB_TRACE_ROUTING;
    return options;
  }
  moefb_model* model() { return model_.get(); }
  moefb_executor* executor() { return executor_.get(); }

  ModelHandle model_;
  ExecutorHandle executor_;
  std::vector<float> input_;
  std::vector<float> logits_ = std::vector<float>(kClasses, -7.0f);
  moefb_error error_ = sized<moefb_error>();
};

TEST_F(CApiMisuse, AnswersNullWhereSomethingIsNeeded) {
  const moefb_api& a = api();
  moefb_model* m = nullptr;
  moefb_executor* e = nullptr;
  auto info = sized<moefb_model_info>();
  auto layer = sized<moefb_moe_layer_info>();
  auto needed = sized<moefb_requirements>();
  auto trace = sized<moefb_trace_info>();
  const char* picture = kPictureFile.c_str();
  const uint8_t pixel[3] = {};
  float* in = input_.data();
  float* out = logits_.data();
  moefb_ranked ranked;
  int32_t routes[2];
  int64_t rows[8];
  const std::pair<const char*, std::function<moefb_code(moefb_error*)>> calls[] = {
      {"model_load_file path", [&](auto* r) { return a.model_load_file(nullptr, nullptr, &m, r); }},
      {"model_load_file model", [&](auto* r) { return a.model_load_file(picture, nullptr, nullptr, r); }},
      {"model_load_memory bytes", [&](auto* r) { return a.model_load_memory(nullptr, 64, nullptr, &m, r); }},
      {"model_load_memory model", [&](auto* r) { return a.model_load_memory(picture, 4, nullptr, nullptr, r); }},
      {"model_get_info model", [&](auto* r) { return a.model_get_info(nullptr, &info, r); }},
      {"model_get_info info", [&](auto* r) { return a.model_get_info(model(), nullptr, r); }},
      {"moe_layer_get_info model", [&](auto* r) { return a.moe_layer_get_info(nullptr, 0, &layer, r); }},
      {"moe_layer_get_info info", [&](auto* r) { return a.moe_layer_get_info(model(), 0, nullptr, r); }},
      {"input_from_file model", [&](auto* r) { return a.input_from_file(nullptr, picture, in, kInputs, r); }},
      {"input_from_file path", [&](auto* r) { return a.input_from_file(model(), nullptr, in, kInputs, r); }},
      {"input_from_file input", [&](auto* r) { return a.input_from_file(model(), picture, nullptr, kInputs, r); }},
      {"input_from_encoded model", [&](auto* r) { return a.input_from_encoded(nullptr, picture, 4, in, kInputs, r); }},
      {"input_from_encoded bytes", [&](auto* r) { return a.input_from_encoded(model(), nullptr, 4, in, kInputs, r); }},
      {"input_from_encoded input",
       [&](auto* r) { return a.input_from_encoded(model(), picture, 4, nullptr, kInputs, r); }},
      {"input_from_pixels model",
       [&](auto* r) { return a.input_from_pixels(nullptr, pixel, 1, 1, 0, in, kInputs, r); }},
      {"input_from_pixels pixels",
       [&](auto* r) { return a.input_from_pixels(model(), nullptr, 1, 1, 0, in, kInputs, r); }},
      {"input_from_pixels input",
       [&](auto* r) { return a.input_from_pixels(model(), pixel, 1, 1, 0, nullptr, kInputs, r); }},
      {"executor_get_requirements model",
       [&](auto* r) { return a.executor_get_requirements(nullptr, nullptr, &needed, r); }},
      {"executor_get_requirements answer",
       [&](auto* r) { return a.executor_get_requirements(model(), nullptr, nullptr, r); }},
      {"executor_create model", [&](auto* r) { return a.executor_create(nullptr, nullptr, &e, r); }},
      {"executor_create executor", [&](auto* r) { return a.executor_create(model(), nullptr, nullptr, r); }},
      {"run executor", [&](auto* r) { return a.run(nullptr, in, kInputs, out, kClasses, r); }},
      {"run input", [&](auto* r) { return a.run(executor(), nullptr, kInputs, out, kClasses, r); }},
      {"run logits", [&](auto* r) { return a.run(executor(), in, kInputs, nullptr, kClasses, r); }},
      {"softmax logits", [&](auto* r) { return a.softmax(nullptr, kClasses, out, r); }},
      {"softmax probabilities", [&](auto* r) { return a.softmax(in, kClasses, nullptr, r); }},
      {"top_k values", [&](auto* r) { return a.top_k(nullptr, 1, 1, &ranked, r); }},
      {"top_k ranked", [&](auto* r) { return a.top_k(in, 1, 1, nullptr, r); }},
      {"read_routes executor", [&](auto* r) { return a.read_routes(nullptr, routes, 2, r); }},
      {"read_routes routes", [&](auto* r) { return a.read_routes(executor(), nullptr, 2, r); }},
      {"read_expert_rows executor", [&](auto* r) { return a.read_expert_rows(nullptr, 0, rows, 8, r); }},
      {"read_expert_rows rows", [&](auto* r) { return a.read_expert_rows(executor(), 0, nullptr, 8, r); }},
      {"trace_get_info executor", [&](auto* r) { return a.trace_get_info(nullptr, 0, &trace, r); }},
      {"trace_get_info info", [&](auto* r) { return a.trace_get_info(executor(), 0, nullptr, r); }},
      {"read_trace executor", [&](auto* r) { return a.read_trace(nullptr, 0, routes, 8, r); }},
      {"read_trace bytes", [&](auto* r) { return a.read_trace(executor(), 0, nullptr, 8, r); }},
  };
  for (const auto& [name, call] : calls) {
    error_.message[0] = '\0';
    EXPECT_EQ(call(&error_), MOEFB_INVALID_ARGUMENT) << name;
    EXPECT_EQ(error_.code, MOEFB_INVALID_ARGUMENT) << name;
    EXPECT_STRNE(error_.message, "") << name;
    EXPECT_EQ(call(nullptr), MOEFB_INVALID_ARGUMENT) << name << ", and no error";
  }
  EXPECT_EQ(logits_, std::vector<float>(kClasses, -7.0f));
}

TEST_F(CApiMisuse, FreesAndCountsNothingOfNull) {
  api().model_free(nullptr);
  api().executor_free(nullptr);
  EXPECT_STREQ(api().class_name(nullptr, 0), "");
  EXPECT_EQ(api().route_count(nullptr), 0u);
  EXPECT_EQ(api().trace_count(nullptr), 0);
}

/// Calls with a struct of every impossible size. `call` fails with kInvalidArgument then.
template <typename T, typename Call>
void expect_impossible_sizes_refused(T good, const Call& call) {
  for (size_t size : {size_t{0}, size_t{1}, sizeof(T) - 1, size_t{4097}, SIZE_MAX}) {
    T bad = good;
    bad.size = size;
    EXPECT_EQ(call(&bad), MOEFB_INVALID_ARGUMENT) << "size " << size << " instead of " << sizeof(T);
  }
  EXPECT_EQ(call(&good), MOEFB_OK);
}

TEST_F(CApiMisuse, RefusesStructsOfImpossibleSizes) {
  const char* file = kModelFile.c_str();
  expect_impossible_sizes_refused(sized<moefb_load_options>(), [&](auto* options) {
    moefb_model* m = nullptr;
    const moefb_code code = api().model_load_file(file, options, &m, nullptr);
    EXPECT_EQ(m != nullptr, code == MOEFB_OK);
    api().model_free(m);
    return code;
  });
  expect_impossible_sizes_refused(sized<moefb_executor_options>(), [&](auto* options) {
    moefb_executor* e = nullptr;
    const moefb_code code = api().executor_create(model(), options, &e, nullptr);
    EXPECT_EQ(e != nullptr, code == MOEFB_OK);
    api().executor_free(e);
    return code;
  });
  expect_impossible_sizes_refused(sized<moefb_model_info>(),
                                  [&](auto* info) { return api().model_get_info(model(), info, nullptr); });
  expect_impossible_sizes_refused(sized<moefb_moe_layer_info>(),
                                  [&](auto* info) { return api().moe_layer_get_info(model(), 0, info, nullptr); });
  expect_impossible_sizes_refused(sized<moefb_requirements>(), [&](auto* needed) {
    return api().executor_get_requirements(model(), nullptr, needed, nullptr);
  });
  expect_impossible_sizes_refused(sized<moefb_trace_info>(),
                                  [&](auto* info) { return api().trace_get_info(executor(), 0, info, nullptr); });
  expect_impossible_sizes_refused(sized<moefb_error>(), [&](auto* error) {
    return api().run(executor(), input_.data(), kInputs, logits_.data(), kClasses, error);
  });
}

TEST_F(CApiMisuse, RunsNothingForAnErrorOfImpossibleSize) {
  error_.size = 4;
  EXPECT_EQ(api().run(executor(), input_.data(), kInputs, logits_.data(), kClasses, &error_), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(logits_, std::vector<float>(kClasses, -7.0f));
}

/// A struct as a later version of the header might have it.
template <typename T>
struct Later {
  T known;
  uint64_t added;
};

TEST_F(CApiMisuse, TakesLongerStructsAsLongAsTheirSurplusIsZero) {
  Later<moefb_load_options> options = {};
  options.known.size = sizeof options;
  moefb_model* m = nullptr;
  EXPECT_EQ(api().model_load_file(kModelFile.c_str(), &options.known, &m, &error_), MOEFB_OK) << error_.message;
  api().model_free(m);

  options.added = 1;
  EXPECT_EQ(api().model_load_file(kModelFile.c_str(), &options.known, &m, &error_), MOEFB_UNSUPPORTED);
  EXPECT_EQ(m, nullptr);
}

TEST_F(CApiMisuse, FillsLongerAnswersWithZeros) {
  Later<moefb_requirements> needed;
  std::memset(&needed, 0xff, sizeof needed);
  needed.known.size = sizeof needed;
  EXPECT_EQ(api().executor_get_requirements(model(), nullptr, &needed.known, nullptr), MOEFB_OK);
  EXPECT_EQ(needed.known.size, sizeof needed);
  EXPECT_GT(needed.known.arena_bytes, 0u);
  EXPECT_EQ(needed.added, 0u);
}

TEST_F(CApiMisuse, RefusesNumbersThatAreNoEnumValue) {
  const auto load = [&](int32_t moefb_load_options::*field, int32_t value) {
    auto options = sized<moefb_load_options>();
    options.*field = value;
    moefb_model* m = nullptr;
    const moefb_code code = api().model_load_file(kModelFile.c_str(), &options, &m, &error_);
    EXPECT_EQ(m, nullptr);
    return code;
  };
  for (int32_t bad : {-1, 99, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(load(&moefb_load_options::backend, bad), MOEFB_INVALID_ARGUMENT) << bad;
    EXPECT_EQ(load(&moefb_load_options::kernels, bad), MOEFB_INVALID_ARGUMENT) << bad;
  }
  EXPECT_EQ(load(&moefb_load_options::max_batch, -1), MOEFB_INVALID_ARGUMENT);

  const auto create = [&](int32_t moefb_executor_options::*field, int32_t value) {
    auto options = sized<moefb_executor_options>();
    options.*field = value;
    moefb_executor* e = nullptr;
    const moefb_code code = api().executor_create(model(), &options, &e, &error_);
    EXPECT_EQ(e, nullptr);
    return code;
  };
  for (int32_t bad : {-1, 99, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(create(&moefb_executor_options::dispatch, bad), MOEFB_INVALID_ARGUMENT) << bad;
    EXPECT_EQ(create(&moefb_executor_options::capacity_group, bad), MOEFB_INVALID_ARGUMENT) << bad;
    EXPECT_EQ(create(&moefb_executor_options::trace, bad), MOEFB_INVALID_ARGUMENT) << bad;
  }
  for (int32_t bad : {-1, 1 << 20}) {
    EXPECT_EQ(create(&moefb_executor_options::threads, bad), MOEFB_INVALID_ARGUMENT) << bad;
  }
}

TEST_F(CApiMisuse, RefusesMemoryWithoutSizeAndSizeWithoutMemory) {
  alignas(64) char memory[64];
  for (const auto& [pointer, bytes] : {std::pair<void*, size_t>{memory, 0}, std::pair<void*, size_t>{nullptr, 64}}) {
    auto options = sized<moefb_executor_options>();
    options.memory = pointer;
    options.memory_bytes = bytes;
    moefb_executor* e = nullptr;
    EXPECT_EQ(api().executor_create(model(), &options, &e, nullptr), MOEFB_INVALID_ARGUMENT);
  }
}

TEST_F(CApiMisuse, RefusesBuffersOfAnotherSize) {
  const char* picture = kPictureFile.c_str();
  for (size_t size : {size_t{0}, kInputs - 1, kInputs + 1, SIZE_MAX}) {
    EXPECT_EQ(api().input_from_file(model(), picture, input_.data(), size, nullptr), MOEFB_INVALID_ARGUMENT) << size;
    EXPECT_EQ(api().run(executor(), input_.data(), size, logits_.data(), kClasses, nullptr), MOEFB_INVALID_ARGUMENT)
        << size;
  }
  int32_t routes[3] = {-7, -7, -7};
  EXPECT_EQ(api().read_routes(executor(), routes, 3, nullptr), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(routes[0], -7);
  int64_t rows[9] = {-7};
  EXPECT_EQ(api().read_expert_rows(executor(), 0, rows, 9, nullptr), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(rows[0], -7);
}

TEST_F(CApiMisuse, RefusesIndicesOutOfRange) {
  auto layer = sized<moefb_moe_layer_info>();
  auto trace = sized<moefb_trace_info>();
  int64_t rows[8];
  for (int32_t bad : {-1, 1, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(api().moe_layer_get_info(model(), bad, &layer, nullptr), MOEFB_INVALID_ARGUMENT) << bad;
    EXPECT_EQ(api().read_expert_rows(executor(), bad, rows, 8, nullptr), MOEFB_INVALID_ARGUMENT) << bad;
  }
  for (int32_t bad : {-1, api().trace_count(executor()), INT32_MAX}) {
    EXPECT_EQ(api().trace_get_info(executor(), bad, &trace, nullptr), MOEFB_INVALID_ARGUMENT) << bad;
    EXPECT_EQ(api().read_trace(executor(), bad, rows, 8, nullptr), MOEFB_INVALID_ARGUMENT) << bad;
  }
  moefb_ranked ranked[3];
  for (size_t k : {size_t{0}, kClasses + 1}) {
    EXPECT_EQ(api().top_k(logits_.data(), kClasses, k, ranked, nullptr), MOEFB_INVALID_ARGUMENT) << k;
  }
  EXPECT_EQ(api().softmax(logits_.data(), 0, logits_.data(), nullptr), MOEFB_INVALID_ARGUMENT);
}

TEST_F(CApiMisuse, RefusesPixelsThatCannotBeAPicture) {
  const std::vector<uint8_t> pixels(300);
  const auto code = [&](int32_t width, int32_t height, size_t stride) {
    return api().input_from_pixels(model(), pixels.data(), width, height, stride, input_.data(), kInputs, &error_);
  };
  EXPECT_EQ(code(10, 10, 0), MOEFB_OK);
  EXPECT_EQ(code(0, 10, 0), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(code(10, -1, 0), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(code(10, 10, 29), MOEFB_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "invalid argument: the rows overlap (found 29, expected 30)");
  EXPECT_EQ(code(1 << 14, 1 << 13, 0), MOEFB_UNSUPPORTED);
  EXPECT_EQ(code(INT32_MAX, INT32_MAX, 0), MOEFB_UNSUPPORTED);
}

TEST_F(CApiMisuse, LeavesTheInputAloneWhenThePictureIsNone) {
  const std::vector<float> before = input_;
  EXPECT_EQ(api().input_from_file(model(), "/no/such/picture", input_.data(), kInputs, &error_), MOEFB_NOT_FOUND);
  EXPECT_EQ(api().input_from_file(model(), kModelFile.c_str(), input_.data(), kInputs, &error_), MOEFB_CORRUPT_FILE);
  EXPECT_EQ(api().input_from_encoded(model(), "text", 4, input_.data(), kInputs, &error_), MOEFB_CORRUPT_FILE);
  EXPECT_EQ(input_, before);
}

TEST_F(CApiMisuse, ReadsNoRoutingThatWasNotTraced) {
  const ExecutorHandle untraced = make_executor(model(), sized<moefb_executor_options>());
  run_once(untraced.get(), input_);
  int32_t routes[2];
  EXPECT_EQ(api().route_count(untraced.get()), 0u);
  EXPECT_EQ(api().read_routes(untraced.get(), routes, 2, nullptr), MOEFB_INVALID_ARGUMENT);

  const ExecutorHandle never_run = make_executor(model(), traced());
  int64_t rows[8];
  EXPECT_EQ(api().read_expert_rows(never_run.get(), 0, rows, 8, nullptr), MOEFB_INVALID_ARGUMENT);
}

TEST_F(CApiMisuse, ClearsTheErrorOfACallThatSucceeds) {
  EXPECT_EQ(api().softmax(logits_.data(), 0, logits_.data(), &error_), MOEFB_INVALID_ARGUMENT);
  EXPECT_EQ(api().softmax(logits_.data(), kClasses, logits_.data(), &error_), MOEFB_OK);
  EXPECT_EQ(error_.code, MOEFB_OK);
  EXPECT_STREQ(error_.message, "");
}

}  // namespace
}  // namespace moefb::testing
