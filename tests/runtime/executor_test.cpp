#include "moefb/executor.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "golden_models.h"
#include "moefb/inspect.h"

namespace moefb {
namespace {

/// A fixture as a model, with its input.
class Subject {
 public:
  explicit Subject(const std::string& name, Kernels kernels = Kernels::kReference, int max_batch = 8)
      : fixture_(find(name)), file_(fixture_), model_(golden::load(file_.path(), kernels, max_batch)) {
    const safetensors::File io = fixture_.io();
    input_ = io.tensors.at("input").to_f32();
    batch_ = io.tensors.at("input").shape[0];
  }

  const Model& model() const { return model_; }
  /// The first n images of the fixture.
  std::span<const float> images(int64_t n) const {
    return std::span(input_).first(size_t(n * model_.input_shape().elements()));
  }
  std::span<const float> image(int64_t i) const {
    const size_t elements = size_t(model_.input_shape().elements());
    return std::span(input_).subspan(size_t(i) * elements, elements);
  }
  int64_t batch() const { return batch_; }

 private:
  static golden::Fixture find(const std::string& name) {
    for (golden::Fixture& f : golden::all_fixtures()) {
      if (f.name == name) return f;
    }
    throw std::runtime_error("no fixture " + name);
  }

  golden::Fixture fixture_;
  golden::Converted file_;
  Model model_;
  std::vector<float> input_;
  int64_t batch_ = 0;
};

std::vector<float> answer(const Model& model, std::span<const float> images, const ExecutorOptions& options = {}) {
  auto executor = Executor::create(model, options);
  EXPECT_TRUE(executor.ok());
  const size_t n = images.size() / size_t(model.input_shape().elements());
  std::vector<float> logits(n * size_t(model.classes()));
  EXPECT_TRUE(executor->run(images, logits).ok());
  return logits;
}

/// What became of a subject's first two images.
struct RoutedRun {
  Executor executor;
  std::vector<float> logits;
  std::vector<int32_t> routes;
};

RoutedRun run_two(const Subject& s, ExecutorOptions options = {}) {
  options.trace = Trace::kRouting;
  auto executor = Executor::create(s.model(), options);
  EXPECT_TRUE(executor.ok());
  RoutedRun run{std::move(*executor), std::vector<float>(size_t(2 * s.model().classes())),
                std::vector<int32_t>(size_t(route_count(s.model(), 2)))};
  EXPECT_TRUE(run.executor.run(s.images(2), run.logits).ok());
  EXPECT_TRUE(run.executor.read_routes(run.routes).ok());
  return run;
}

constexpr const char* kPatchNet = "seed2_net_tiny_ckpt";
constexpr const char* kResNet = "seed1_e2e_sparse";
constexpr const char* kHead = "seed1_head_sparse_ties";

class EveryFamily : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, EveryFamily, testing::Values(kPatchNet, kResNet, kHead));

TEST_P(EveryFamily, GivesTheSameBitsForAnyThreadCount) {
  const Subject s(GetParam());
  const auto images = s.images(std::min<int64_t>(s.batch(), 8));
  const std::vector<float> one = answer(s.model(), images);
  for (int threads : {2, 3, 4}) {
    ExecutorOptions options;
    options.threads = threads;
    EXPECT_EQ(answer(s.model(), images, options), one) << threads << " threads";
  }
}

TEST_P(EveryFamily, GivesTheSameBitsWhenRunAgain) {
  const Subject s(GetParam());
  auto executor = Executor::create(s.model());
  ASSERT_TRUE(executor.ok());
  const auto images = s.images(2);
  std::vector<float> first(size_t(2 * s.model().classes())), second(first.size());
  ASSERT_TRUE(executor->run(images, first).ok());
  ASSERT_TRUE(executor->run(images, second).ok());
  EXPECT_EQ(first, second);
}

TEST_P(EveryFamily, TracingChangesNoBits) {
  const Subject s(GetParam());
  const std::vector<float> plain = answer(s.model(), s.images(2));
  for (Trace trace : {Trace::kRouting, Trace::kAll}) {
    ExecutorOptions options;
    options.trace = trace;
    EXPECT_EQ(answer(s.model(), s.images(2), options), plain);
  }
}

TEST_P(EveryFamily, AnImageAnswersAloneAsInAnyBatchUnderImageCapacity) {
  const Subject s(GetParam());
  ExecutorOptions options;
  options.capacity_group = CapacityGroup::kImage;
  const std::vector<float> together = answer(s.model(), s.images(2), options);
  std::vector<float> apart = answer(s.model(), s.image(0), options);
  const std::vector<float> second = answer(s.model(), s.image(1), options);
  apart.insert(apart.end(), second.begin(), second.end());
  EXPECT_EQ(together, apart);
}

TEST_P(EveryFamily, RunsInMemoryOfTheCallerOfExactlyTheRequiredSize) {
  const Subject s(GetParam());
  auto needed = requirements(s.model());
  ASSERT_TRUE(needed.ok());
  std::unique_ptr<std::byte, decltype(&std::free)> memory(
      static_cast<std::byte*>(std::aligned_alloc(needed->arena_alignment, needed->arena_bytes)), &std::free);
  ExecutorOptions options;
  options.memory = {memory.get(), needed->arena_bytes};
  EXPECT_EQ(answer(s.model(), s.images(2), options), answer(s.model(), s.images(2)));

  options.memory = options.memory.first(needed->arena_bytes - 1);
  auto starved = Executor::create(s.model(), options);
  ASSERT_FALSE(starved.ok());
  EXPECT_EQ(starved.status().code(), Code::kInvalidArgument);
  EXPECT_EQ(starved.status().found(), int64_t(needed->arena_bytes) - 1);
  EXPECT_EQ(starved.status().expected(), int64_t(needed->arena_bytes));
}

TEST_P(EveryFamily, ReplayedRoutesGiveTheSameAnswer) {
  const Subject s(GetParam());
  const RoutedRun run = run_two(s);
  ExecutorOptions replay;
  replay.replay_routes = run.routes;
  EXPECT_EQ(answer(s.model(), s.images(2), replay), run.logits);

  std::vector<int32_t> others(run.routes);
  const auto experts = int32_t(run.executor.expert_rows(0).rows.size());
  for (int32_t& e : others) e = (e + 1) % experts;
  replay.replay_routes = others;
  EXPECT_NE(answer(s.model(), s.images(2), replay), run.logits) << "replay_routes had no effect";
}

// Routes used to be trusted: an expert out of range was written past the end of the offsets.
TEST(Executor, RefusesReplayedRoutesThatNoRouterChooses) {
  for (const char* name : {"seed1_head_sparse", kPatchNet}) {
    const Subject s(name);
    auto [executor, logits, routes] = run_two(s);
    ExecutorOptions options;
    options.trace = Trace::kRouting;
    options.replay_routes = routes;
    auto replaying = Executor::create(s.model(), options);
    ASSERT_TRUE(replaying.ok());
    EXPECT_TRUE(replaying->run(s.images(2), logits).ok());
    EXPECT_EQ(replaying->run(s.images(1), std::span(logits).first(logits.size() / 2)).code(), Code::kInvalidArgument);

    std::ranges::fill(logits, -7.0f);
    const int32_t last = routes.back();
    const int experts = int(executor.expert_rows(executor.moe_layer_count() - 1).rows.size());
    for (const int32_t bad : {-2, experts, INT32_MAX, INT32_MIN}) {
      routes.back() = bad;
      EXPECT_EQ(replaying->run(s.images(2), logits).code(), Code::kInvalidArgument) << name << ", expert " << bad;
    }
    routes.back() = last;
    if (name != kPatchNet) {
      routes.back() = -1;  // only patches are dropped
      EXPECT_EQ(replaying->run(s.images(2), logits).code(), Code::kInvalidArgument);
      routes.back() = routes[routes.size() - 2];  // its other expert
      EXPECT_EQ(replaying->run(s.images(2), logits).code(), Code::kInvalidArgument);
    }
    for (const float v : logits) EXPECT_EQ(v, -7.0f) << name;
  }
}

TEST(Executor, RefusesInputsOfAnotherSizeAndWritesNothing) {
  const Subject s(kHead);
  auto executor = Executor::create(s.model());
  ASSERT_TRUE(executor.ok());
  const int classes = s.model().classes();
  std::vector<float> logits(size_t(classes) * 9, -7.0f);
  const auto expect_refused = [&](std::span<const float> images, std::span<float> out) {
    EXPECT_EQ(executor->run(images, out).code(), Code::kInvalidArgument);
    for (float v : logits) EXPECT_EQ(v, -7.0f);
  };
  expect_refused({}, std::span(logits).first(0));
  expect_refused(s.images(1).first(s.images(1).size() - 1), std::span(logits).first(size_t(classes)));
  expect_refused(s.images(2), std::span(logits).first(size_t(classes)));
  expect_refused(s.images(9), std::span(logits).first(size_t(classes) * 9));  // max_batch is 8
}

TEST(Executor, NamesTheElementThatIsNotFinite) {
  const Subject s(kHead);
  auto executor = Executor::create(s.model());
  ASSERT_TRUE(executor.ok());
  std::vector<float> images(s.images(2).begin(), s.images(2).end());
  std::vector<float> logits(size_t(2 * s.model().classes()));
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    images[53] = bad;
    const Status status = executor->run(images, logits);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.where(), 53);
  }
}

