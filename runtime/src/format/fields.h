// Raw fields of a flatbuffer to the types of a Graph, each range proved before it is cast.
//
// All return kCorruptFile with the given text, and the value found where a number says more.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "moefb/result.h"
#include "moefb/tensor.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

inline constexpr size_t kMaxNameBytes = 256;

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

/// @tparam kLast  the last enumerator of the Graph's enum, which numbers its values like the schema's
template <auto kLast, typename Raw>
Status read_enum(Raw raw, const char* text, decltype(kLast)& out) noexcept {
  static_assert(uint8_t(kLast) == uint8_t(Raw::MAX), "schema and graph number their enumerators alike");
  const auto value = static_cast<uint8_t>(raw);
  if (value > uint8_t(kLast)) return corrupt(text).values(value, uint8_t(kLast));
  out = decltype(kLast)(value);
  return {};
}

/// A number from 0 to `most`.
inline Status read_number(uint32_t raw, int64_t most, const char* text, int& out) noexcept {
  if (raw > most) return corrupt(text).values(raw, most);
  out = int(raw);
  return {};
}

/// An index into `size` things.
inline Status read_index(uint32_t raw, size_t size, const char* text, int& out) noexcept {
  if (raw >= size) return corrupt(text).values(raw, int64_t(size) - 1);
  out = int(raw);
  return {};
}

/// An index into `size` things, or -1 for none.
inline Status read_optional_index(int32_t raw, size_t size, const char* text, int& out) noexcept {
  if (raw < -1 || raw >= int64_t(size)) return corrupt(text).values(raw, int64_t(size) - 1);
  out = raw;
  return {};
}

/// The elements of a vector, none if it is absent. The verifier does not look at the alignment of elements.
template <typename T>
Result<std::span<const T>> read_elements(const flatbuffers::Vector<T>* vector, size_t most, const char* text) noexcept {
  if (vector == nullptr) return std::span<const T>();
  if (vector->size() > most) return corrupt(text).values(vector->size(), int64_t(most));
  if (reinterpret_cast<uintptr_t>(vector->Data()) % alignof(T) != 0) return corrupt("a vector is misaligned");
  return std::span<const T>(reinterpret_cast<const T*>(vector->Data()), vector->size());
}

/// Number of elements, 0 if the vector is absent.
template <typename T>
size_t count(const flatbuffers::Vector<T>* vector) noexcept {
  return vector == nullptr ? 0 : vector->size();
}

/// A text for people: at most kMaxNameBytes of UTF-8 without control characters; empty if absent.
Status read_name(const flatbuffers::String* raw, std::string& out) noexcept;

/// 1 to 4 extents, each from 1 to kMaxExtent, with at most kMaxElements elements.
Status read_shape(const flatbuffers::Vector<uint64_t>* raw, Shape& out) noexcept;

}  // namespace moefb::format
