// How the runtime reports failure: no exceptions, no allocation, never an abort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "moefb/export.h"

namespace moefb {

/// Every cause of failure.
enum class Code : uint8_t {
  kOk,
  kInvalidArgument,  ///< the caller's fault: a wrong size, a value out of range
  kNotFound,         ///< no such file
  kIo,               ///< the system failed to read or write
  kCorruptFile,      ///< the bytes are not a valid model or picture
  kVersionMismatch,  ///< a model of a newer format version
  kUnsupported,      ///< valid, but not something this build can run
  kOutOfMemory,
  kBusy,     ///< another thread is inside this Executor
  kBackend,  ///< a vendor library or device failed
};

/// "corrupt file", "out of memory", ...; a literal.
MOEFB_EXPORT const char* code_name(Code code) noexcept;

/// Success, or a cause with a literal text and, where they say more, the offending place and values.
class [[nodiscard]] Status {
 public:
  constexpr Status() noexcept = default;
  /// @param text  a string literal: it is kept, not copied.
  constexpr Status(Code code, const char* text) noexcept : text_(text), code_(code) {}

  /// Adds the index or byte offset the text speaks of.
  constexpr Status at(int64_t where) const noexcept {
    Status s = *this;
    s.where_ = where;
    return s;
  }
  /// Adds the value found and the value expected.
  constexpr Status values(int64_t found, int64_t expected) const noexcept {
    Status s = *this;
    s.found_ = found;
    s.expected_ = expected;
    s.has_values_ = true;
    return s;
  }

  constexpr bool ok() const noexcept { return code_ == Code::kOk; }
  constexpr Code code() const noexcept { return code_; }
  constexpr const char* text() const noexcept { return text_; }
  constexpr int64_t where() const noexcept { return where_; }  ///< -1: nowhere in particular
  constexpr bool has_values() const noexcept { return has_values_; }
  constexpr int64_t found() const noexcept { return found_; }
  constexpr int64_t expected() const noexcept { return expected_; }

  /// Writes "corrupt file: segment checksum differs (at 3; found 17, expected 42)" into `buffer`, cut to `size` - 1
  /// characters.
  /// @return `buffer`
  MOEFB_EXPORT const char* describe(char* buffer, size_t size) const noexcept;

 private:
  const char* text_ = "";
  int64_t where_ = -1;
  int64_t found_ = 0;
  int64_t expected_ = 0;
  Code code_ = Code::kOk;
  bool has_values_ = false;
};

/// A value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) noexcept : has_value_(true) { new (&storage_) T(std::move(value)); }  // NOLINT: implicit on purpose
  Result(Status status) noexcept : status_(status) {}                                   // NOLINT
  Result(Result&& other) noexcept : status_(other.status_), has_value_(other.has_value_) {
    if (has_value_) new (&storage_) T(std::move(*other));
  }
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (has_value_) (**this).~T();
  }

  bool ok() const noexcept { return has_value_; }
  Status status() const noexcept { return status_; }
  T& operator*() noexcept { return *std::launder(reinterpret_cast<T*>(&storage_)); }
  const T& operator*() const noexcept { return *std::launder(reinterpret_cast<const T*>(&storage_)); }
  T* operator->() noexcept { return &**this; }
  const T* operator->() const noexcept { return &**this; }

 private:
  alignas(T) std::byte storage_[sizeof(T)];
  Status status_;
  bool has_value_ = false;
};

}  // namespace moefb

/// Returns from the calling function if `expression` (a Status) failed.
#define MOEFB_TRY(expression)                                              \
  do {                                                                     \
    if (::moefb::Status moefb_status = (expression); !moefb_status.ok()) { \
      return moefb_status;                                                 \
    }                                                                      \
  } while (false)
