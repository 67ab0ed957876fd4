// Follows values through steps in execution order: each is defined once, before it is used, and is used by someone.
#pragma once

#include <cstdint>
#include <vector>

#include "moefb/result.h"

namespace moefb::graph {

class DefUse {
 public:
  explicit DefUse(size_t values) : marks_(values, 0) {}

  /// @return kCorruptFile if something else defined it
  Status define(int value) noexcept {
    if (marks_[size_t(value)] & kDefined) return Status(Code::kCorruptFile, "a value is defined twice").at(value);
    marks_[size_t(value)] |= kDefined;
    return {};
  }

  /// @return kCorruptFile if nothing has defined it yet
  Status use(int value) noexcept {
    if (!(marks_[size_t(value)] & kDefined)) {
      return Status(Code::kCorruptFile, "a value is used before it is defined").at(value);
    }
    marks_[size_t(value)] |= kUsed;
    return {};
  }

  /// @return kCorruptFile if a value was never defined or never used
  Status finish() const noexcept {
    for (size_t i = 0; i < marks_.size(); ++i) {
      if (!(marks_[i] & kDefined)) return Status(Code::kCorruptFile, "a value is never defined").at(int64_t(i));
      if (!(marks_[i] & kUsed)) return Status(Code::kCorruptFile, "a value is never used").at(int64_t(i));
    }
    return {};
  }

 private:
  static constexpr uint8_t kDefined = 1;
  static constexpr uint8_t kUsed = 2;
  std::vector<uint8_t> marks_;
};

}  // namespace moefb::graph
