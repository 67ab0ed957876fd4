#include "trainer/fake_device/fake_memory.h"

#include <c10/core/impl/alloc_cpu.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <vector>

namespace moefb::trainer::fake {
namespace {

constexpr size_t kReach = size_t{4} << 30;  ///< from a device address to its bytes; only what is written takes memory
constexpr size_t kLeast = 64;

/// One stretch of addresses that nobody may touch, and behind it as many bytes. Freed blocks are kept by size.
class Arena {
 public:
  Arena() {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* start = mmap(nullptr, 2 * kReach, PROT_NONE, kFlags, -1, 0);
    if (start == MAP_FAILED) throw std::runtime_error("fake device: no addresses");
    start_ = static_cast<std::byte*>(start);
    if (mprotect(start_ + kReach, kReach, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("fake device: no memory");
  }

  void* take(size_t bytes) {
    const size_t size = std::bit_ceil(std::max(bytes, kLeast));
    const std::lock_guard lock(mutex_);
    std::vector<void*>& kept = free_[size];
    if (kept.empty()) {
      if (used_ + size > kReach) throw std::runtime_error("fake device: out of memory");
      kept.push_back(start_ + used_);
      used_ += size;
    }
    void* block = kept.back();
    kept.pop_back();
    sizes_[block] = size;
    return block;
  }

  void give_back(void* block) {
    const std::lock_guard lock(mutex_);
    free_[sizes_.at(block)].push_back(block);
    sizes_.erase(block);
  }

  bool has(const void* address, size_t shift) const {
    const auto* at = static_cast<const std::byte*>(address);
    return at >= start_ + shift && at < start_ + shift + kReach;
  }

 private:
  std::mutex mutex_;
  std::byte* start_ = nullptr;
  size_t used_ = 0;
  std::map<size_t, std::vector<void*>> free_;
  std::map<void*, size_t> sizes_;
};

Arena& arena() {
  static auto* one = new Arena;  // tensors may outlive every static object
  return *one;
}

void free_device(void* block) {
  if (block) arena().give_back(block);
}

class DeviceMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes > 0 ? arena().take(bytes) : nullptr;
    return {block, block, free_device, kDevice};
  }
  c10::DeleterFnPtr raw_deleter() const override { return free_device; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(host_side(to), host_side(from), bytes);
  }
};

struct PinnedBlocks {
  std::mutex mutex;
  std::set<void*> starts;
};

PinnedBlocks& pinned_blocks() {
  static auto* blocks = new PinnedBlocks;
  return *blocks;
}

void free_pinned(void* block) {
  const std::lock_guard lock(pinned_blocks().mutex);
  pinned_blocks().starts.erase(block);
  c10::free_cpu(block);
}

class PinnedMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = c10::alloc_cpu(bytes);
    const std::lock_guard lock(pinned_blocks().mutex);
    if (block) pinned_blocks().starts.insert(block);
    return {block, block, free_pinned, c10::DeviceType::CPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return free_pinned; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};

}  // namespace

c10::Allocator& device_memory() {
  static auto* memory = new DeviceMemory;
  return *memory;
}

c10::Allocator& pinned_memory() {
  static auto* memory = new PinnedMemory;
  return *memory;
}

bool is_pinned(const void* address) {
  const std::lock_guard lock(pinned_blocks().mutex);
  return pinned_blocks().starts.contains(const_cast<void*>(address));
}

void* host_side(const void* device_address) {
  if (!arena().has(device_address, 0)) throw std::runtime_error("fake device: an address of another memory");
  return static_cast<std::byte*>(const_cast<void*>(device_address)) + kReach;
}

bool is_host_side(const void* address) {
  return arena().has(address, kReach);
}

}  // namespace moefb::trainer::fake
