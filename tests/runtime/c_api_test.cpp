// The C API gives what the C++ API gives. Links libmoefb.so, so that it also tests what that shows.
#include "moefb/moefb.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>

#include "moefb/executor.h"
#include "moefb/inspect.h"
#include "runtime/c_api_c99.h"
#include "runtime/c_api_session.h"
#include "runtime/format/tiny_model.h"

namespace moefb::testing {
namespace {

Model cpp_model() {
  LoadOptions options;
  options.kernels = Kernels::kReference;
  auto model = Model::load(kModelFile.c_str(), options);
  EXPECT_TRUE(model.ok());
  return *model;
}

Image cpp_picture() {
  auto image = load_image(kPictureFile.c_str());
  EXPECT_TRUE(image.ok());
  return std::move(*image);
}

/// What the C++ API answers to the picture.
std::vector<float> cpp_logits(const ExecutorOptions& options = {}) {
  const Model model = cpp_model();
  std::vector<float> input(kInputs), logits(kClasses);
  EXPECT_TRUE(preprocess(cpp_picture(), *model.preprocessing(), input).ok());
  auto executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok());
  EXPECT_TRUE(executor->run(input, logits).ok());
  return logits;
}

std::vector<char> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A file's bytes in memory that cannot be written, from `shift` bytes behind the start of a page.
class ReadOnlyMemory {
 public:
  explicit ReadOnlyMemory(const std::string& path, size_t shift = 0) : shift_(shift) {
    const std::vector<char> bytes = content_of(path);
    size_ = bytes.size();
    memory_ = ::mmap(nullptr, size_ + shift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    std::memcpy(static_cast<char*>(memory_) + shift, bytes.data(), size_);
    ::mprotect(memory_, size_ + shift, PROT_READ);
  }
  ReadOnlyMemory(const ReadOnlyMemory&) = delete;
  ReadOnlyMemory& operator=(const ReadOnlyMemory&) = delete;
  ~ReadOnlyMemory() { ::munmap(memory_, size_ + shift_); }

  const std::byte* data() const { return static_cast<const std::byte*>(memory_) + shift_; }
  size_t size() const { return size_; }
  bool holds(const void* p) const { return p >= data() && p < data() + size_; }

 private:
  void* memory_;
  size_t size_;
  size_t shift_;
};

TEST(CApi, IsThereForEveryVersionUpToItsOwn) {
  EXPECT_EQ(moefb_get_api(0), nullptr);
  EXPECT_EQ(moefb_get_api(MOEFB_API_VERSION + 1), nullptr);
  for (uint32_t v = 1; v <= MOEFB_API_VERSION; ++v) EXPECT_EQ(moefb_get_api(v), &api());
  EXPECT_EQ(api().version, MOEFB_API_VERSION);
  EXPECT_STREQ(moefb_version(), version());
}

TEST(CApi, AnswersAProgramInC99) {
  auto error = sized<moefb_error>();
  moefb_ranked best = {};
  char name[64] = "";
  ASSERT_EQ(c99_classify(kModelFile.c_str(), kPictureFile.c_str(), &best, name, &error), MOEFB_OK) << error.message;
  EXPECT_STREQ(name, "star");
  EXPECT_GT(best.value, 0.5f);
  EXPECT_EQ(c99_classify("/no/such/model.moefb", kPictureFile.c_str(), &best, name, &error), MOEFB_NOT_FOUND);
  EXPECT_STREQ(error.message, "not found: no such file");
}

TEST(CApi, DescribesTheModelAsTheCppApi) {
  const Model expected = cpp_model();
  const FileInfo file = file_info(expected);
  const ModelHandle model = load_model();
  auto info = sized<moefb_model_info>();
  ASSERT_EQ(api().model_get_info(model.get(), &info, nullptr), MOEFB_OK);
  EXPECT_EQ(info.size, sizeof info);
  EXPECT_EQ(info.input_kind, MOEFB_INPUT_PICTURE);
  EXPECT_EQ(info.input_rank, 3);
  EXPECT_EQ(std::vector<int64_t>(info.input_dims, info.input_dims + 4), (std::vector<int64_t>{3, 32, 32, 0}));
  EXPECT_EQ(info.input_count, int64_t(kInputs));
  EXPECT_EQ(info.classes, int(kClasses));
  EXPECT_EQ(info.max_batch, 1);
  EXPECT_EQ(info.moe_layers, 1);
  EXPECT_EQ(info.format_version, file.format_version);
  EXPECT_EQ(info.parameters, file.parameters);
  EXPECT_EQ(info.active_parameters, file.active_parameters);
  EXPECT_EQ(info.multiply_adds, file.multiply_adds);
  for (int c = 0; c < expected.classes(); ++c) EXPECT_EQ(api().class_name(model.get(), c), expected.class_name(c));
  for (int c : {-1, int(kClasses)}) EXPECT_STREQ(api().class_name(model.get(), c), "");

  auto layer = sized<moefb_moe_layer_info>();
  ASSERT_EQ(api().moe_layer_get_info(model.get(), 0, &layer, nullptr), MOEFB_OK);
  EXPECT_EQ(layer.published_layer, -1);
  EXPECT_EQ(layer.experts, 8);
  EXPECT_EQ(layer.top_k, 2);
  EXPECT_EQ(layer.soft, 0);
  EXPECT_EQ(layer.tokens_per_input, 1);
}

TEST(CApi, MakesTheSameInputOfFileBytesAndPixels) {
  const ModelHandle model = load_model();
  std::vector<float> expected(kInputs);
  ASSERT_TRUE(preprocess(cpp_picture(), *cpp_model().preprocessing(), expected).ok());
  EXPECT_EQ(picture_input(model.get()), expected);

  std::vector<float> input(kInputs);
  const std::vector<char> encoded = content_of(kPictureFile);
  ASSERT_EQ(api().input_from_encoded(model.get(), encoded.data(), encoded.size(), input.data(), kInputs, nullptr),
            MOEFB_OK);
  EXPECT_EQ(input, expected);

  const Image image = cpp_picture();
  const size_t row = size_t(image.width) * 3;
  for (size_t stride : {row, row + 17}) {
    std::vector<uint8_t> pixels(stride * size_t(image.height), 99);
    for (int y = 0; y < image.height; ++y) std::memcpy(&pixels[y * stride], &image.pixels[y * row], row);
    std::fill(input.begin(), input.end(), 0.0f);
    ASSERT_EQ(api().input_from_pixels(model.get(), pixels.data(), image.width, image.height, stride == row ? 0 : stride,
                                      input.data(), kInputs, nullptr),
              MOEFB_OK);
    EXPECT_EQ(input, expected) << "stride " << stride;
  }
}

TEST(CApi, RunsToTheSameBitsAsTheCppApi) {
  const ModelHandle model = load_model();
  const std::vector<float> input = picture_input(model.get());
  for (int dispatch : {MOEFB_DISPATCH_GROUPED, MOEFB_DISPATCH_NAIVE, MOEFB_DISPATCH_ALL}) {
    auto options = sized<moefb_executor_options>();
    options.dispatch = dispatch;
    options.threads = 2;
    ExecutorOptions same;
    same.dispatch = Dispatch(dispatch);
    EXPECT_EQ(run_once(make_executor(model.get(), options).get(), input), cpp_logits(same)) << "dispatch " << dispatch;
  }
}

TEST(CApi, UsesAModelInReadOnlyMemoryInPlace) {
  const ReadOnlyMemory file(kModelFile);
  auto cpp = Model::load(std::span(file.data(), file.size()));
  ASSERT_TRUE(cpp.ok());
  EXPECT_TRUE(file.holds(cpp->golden(0).input.data())) << "was copied";

  moefb_model* loaded = nullptr;
  auto options = sized<moefb_load_options>();
  options.kernels = MOEFB_KERNELS_REFERENCE;
  ASSERT_EQ(api().model_load_memory(file.data(), file.size(), &options, &loaded, nullptr), MOEFB_OK);
  const ModelHandle model(loaded);
  const ExecutorHandle executor = make_executor(model.get(), sized<moefb_executor_options>());
  EXPECT_EQ(run_once(executor.get(), picture_input(model.get())), cpp_logits());
}

TEST(CApi, CopiesAModelThatIsNotAligned) {
  const ReadOnlyMemory file(kModelFile, 8);
  auto cpp = Model::load(std::span(file.data(), file.size()));
  ASSERT_TRUE(cpp.ok());
  EXPECT_FALSE(file.holds(cpp->golden(0).input.data()));
}

TEST(CApi, RunsInMemoryOfTheCaller) {
  const ModelHandle model = load_model();
  auto needed = sized<moefb_requirements>();
  ASSERT_EQ(api().executor_get_requirements(model.get(), nullptr, &needed, nullptr), MOEFB_OK);
  ASSERT_EQ(needed.arena_alignment, 64u);
  const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(64, needed.arena_bytes), &std::free);
  auto options = sized<moefb_executor_options>();
  options.memory = memory.get();
  options.memory_bytes = needed.arena_bytes;
  const std::vector<float> input = picture_input(model.get());
  EXPECT_EQ(run_once(make_executor(model.get(), options).get(), input), cpp_logits());