TEST(Executor, IsBusyForWhoeverEntersWhileItRuns) {
  // The host's thread pool calls back in the middle of run(): the place from which a second entry is certain to
  // overlap.
  const Subject s(kResNet);
  struct Host {
    Executor* executor = nullptr;
    std::span<const float> images;
    std::vector<float> logits;
    int busy = 0, calls = 0;
    static void parallel_for(void* ctx, int n, void (*fn)(void*, int), void* ctx2) {
      auto& self = *static_cast<Host*>(ctx);
      ++self.calls;
      self.busy += self.executor->run(self.images, self.logits).code() == Code::kBusy;
      for (int i = 0; i < n; ++i) fn(ctx2, i);
    }
  } host;
  ExecutorOptions options;
  options.host_threads = {&Host::parallel_for, &host, 2};
  auto executor = Executor::create(s.model(), options);
  ASSERT_TRUE(executor.ok());
  host.executor = &*executor;
  host.images = s.images(2);
  host.logits.resize(size_t(2 * s.model().classes()));
  std::vector<float> logits(host.logits.size());
  ASSERT_TRUE(executor->run(s.images(2), logits).ok());
  EXPECT_GT(host.calls, 0);
  EXPECT_EQ(host.busy, host.calls);
  EXPECT_EQ(logits, answer(s.model(), s.images(2))) << "the host's threads change no bits";
}

