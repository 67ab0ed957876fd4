// malloc and its relatives as seen by every module of the process: a function of the program takes precedence over that
// of a shared library, so these definitions stand before the C library's.
//
// While counting, each call is kept as a stack of return addresses in memory set aside; names are looked up afterwards,
// because looking them up allocates.
#include "runtime/allocation_counter.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define MOEFB_COUNTS_ALLOCATIONS 0
#else
#define MOEFB_COUNTS_ALLOCATIONS 1
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#endif

#if !MOEFB_COUNTS_ALLOCATIONS

namespace moefb::test {

bool can_count_allocations() {
  return false;
}
AllocationCounter::AllocationCounter() = default;
AllocationCounter::~AllocationCounter() = default;
Allocations AllocationCounter::stop() {
  return {};
}

}  // namespace moefb::test

#else

namespace moefb::test {
namespace {

constexpr int kDepth = 16;
constexpr int64_t kMaxRecords = 200'000;

/// One allocation: the return addresses above it, the innermost first, and where in them the caller's stands.
struct Record {
  void* frames[kDepth];
  int depth;
  void* caller;
};

std::atomic<bool> counting{false};
std::atomic<int64_t> count{0};
Record* records = nullptr;
thread_local bool inside = false;  // backtrace() may itself allocate

void note(void* caller) {
  if (!counting.load(std::memory_order_acquire) || inside) return;
  const int64_t index = count.fetch_add(1);
  if (index >= kMaxRecords) return;
  inside = true;
  records[index].depth = backtrace(records[index].frames, kDepth);
  records[index].caller = caller;
  inside = false;
}

/// The file name of the module that holds `address`; "" if none does, as of generated code.
std::string module_of(void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "";
  return std::filesystem::path(info.dli_fname).filename().string();
}

bool passes_on(const std::string& module) {
  for (const char* name : {"libc.so", "libstdc++.so", "ld-linux"}) {
    if (module.starts_with(name)) return true;
  }
  return false;
}

/// The module of the first frame, from the caller's on, that does not only pass the request on.
std::string who_asked(const Record& record, const std::string& program) {
  bool reached = false;
  for (int i = 0; i < record.depth; ++i) {
    reached = reached || record.frames[i] == record.caller;
    if (!reached) continue;
    const std::string module = module_of(record.frames[i]);
    if (!passes_on(module)) return module == program ? kOurs : module;
  }
  return module_of(record.caller);
}

}  // namespace

bool can_count_allocations() {
  return true;
}

AllocationCounter::AllocationCounter() {
  if (records == nullptr) records = new Record[kMaxRecords];
  void* frames[kDepth];
  backtrace(frames, kDepth);  // the first call loads a library
  count.store(0);
  counting.store(true, std::memory_order_release);
}

AllocationCounter::~AllocationCounter() {
  counting.store(false);
}

Allocations AllocationCounter::stop() {
  counting.store(false);
  const std::string program = module_of(reinterpret_cast<void*>(&can_count_allocations));
  Allocations allocations;
  const int64_t kept = std::min(count.load(), kMaxRecords);
  for (int64_t i = 0; i < kept; ++i) ++allocations[who_asked(records[i], program)];
  if (count.load() > kept) allocations["beyond what could be recorded"] = count.load() - kept;
  return allocations;
}

}  // namespace moefb::test

// ---- what stands before the C library's functions ----

#define MOEFB_INTERPOSED __attribute__((visibility("default"), noinline))

extern "C" {

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

MOEFB_INTERPOSED void* malloc(size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return __libc_malloc(bytes);
}

MOEFB_INTERPOSED void* calloc(size_t count, size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return __libc_calloc(count, bytes);
}

MOEFB_INTERPOSED void* realloc(void* old, size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return __libc_realloc(old, bytes);
}

MOEFB_INTERPOSED void* memalign(size_t alignment, size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

MOEFB_INTERPOSED void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

MOEFB_INTERPOSED int posix_memalign(void** made, size_t alignment, size_t bytes) noexcept {
  moefb::test::note(__builtin_return_address(0));
  *made = __libc_memalign(alignment, bytes);
  return *made == nullptr ? ENOMEM : 0;
}

MOEFB_INTERPOSED void* mmap(void* wanted, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  moefb::test::note(__builtin_return_address(0));
  return reinterpret_cast<void*>(syscall(SYS_mmap, wanted, bytes, protection, flags, file, offset));
}

}  // extern "C"

// The plain form: the C++ library's other forms end here or in the functions above. Deleting stays as it is.
MOEFB_INTERPOSED void* operator new(size_t bytes) {
  moefb::test::note(__builtin_return_address(0));
  void* made = __libc_malloc(bytes == 0 ? 1 : bytes);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

#endif
