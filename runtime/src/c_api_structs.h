// How data crosses the C API: structs that say their size, and failures as a code with a message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "moefb/moefb.h"
#include "moefb/result.h"

namespace moefb::c_api {

/// No struct of ours will ever be this long: a larger size is an uninitialised one.
inline constexpr size_t kMaxStructBytes = 4096;

/// Every struct is at least as long as in the version of the API that brought it.
/// @param least  what it was then: sizeof the struct, as long as none has grown
inline Status check_size(size_t found, size_t least) noexcept {
  if (found >= least && found <= kMaxStructBytes) return {};
  return Status(Code::kInvalidArgument, "a struct's `size` is impossible: set it to sizeof")
      .values(int64_t(found), int64_t(least));
}

/// Copies a struct of options from the host; null means all defaults. What the host knows and we do not must be zero.
template <typename T>
Status take(const T* given, T& options) noexcept {
  options = T{};
  if (given == nullptr) return {};
  MOEFB_TRY(check_size(given->size, sizeof(T)));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (std::any_of(bytes + sizeof(T), bytes + given->size, [](unsigned char b) { return b != 0; })) {
    return Status(Code::kUnsupported, "an option is newer than this library").values(int64_t(given->size), sizeof(T));
  }
  options = *given;
  return {};
}

/// Copies an answer to the host's struct; what the host knows and we do not becomes zero.
template <typename T>
Status give(T answer, T* wanted) noexcept {
  if (wanted == nullptr) return {Code::kInvalidArgument, "null where an answer belongs"};
  MOEFB_TRY(check_size(wanted->size, sizeof(T)));
  answer.size = wanted->size;
  auto* bytes = reinterpret_cast<unsigned char*>(wanted);
  std::memset(bytes + sizeof(T), 0, answer.size - sizeof(T));
  std::memcpy(bytes, &answer, sizeof(T));
  return {};
}

/// Runs `body`, which returns a Status, and reports it to the host.
/// @param error  may be null; if its size is impossible nothing is run
template <typename Body>
moefb_code reported(moefb_error* error, const Body& body) noexcept {
  if (error != nullptr && !check_size(error->size, sizeof *error).ok()) return MOEFB_INVALID_ARGUMENT;
  const Status status = body();
  if (error != nullptr) {
    error->code = int32_t(status.code());
    error->message[0] = '\0';
    if (!status.ok()) status.describe(error->message, sizeof error->message);
  }
  return static_cast<moefb_code>(status.code());
}

/// kInvalidArgument unless every pointer points somewhere.
template <typename... Pointers>
Status need(const Pointers*... pointers) noexcept {
  return (... && (pointers != nullptr)) ? Status() : Status(Code::kInvalidArgument, "a null pointer");
}

/// A number of the C API as an enum of ours whose last value is `last`.
template <typename Enum>
Status to_enum(int32_t value, Enum last, const char* what, Enum& result) noexcept {
  if (value < 0 || value > int32_t(last)) return Status(Code::kInvalidArgument, what).values(value, int32_t(last));
  result = Enum(value);
  return {};
}

}  // namespace moefb::c_api
