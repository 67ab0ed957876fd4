#include "trainer/distributed/process_group.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "trainer/distributed/nccl.h"

namespace moefb::trainer {
namespace {

using c10d::ProcessGroupGloo;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

/// The first sentence of what went wrong: LibTorch's errors go on with guesses and a stack trace, and Gloo's begin with
/// a place in its source, "[FILE:LINE] ".
std::string first_sentence(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  if (text.starts_with('[') && text.find("] ") != std::string::npos) text.erase(0, text.find("] ") + 2);
  return text.substr(0, std::min(text.find('\n'), text.find(". ")));
}

std::string name_of(const World& world) {
  return "process " + std::to_string(world.rank) + " of " + std::to_string(world.size);
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

auto gloo_device(const World& world) {
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME")) {
    return ProcessGroupGloo::createDeviceForInterface(interface);
  }
  // The host name of a machine may lead nowhere; the loopback interface is enough where all processes are on it.
  if (is_loopback(world.master_address)) return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return ProcessGroupGloo::createDefaultDevice();
}

StorePointer open_store(const World& world, std::chrono::milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = uint16_t(world.master_port);
  options.isServer = world.rank == 0 && !world.store_runs;
  options.waitWorkers = false;
  options.timeout = patience;
  const auto store = c10::make_intrusive<c10d::TCPStore>(world.master_address, options);
  return c10::make_intrusive<c10d::PrefixStore>("moefb" + world.store_prefix, store);
}

void claim_rank(const World& world, c10d::Store& store) {
  const std::string key = "rank" + std::to_string(world.rank);
  if (store.add(key, 1) == 1) return;
  throw std::runtime_error("another process has RANK " + std::to_string(world.rank) + " too");
}

class ProcessGroup : public Group {
 public:
  ProcessGroup(const World& world, std::chrono::milliseconds patience)
      : world_(world), patience_(patience), store_(open_store(world, patience)) {
    claim_rank(world, *store_);
    auto options = ProcessGroupGloo::Options::create(patience);
    options->devices.push_back(gloo_device(world));
    gloo_ = c10::make_intrusive<ProcessGroupGloo>(store_, int(world.rank), int(world.size), options);
  }

  int64_t rank() const override { return world_.rank; }
  int64_t size() const override { return world_.size; }

 protected:
  void do_sum(at::Tensor& x) const override {
    std::vector<at::Tensor> tensors = {x};
    wait_for([&] { return backend_of(x).allreduce(tensors); });
  }

  std::vector<at::Tensor> do_gather(const at::Tensor& x) const override {
    std::vector<std::vector<at::Tensor>> all(1);
    for (int64_t rank = 0; rank < size(); ++rank) all[0].push_back(at::empty_like(x));
    std::vector<at::Tensor> own = {x};
    if (x.numel() > 0) wait_for([&] { return backend_of(x).allgather(all, own); });
    return all[0];
  }

  void do_broadcast(at::Tensor& x) const override {
    std::vector<at::Tensor> tensors = {x};
    wait_for([&] { return backend_of(x).broadcast(tensors); });
  }

 private:
  c10d::Backend& backend_of(const at::Tensor& x) const {
    if (x.is_cpu()) return *gloo_;
    if (!nccl_) {
      const auto store = c10::make_intrusive<c10d::PrefixStore>("nccl", store_);
      nccl_ = make_nccl(store, rank(), size(), patience_);
    }
    return *nccl_;
  }

  template <typename Start>
  void wait_for(const Start& start) const {
    try {
      start()->wait();
    } catch (const std::exception& error) {
      throw std::runtime_error(name_of(world_) + " lost the others (" + first_sentence(error) +
                               "); what was saved last is whole: go on with `resume`");
    }
  }

  World world_;
  std::chrono::milliseconds patience_;
  StorePointer store_;
  c10::intrusive_ptr<c10d::Backend> gloo_;
  mutable c10::intrusive_ptr<c10d::Backend> nccl_;  ///< made when the first tensor on a GPU comes
};

}  // namespace

std::shared_ptr<const Group> join(const World& world, std::chrono::milliseconds patience) {
  if (world.alone()) return {std::shared_ptr<const Group>(), &alone()};
  try {
    return std::make_shared<ProcessGroup>(world, patience);
  } catch (const std::exception& error) {
    throw std::runtime_error(name_of(world) + " found no way to the others by " + world.master_address + ":" +
                             std::to_string(world.master_port) +
                             " (MASTER_ADDR, MASTER_PORT): " + first_sentence(error));
  }
}

}  // namespace moefb::trainer