  options.memory_bytes -= 1;
  moefb_executor* none = nullptr;
  auto error = sized<moefb_error>();
  EXPECT_EQ(api().executor_create(model.get(), &options, &none, &error), MOEFB_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message,
               ("invalid argument: the caller's arena is too small (found " + std::to_string(needed.arena_bytes - 1) +
                ", expected " + std::to_string(needed.arena_bytes) + ")")
                   .c_str());
}

TEST(CApi, RunsBatches) {
  const ModelHandle model = load_model(3);
  const ExecutorHandle executor = make_executor(model.get(), sized<moefb_executor_options>());
  std::vector<float> three;
  const std::vector<float> one = picture_input(model.get());
  for (int i = 0; i < 3; ++i) three.insert(three.end(), one.begin(), one.end());
  std::vector<float> logits(3 * kClasses);
  ASSERT_EQ(api().run(executor.get(), three.data(), three.size(), logits.data(), logits.size(), nullptr), MOEFB_OK);
  const std::vector<float> expected = cpp_logits();
  for (size_t i = 0; i < logits.size(); ++i) EXPECT_EQ(logits[i], expected[i % kClasses]);
}

TEST(CApi, ReadsTheRoutingOfTheLastRun) {
  const ModelHandle model = load_model(2);
  auto options = sized<moefb_executor_options>();
  options.trace = MOEFB_TRACE_ROUTING;
  const ExecutorHandle executor = make_executor(model.get(), options);
  EXPECT_EQ(api().route_count(executor.get()), 0u) << "before a run";
  EXPECT_EQ(api().trace_count(executor.get()), 0) << "before a run";
  run_once(executor.get(), picture_input(model.get()));

  ExecutorOptions same;
  same.trace = Trace::kRouting;
  const Model cpp = cpp_model();
  auto other = Executor::create(cpp, same);
  ASSERT_TRUE(other.ok());
  std::vector<float> logits(kClasses);
  ASSERT_TRUE(other->run(picture_input(model.get()), logits).ok());
  std::vector<int32_t> expected(2), routes(2);
  ASSERT_TRUE(other->read_routes(expected).ok());
  ASSERT_EQ(api().route_count(executor.get()), routes.size());
  ASSERT_EQ(api().read_routes(executor.get(), routes.data(), routes.size(), nullptr), MOEFB_OK);
  EXPECT_EQ(routes, expected);

  std::vector<int64_t> rows(8);
  ASSERT_EQ(api().read_expert_rows(executor.get(), 0, rows.data(), rows.size(), nullptr), MOEFB_OK);
  for (int e = 0; e < 8; ++e) EXPECT_EQ(rows[size_t(e)], std::count(routes.begin(), routes.end(), e)) << "expert " << e;
}

TEST(CApi, ReadsTracedTensors) {
  const ModelHandle model = load_model();
  auto options = sized<moefb_executor_options>();
  options.trace = MOEFB_TRACE_ALL;
  const ExecutorHandle executor = make_executor(model.get(), options);
  run_once(executor.get(), picture_input(model.get()));
  bool found = false;
  for (int i = 0; i < api().trace_count(executor.get()); ++i) {
    auto info = sized<moefb_trace_info>();
    ASSERT_EQ(api().trace_get_info(executor.get(), i, &info, nullptr), MOEFB_OK);
    if (std::strcmp(info.name, "probs") != 0) continue;
    found = true;
    EXPECT_EQ(info.dtype, MOEFB_F32);
    EXPECT_EQ(info.bytes, 8 * sizeof(float));
    EXPECT_EQ(info.dims[info.rank - 1], 8);
    std::vector<float> probabilities(8);
    ASSERT_EQ(api().read_trace(executor.get(), i, probabilities.data(), info.bytes, nullptr), MOEFB_OK);
    float sum = 0;
    for (float p : probabilities) sum += p;
    EXPECT_NEAR(sum, 1.0f, 1e-6f);
    EXPECT_EQ(api().read_trace(executor.get(), i, probabilities.data(), info.bytes - 1, nullptr),
              MOEFB_INVALID_ARGUMENT);
  }
  EXPECT_TRUE(found);
}

TEST(CApi, RanksLargestFirstAndAmongEqualsTheLowerIndex) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values = {0.5f, nan, 2.0f, 0.5f, -INFINITY, 2.0f, 0.0f};
  std::vector<moefb_ranked> ranked(values.size());
  ASSERT_EQ(api().top_k(values.data(), values.size(), values.size(), ranked.data(), nullptr), MOEFB_OK);
  std::vector<int32_t> order;
  for (const moefb_ranked& r : ranked) order.push_back(r.index);
  EXPECT_EQ(order, (std::vector<int32_t>{2, 5, 0, 3, 6, 4, 1}));
  for (size_t k = 1; k <= values.size(); ++k) {
    std::vector<moefb_ranked> best(k);
    ASSERT_EQ(api().top_k(values.data(), values.size(), k, best.data(), nullptr), MOEFB_OK);
    for (size_t i = 0; i < k; ++i) EXPECT_EQ(best[i].index, order[i]) << "the first " << k;
  }
}

