#include "moefb/result.h"

#include <cinttypes>
#include <cstdio>

namespace moefb {

const char* code_name(Code code) noexcept {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kNotFound:
      return "not found";
    case Code::kIo:
      return "input/output error";
    case Code::kCorruptFile:
      return "corrupt file";
    case Code::kVersionMismatch:
      return "version mismatch";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kOutOfMemory:
      return "out of memory";
    case Code::kBusy:
      return "busy";
    case Code::kBackend:
      return "backend error";
  }
  return "unknown error";
}

const char* Status::describe(char* buffer, size_t size) const noexcept {
  if (size == 0) return buffer;
  const char* name = code_name(code_);
  const char* colon = text_[0] ? ": " : "";
  if (where_ >= 0 && has_values_) {
    std::snprintf(buffer, size, "%s%s%s (at %" PRId64 "; found %" PRId64 ", expected %" PRId64 ")", name, colon, text_,
                  where_, found_, expected_);
  } else if (where_ >= 0) {
    std::snprintf(buffer, size, "%s%s%s (at %" PRId64 ")", name, colon, text_, where_);
  } else if (has_values_) {
    std::snprintf(buffer, size, "%s%s%s (found %" PRId64 ", expected %" PRId64 ")", name, colon, text_, found_,
                  expected_);
  } else {
    std::snprintf(buffer, size, "%s%s%s", name, colon, text_);
  }
  return buffer;
}

}  // namespace moefb
