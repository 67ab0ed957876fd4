// The group itself. Each process is a thread here, with connections of its own.
#include "trainer/distributed/group.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "converter/temporary_folder.h"
#include "trainer/distributed/agreement.h"
#include "trainer/distributed/gradients.h"
#include "trainer/distributed/process_group.h"
#include "trainer/distributed/rows.h"
#include "trainer/distributed/store.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

constexpr auto kUnderTest = std::chrono::milliseconds(2000);  // instead of kPatience

World world_of(int64_t rank, int64_t size, const StoreServer& store) {
  World world;
  world.rank = rank;
  world.size = size;
  world.master_address = "127.0.0.1";
  world.master_port = store.port();
  world.store_runs = true;
  return world;
}

/// Runs `body` once for each rank. @return what each threw, empty if nothing
std::vector<std::string> in_processes(int64_t size, const std::function<void(const Group&)>& body,
                                      std::chrono::milliseconds patience = std::chrono::minutes(1)) {
  const StoreServer store;
  std::vector<std::string> messages(static_cast<size_t>(size));
  std::vector<std::jthread> threads;
  for (int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      messages[size_t(rank)] = message_of([&] { body(*join(world_of(rank, size, store), patience)); });
    });
  }
  threads.clear();
  return messages;
}

void expect_no_error(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) EXPECT_EQ(message, "");
}

TEST(Group, AloneReturnsWhatItGets) {
  const at::Tensor x = at::ones({2});
  EXPECT_TRUE(alone().sum(x).is_same(x));
  EXPECT_TRUE(alone().gather(x).at(0).is_same(x));
  EXPECT_TRUE(rows_of(alone(), 2).gather(x).is_same(x));
  EXPECT_FALSE(alone().any(false));
}

TEST(Group, SumHasASlopeOnEveryProcess) {
  // Together they compute 2 s + 3 s with s = x0 + x1, so each x has slope 5.
  expect_no_error(in_processes(2, [](const Group& group) {
    const at::Tensor x = at::full({3}, double(group.rank() + 1), at::kDouble).requires_grad_();
    const at::Tensor s = group.sum(x);
    EXPECT_EQ(s[0].item<double>(), 3);
    (s * double(group.rank() + 2)).sum().backward();
    EXPECT_TRUE(x.grad().equal(at::full({3}, 5.0, at::kDouble)));
  }));
}

TEST(Group, RowsOfUnequalNumberStandOneProcessAfterTheOther) {
  expect_no_error(in_processes(3, [](const Group& group) {
    const int64_t own = std::vector<int64_t>{2, 0, 3}[size_t(group.rank())];
    const BatchRows rows = rows_of(group, own);
    EXPECT_EQ(rows.total(), 5);
    EXPECT_EQ(rows.first(), group.rank() == 0 ? 0 : 2);
    const at::Tensor whole = at::arange(10, at::kFloat).view({5, 2});
    EXPECT_TRUE(rows.gather(rows.own(whole)).equal(whole));
    EXPECT_TRUE(rows.mean(rows.own(whole)).equal(whole.mean(0)));
  }));
}

TEST(Group, AGradientThatNobodyHasStaysAway) {
  expect_no_error(in_processes(2, [](const Group& group) {
    std::vector<at::Tensor> parameters;
    for (int i = 0; i < 3; ++i) parameters.push_back(at::zeros({2}).requires_grad_());
    parameters[0].mutable_grad() = at::ones({2});
    if (group.rank() == 1) parameters[1].mutable_grad() = at::full({2}, 7.0);
    sum_gradients(parameters, group);
    EXPECT_TRUE(parameters[0].grad().equal(at::full({2}, 2.0)));
    EXPECT_TRUE(parameters[1].grad().equal(at::full({2}, 7.0)));
    EXPECT_FALSE(parameters[2].grad().defined());
  }));
}

TEST(Group, TensorsOfTheFirstProcessAreShared) {
  expect_no_error(in_processes(2, [](const Group& group) {
    const at::Tensor x = at::full({4}, double(group.rank()));
    share_tensors(group, {x, at::scalar_tensor(group.rank(), at::kLong)});
    EXPECT_TRUE(x.equal(at::zeros({4})));
    EXPECT_TRUE(group.any(group.rank() == 1));
  }));
}

TEST(Group, NamesTheProcessThatDiffers) {
  const auto messages =
      in_processes(3, [](const Group& group) { check_same(group, group.rank() == 2 ? "b" : "a", "configuration"); });
  for (const std::string& message : messages) {
    EXPECT_EQ(message, "process 2 has another configuration than process 0");
  }
}

TEST(Group, AProcessThatLeavesIsNoticedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  const auto messages = in_processes(2, [](const Group& group) {
    if (group.rank() == 1) throw std::runtime_error("leaves");
    group.barrier();
  });
  EXPECT_TRUE(contains(messages[0], "process 0 of 2 lost the others")) << messages[0];
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "noticed by patience alone";
}

TEST(Group, AProcessThatHangsIsGivenUp) {
  std::promise<std::string> given_up;
  std::future<std::string> message = given_up.get_future();
  in_processes(
      2,
      [&](const Group& group) {
        if (group.rank() == 0)
          given_up.set_value(message_of([&] { group.barrier(); }));
        else
          message.wait_for(std::chrono::minutes(1));
      },
      kUnderTest);
  ASSERT_EQ(message.wait_for(std::chrono::seconds(0)), std::future_status::ready) << "the two did not meet";
  const std::string text = message.get();
  EXPECT_TRUE(contains(text, "process 0 of 2 lost the others")) << text;
}

TEST(Group, AProcessThatDoesNotComeIsGivenUp) {
  const StoreServer store;
  const std::string message = message_of([&] { join(world_of(0, 2, store), kUnderTest); });
  EXPECT_TRUE(contains(message, "process 0 of 2 found no way to the others")) << message;
}

TEST(Group, TwoProcessesOfOneRankAreRefused) {
  const StoreServer store;
  std::jthread first([&] { message_of([&] { join(world_of(0, 2, store), kUnderTest); }); });
  first.join();
  const std::string message = message_of([&] { join(world_of(0, 2, store), kUnderTest); });
  EXPECT_TRUE(contains(message, "another process has RANK 0 too")) << message;
}

}  // namespace
}  // namespace moefb::trainer
