// One model and one executor under many threads. For ThreadSanitizer, which needs the reference kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "runtime/c_api_session.h"

namespace moefb::testing {
namespace {

/// What an executor answers to the picture that nothing disturbs.
std::vector<float> answer_alone(const moefb_model* model) {
  return run_once(make_executor(model, sized<moefb_executor_options>()).get(), picture_input(model));
}

TEST(CApiThreads, SharesOneModelBetweenSixteenThreads) {
  const ModelHandle model = load_model();
  const std::vector<float> input = picture_input(model.get());
  const std::vector<float> expected = answer_alone(model.get());
  std::vector<std::vector<float>> answers(16);
  std::vector<std::thread> threads;
  for (std::vector<float>& mine : answers) {
    threads.emplace_back([&] {
      const ExecutorHandle executor = make_executor(model.get(), sized<moefb_executor_options>());
      for (int i = 0; i < 3; ++i) mine = run_once(executor.get(), input);
    });
  }
  for (std::thread& t : threads) t.join();
  for (const std::vector<float>& mine : answers) EXPECT_EQ(mine, expected);
}

TEST(CApiThreads, AnswersBusyOrRightlyToSixteenThreadsOnOneExecutor) {
  const ModelHandle model = load_model();
  const ExecutorHandle executor = make_executor(model.get(), sized<moefb_executor_options>());
  const std::vector<float> input = picture_input(model.get());
  const std::vector<float> expected = answer_alone(model.get());
  std::vector<int> answered(16);
  std::vector<std::thread> threads;
  for (int& mine : answered) {
    threads.emplace_back([&] {
      std::vector<float> logits(kClasses);
      while (mine < 2) {
        std::fill(logits.begin(), logits.end(), -7.0f);
        const auto code = api().run(executor.get(), input.data(), input.size(), logits.data(), kClasses, nullptr);
        if (code == MOEFB_OK) {
          EXPECT_EQ(logits, expected);
          ++mine;
        } else {
          EXPECT_EQ(code, MOEFB_BUSY);
          EXPECT_EQ(logits, std::vector<float>(kClasses, -7.0f)) << "busy, and yet written";
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(answered, std::vector<int>(16, 2));
}

TEST(CApiThreads, IsBusyForWhoeverEntersWhileItRuns) {
  // The host's own threads call back in the middle of run(): from there a second entry is certain to overlap.
  struct Host {
    moefb_executor* executor = nullptr;
    std::vector<float> input;
    int calls = 0, busy = 0;
    static void parallel_for(void* host, int n, void (*fn)(void*, int), void* context) {
      auto& self = *static_cast<Host*>(host);
      float logits[kClasses];
      auto error = sized<moefb_error>();
      ++self.calls;
      self.busy += api().run(self.executor, self.input.data(), kInputs, logits, kClasses, &error) == MOEFB_BUSY &&
                   std::strcmp(error.message, "busy: another thread is inside this executor") == 0;
      for (int i = 0; i < n; ++i) fn(context, i);
    }
  } host;
  const ModelHandle model = load_model();
  auto options = sized<moefb_executor_options>();
  options.threads = 2;
  options.parallel_for = &Host::parallel_for;
  options.parallel_for_host = &host;
  const ExecutorHandle executor = make_executor(model.get(), options);
  host.executor = executor.get();
  host.input = picture_input(model.get());
  EXPECT_EQ(run_once(executor.get(), host.input), answer_alone(model.get()));
  EXPECT_GT(host.calls, 0);
  EXPECT_EQ(host.busy, host.calls);
}

}  // namespace
}  // namespace moefb::testing