TEST(CApi, MakesProbabilitiesOfLogitsInPlace) {
  std::vector<float> logits = {1.0f, 3.0f, 2.0f}, expected(3);
  softmax(logits, expected);
  ASSERT_EQ(api().softmax(logits.data(), logits.size(), logits.data(), nullptr), MOEFB_OK);
  EXPECT_EQ(logits, expected);
}

TEST(CApi, KeepsAnExecutorAliveWhenItsModelIsFreed) {
  ModelHandle model = load_model();
  const std::vector<float> input = picture_input(model.get());
  const ExecutorHandle executor = make_executor(model.get(), sized<moefb_executor_options>());
  model.reset();
  EXPECT_EQ(run_once(executor.get(), input), cpp_logits());
}

TEST(CApi, MakesNoInputForAModelThatTakesNoPictures) {
  const FileBytes file = finish(tiny_patch());
  moefb_model* loaded = nullptr;
  auto error = sized<moefb_error>();
  ASSERT_EQ(api().model_load_memory(file.span().data(), file.size(), nullptr, &loaded, &error), MOEFB_OK)
      << error.message;
  const ModelHandle model(loaded);
  std::vector<float> input(kInputs);
  EXPECT_EQ(api().input_from_file(model.get(), kPictureFile.c_str(), input.data(), input.size(), &error),
            MOEFB_UNSUPPORTED);
  EXPECT_STREQ(error.message, "unsupported: the model takes no pictures");
}

