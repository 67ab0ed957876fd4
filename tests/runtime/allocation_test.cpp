// run() allocates nothing: counted over the whole process, for every kind of model and every option.
//
// With the reference kernels the count is exactly 0. oneDNN allocates inside its own calls; its share, with OpenMP's,
// is printed apart, and every allocation must be theirs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "golden_models.h"
#include "moefb/executor.h"
#include "moefb/image.h"
#include "moefb/inspect.h"
#include "runtime/allocation_counter.h"

namespace moefb {
namespace {

using test::AllocationCounter;
using test::Allocations;

constexpr int kMaxBatch = 32;
constexpr int kBatches[] = {1, 2, 7, kMaxBatch};

#define SKIP_IF_NOTHING_CAN_BE_COUNTED() \
  if (!test::can_count_allocations()) GTEST_SKIP() << "allocations belong to a sanitizer, or to another C library"

/// "libdnnl.so.3 12, libgomp.so.1 2"
std::string to_string(const Allocations& allocations) {
  std::string text;
  for (const auto& [module, count] : allocations) {
    text += (text.empty() ? "" : ", ") + module + " " + std::to_string(count);
  }
  return text.empty() ? "none" : text;
}

std::vector<float> random_input(const Model& model, int batch) {
  std::mt19937 random(static_cast<uint32_t>(batch));
  std::normal_distribution<float> normal;
  std::vector<float> values(size_t(batch * model.input_shape().elements()));
  for (float& v : values) v = normal(random);
  return values;
}

/// What one run of a new executor allocates. The first run counts like any other.
Allocations count_run(const Model& model, const ExecutorOptions& options, std::span<const float> input) {
  auto executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok());
  std::vector<float> logits(input.size() / size_t(model.input_shape().elements()) * size_t(model.classes()));
  AllocationCounter counter;
  const Status status = executor->run(input, logits);
  Allocations allocations = counter.stop();
  EXPECT_TRUE(status.ok()) << status.text();
  return allocations;
}

bool is_patch_net(const Model& model) {
  return file_info(model).kind == "patch_net";
}

/// Every option that changes what run() does.
std::vector<ExecutorOptions> all_options(const Model& model) {
  std::vector<ExecutorOptions> all;
  for (const int threads : {1, 2}) {
    for (const Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
      for (const Trace trace : {Trace::kOff, Trace::kAll}) {
        for (const CapacityGroup group : {CapacityGroup::kBatch, CapacityGroup::kImage}) {
          if (group == CapacityGroup::kImage && !is_patch_net(model)) continue;  // heads have no capacity
          ExecutorOptions options;
          options.threads = threads;
          options.dispatch = dispatch;
          options.trace = trace;
          options.capacity_group = group;
          all.push_back(options);
        }
      }
    }
  }
  return all;
}

/// Counts all options and batches together. @param runs  out: how many
Allocations count_all(const Model& model, int64_t& runs) {
  Allocations sum;
  runs = 0;
  for (const ExecutorOptions& options : all_options(model)) {
    for (const int batch : kBatches) {
      for (const auto& [module, count] : count_run(model, options, random_input(model, batch))) sum[module] += count;
      ++runs;
    }
  }
  return sum;
}

/// Every fixture that is a model in evaluation.
std::vector<golden::Fixture> model_fixtures() {
  std::vector<golden::Fixture> chosen;
  for (golden::Fixture& f : golden::all_fixtures()) {
    const bool is_model = f.kind() == "cifar_e2e" || f.kind() == "cifar_head" || f.kind() == "patch_net";
    const bool evaluates = f.config.value("mode", "eval") != "train" && f.config.value("current_epoch", 10) >= 10;
    if (is_model && evaluates && f.has_state_dict()) chosen.push_back(std::move(f));
  }
  return chosen;
}

class RunAllocates : public testing::TestWithParam<golden::Fixture> {};
INSTANTIATE_TEST_SUITE_P(Models, RunAllocates, testing::ValuesIn(model_fixtures()),
                         [](const auto& info) { return golden::test_name(info.param); });

TEST_P(RunAllocates, NothingWithReferenceKernels) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  const golden::Converted file(GetParam());
  int64_t runs = 0;
  EXPECT_EQ(count_all(golden::load(file.path(), Kernels::kReference, kMaxBatch), runs), Allocations{});
}

/// Libraries whose allocations are not ours.
bool is_vendor(const std::string& module) {
  return module.starts_with("libdnnl.so") || module.starts_with("libgomp");
}

