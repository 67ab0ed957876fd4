// One loop over all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace moefb::trainer {

/// Calls work(i) for 0 <= i < n on so many threads, this one among them; who does which is left to chance.
/// @param threads  0: as many as the machine has
/// @param work     may not throw
/// @param watch    called by this thread alone, after each i of its own, with how many have been begun
template <typename Work, typename Watch>
void on_threads(int64_t n, int threads, const Work& work, const Watch& watch) {
  if (threads == 0) threads = std::max(1, int(std::thread::hardware_concurrency()));
  std::atomic<int64_t> next{0};
  const auto help = [&] {
    for (int64_t i; (i = next.fetch_add(1)) < n;) work(i);
  };
  std::vector<std::jthread> helpers;
  for (int t = 1; t < threads; ++t) helpers.emplace_back(help);
  for (int64_t i; (i = next.fetch_add(1)) < n;) {
    work(i);
    watch(std::min(n, next.load()));
  }
}

template <typename Work>
void on_threads(int64_t n, int threads, const Work& work) {
  on_threads(n, threads, work, [](int64_t) {});
}

}  // namespace moefb::trainer
