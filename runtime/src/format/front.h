// The flatbuffer of a file in memory of its own, verified: what stands in it cannot change after it was checked.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "moefb/result.h"
#include "schema/container.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

class Front {
 public:
  /// Copies header and flatbuffer, then proves checksum and structure of the copy: every offset inside, every table
  /// and string whole. What the numbers mean is still unproved.
  /// @param header  as read_header() returned it for this file
  /// @return kCorruptFile, kOutOfMemory
  static Result<Front> copy(std::span<const std::byte> file, const container::Header& header) noexcept;

  /// Lives as long as the Front.
  const fb::Model& model() const noexcept { return *fb::GetModel(bytes_.get()); }

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept;
  };
  explicit Front(std::byte* bytes) noexcept : bytes_(bytes) {}
  Status check(const container::Header& header) const noexcept;

  std::unique_ptr<std::byte[], Free> bytes_;
};

}  // namespace moefb::format