TEST_P(RunAllocates, InsideOneDnnOnlyWithItsKernels) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  if (*onednn_version() == '\0') GTEST_SKIP() << "a build without oneDNN";
  const golden::Converted file(GetParam());
  int64_t runs = 0;
  const Allocations allocations = count_all(golden::load(file.path(), Kernels::kOnednn, kMaxBatch), runs);
  for (const auto& [module, count] : allocations) EXPECT_TRUE(is_vendor(module)) << count << " by " << module;
  std::printf("%s: allocations of %lld runs: %s\n", GetParam().name.c_str(), static_cast<long long>(runs),
              to_string(allocations).c_str());
  for (const auto& [module, count] : allocations) RecordProperty(module, std::to_string(count));
}

/// What many runs of one executor allocate, four feature vectors a time.
Allocations count_runs(const Model& model, int threads, int runs) {
  ExecutorOptions options;
  options.threads = threads;
  auto executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok());
  const std::vector<float> input = random_input(model, 4);
  std::vector<float> logits(size_t(4 * model.classes()));
  bool good = true;
  AllocationCounter counter;
  for (int run = 0; run < runs; ++run) good &= executor->run(input, logits).ok();
  Allocations allocations = counter.stop();
  EXPECT_TRUE(good);
  return allocations;
}

// With several threads a tenth of them: each run hands work over several times, and beside other jobs every hand-off
// waits for its core.
TEST(RunAllocates, NothingOverTenThousandRuns) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  for (const golden::Fixture& fixture : model_fixtures()) {
    if (fixture.kind() != "cifar_head") continue;
    const golden::Converted file(fixture);
    const Model model = golden::load(file.path(), Kernels::kReference, 4);
    for (const auto& [threads, runs] : {std::pair{1, 10'000}, std::pair{2, 1'000}, std::pair{4, 1'000}}) {
      EXPECT_EQ(count_runs(model, threads, runs), Allocations{}) << fixture.name << ", " << threads << " threads";
    }
  }
}

/// A picture as the model takes it.
std::vector<float> picture(const Model& model, const std::string& path) {
  const auto image = load_image(path.c_str());
  EXPECT_TRUE(image.ok()) << path;
  std::vector<float> planes(size_t(model.input_shape().elements()));
  EXPECT_TRUE(preprocess(*image, *model.preprocessing(), planes).ok()) << path;
  return planes;
}

// The shipped models on pictures of ours: loading a picture allocates, running it does not.
TEST(RunAllocates, NothingForPictures) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MOEFB_SOURCE_DIR "/models")) {
    if (entry.path().extension() != ".moefb") continue;
    const Model model = golden::load(entry.path().string(), Kernels::kReference, 1);
    if (model.preprocessing() == nullptr) continue;
    ++models;
    for (const char* name : {"arrow.jpg", "heart.png"}) {
      const std::vector<float> pixels = picture(model, std::string(MOEFB_SOURCE_DIR "/examples/images/") + name);
      for (const ExecutorOptions& options : all_options(model)) {
        EXPECT_EQ(count_run(model, options, pixels), Allocations{}) << entry.path() << " " << name;
      }
    }
  }
  EXPECT_GT(models, 0);
}

/// Keeps the compiler from leaving out an allocation that nobody looks at.
template <typename T>
T* opaque(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

TEST(AllocationCounter, SeesEveryKindOfAllocation) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  AllocationCounter counter;
  std::free(opaque(std::malloc(8)));
  std::free(opaque(std::calloc(1, 8)));
  std::free(opaque(std::realloc(nullptr, 8)));
  std::free(opaque(std::aligned_alloc(64, 64)));
  delete opaque(new int);
  delete[] opaque(new int[3]);
  delete opaque(new (std::nothrow) int);
  const Allocations allocations = counter.stop();
  EXPECT_EQ(allocations, (Allocations{{test::kOurs, 7}}));
}

TEST(AllocationCounter, LooksThroughTheLibrariesThatPassRequestsOn) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  AllocationCounter counter;
  std::string text(opaque("a string that is too long to be kept inside its object"));
  text += text;
  const Allocations allocations = counter.stop();
  ASSERT_EQ(allocations.size(), 1u) << to_string(allocations);
  EXPECT_EQ(allocations.begin()->first, test::kOurs);
}

TEST(AllocationCounter, SeesOtherThreads) {
  SKIP_IF_NOTHING_CAN_BE_COUNTED();
  AllocationCounter counter;
  std::thread([] { std::free(opaque(std::malloc(8))); }).join();
  EXPECT_GE(counter.stop()[test::kOurs], 2);  // the thread itself is one more
}

}  // namespace
}  // namespace moefb