/// Slots of each expert in a run of two maps, as the trace tells.
int64_t traced_capacity(const moefb_model* model, int32_t group) {
  auto options = sized<moefb_executor_options>();
  options.capacity_group = group;
  options.trace = MOEFB_TRACE_ROUTING;
  const ExecutorHandle executor = make_executor(model, options);
  auto info = sized<moefb_model_info>();
  EXPECT_EQ(api().model_get_info(model, &info, nullptr), MOEFB_OK);
  const std::vector<float> input(size_t(2 * info.input_count), 0.25f);
  std::vector<float> logits(size_t(2 * info.classes));
  EXPECT_EQ(api().run(executor.get(), input.data(), input.size(), logits.data(), logits.size(), nullptr), MOEFB_OK);
  int64_t capacity = -1;
  for (int i = 0; i < api().trace_count(executor.get()); ++i) {
    auto tensor = sized<moefb_trace_info>();
    EXPECT_EQ(api().trace_get_info(executor.get(), i, &tensor, nullptr), MOEFB_OK);
    if (!std::string_view(tensor.name).ends_with(".capacity")) continue;
    EXPECT_EQ(api().read_trace(executor.get(), i, &capacity, sizeof capacity, nullptr), MOEFB_OK);
  }
  return capacity;
}

TEST(CApi, OverridesTheModelsCapacityGroup) {
  const FileBytes file = finish(tiny_patch());
  auto options = sized<moefb_load_options>();
  options.max_batch = 2;
  moefb_model* loaded = nullptr;
  ASSERT_EQ(api().model_load_memory(file.span().data(), file.size(), &options, &loaded, nullptr), MOEFB_OK);
  const ModelHandle model(loaded);
  const int64_t image = traced_capacity(model.get(), MOEFB_CAPACITY_IMAGE);
  EXPECT_GT(image, 0);
  EXPECT_GT(traced_capacity(model.get(), MOEFB_CAPACITY_BATCH), image);
  EXPECT_GT(traced_capacity(model.get(), MOEFB_CAPACITY_NONE), traced_capacity(model.get(), MOEFB_CAPACITY_BATCH));
  const auto cpp = Model::load(file.span());
  ASSERT_TRUE(cpp.ok());
  EXPECT_EQ(traced_capacity(model.get(), MOEFB_CAPACITY_AS_MODEL),
            traced_capacity(model.get(), int32_t(cpp->capacity_group()) + MOEFB_CAPACITY_BATCH));
}

}  // namespace
}  // namespace moefb::testing
