// Counts what the whole process allocates, and says which library asked for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace moefb::test {

/// False where the counting functions cannot stand in for the C library's: under a sanitizer, which brings its own, and
/// beside another C library than glibc.
bool can_count_allocations();

/// Allocations by the module whose code asked for them: "libdnnl.so.3", "libgomp.so.1", kOurs. Modules that only pass a
/// request on (C and C++ library) are looked through.
using Allocations = std::map<std::string, int64_t>;

inline constexpr const char* kOurs = "this program";  ///< the library is linked into it

/// Counts from construction to stop(): malloc and its relatives, operator new, mmap, on every thread. One at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;
  ~AllocationCounter();

  /// Ends the counting; may be called once.
  Allocations stop();
};

}  // namespace moefb::test