TEST(Executor, KeepsToItselfWhatTakesMicroseconds) {
  // A head that takes 20 us woke another thread to help copy its input.
  const Subject s(kHead);
  int calls = 0;
  const auto count = [](void* ctx, int n, void (*fn)(void*, int), void* ctx2) {
    ++*static_cast<int*>(ctx);
    for (int i = 0; i < n; ++i) fn(ctx2, i);
  };
  for (const Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
    ExecutorOptions options;
    options.dispatch = dispatch;
    const std::vector<float> alone = answer(s.model(), s.images(8), options);
    options.host_threads = {count, &calls, 2};
    EXPECT_EQ(answer(s.model(), s.images(8), options), alone);
  }
  EXPECT_EQ(calls, 0);
}

TEST(Executor, SharesOneModelBetweenSixteenThreads) {
  for (Kernels kernels : {Kernels::kReference, Kernels::kAuto}) {
    const Subject s(kResNet, kernels);
    const std::vector<float> alone = answer(s.model(), s.images(2));
    std::vector<std::vector<float>> answers(16);
    std::vector<std::thread> threads;
    for (std::vector<float>& mine : answers) {
      threads.emplace_back([&mine, &s] {
        for (int i = 0; i < 2; ++i) mine = answer(s.model(), s.images(2));
      });
    }
    for (std::thread& t : threads) t.join();
    for (const std::vector<float>& mine : answers) EXPECT_EQ(mine, alone);
  }
}

TEST(Executor, BatchCapacityMakesAnImageDependOnItsBatchAsPublished) {
  const Subject s(kPatchNet);
  ASSERT_EQ(s.model().capacity_group(), CapacityGroup::kBatch);
  const std::vector<float> together = answer(s.model(), s.images(2));
  const std::vector<float> alone = answer(s.model(), s.image(0));
  EXPECT_NE(std::vector<float>(together.begin(), together.begin() + s.model().classes()), alone);
}

TEST(Executor, DropsNothingWithoutCapacity) {
  const Subject s(kPatchNet);
  ExecutorOptions options;
  for (const auto& [group, drops] : {std::pair{CapacityGroup::kBatch, true}, std::pair{CapacityGroup::kNone, false}}) {
    options.capacity_group = group;
    const std::vector<int32_t> routes = run_two(s, options).routes;
    EXPECT_EQ(std::count(routes.begin(), routes.end(), -1) > 0, drops);
  }
}

TEST(Executor, RefusesOptionsOutOfRange) {
  const Subject s(kHead);
  for (int threads : {0, -1, 1 << 20}) {
    ExecutorOptions options;
    options.threads = threads;
    EXPECT_EQ(Executor::create(s.model(), options).status().code(), Code::kInvalidArgument) << threads;
  }
}

TEST(Executor, ShowsNoTraceBeforeTheFirstRun) {
  const Subject s(kHead);
  ExecutorOptions options;
  options.trace = Trace::kAll;
  auto executor = Executor::create(s.model(), options);
  ASSERT_TRUE(executor.ok());
  EXPECT_EQ(executor->trace_count(), 0);
  EXPECT_EQ(executor->read_trace(0, {}).code(), Code::kInvalidArgument);
}

TEST(ModelLoad, SaysWhatIsMissing) {
  EXPECT_EQ(Model::load("/no/such/model.moefb").status().code(), Code::kNotFound);
  EXPECT_EQ(Model::load("/").status().code(), Code::kIo);
  EXPECT_EQ(Model::load("/dev/zero").status().code(), Code::kIo);
  EXPECT_EQ(Model::load(nullptr).status().code(), Code::kInvalidArgument);
  LoadOptions options;
  options.max_batch = 0;
  EXPECT_EQ(Model::load("/no/such/model.moefb", options).status().code(), Code::kInvalidArgument);
}

// Opening a pipe that nobody writes to used to wait for ever.
TEST(ModelLoad, RefusesAPipeAtOnce) {
  const std::string pipe = testing::TempDir() + "moefb_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(Model::load(pipe.c_str()).status().code(), Code::kIo);
  ::unlink(pipe.c_str());
}

}  // namespace
}  // namespace moefb
