// Reads and writes .safetensors files. A leaf library (no other part of moefb): converter, trainer, apps and tests use
// it.
//
// Format: u64 little-endian header length, a JSON object name -> {dtype, shape, data_offsets}, then the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace moefb::safetensors {

/// One tensor: row-major, little-endian bytes. `dtype` is the file's own name: F32, F64, BF16, F16, I64, I32, I16, I8,
/// U8, BOOL.
struct Tensor {
  std::string dtype;
  std::vector<int64_t> shape;  ///< () for a scalar
  std::vector<std::byte> data;

  int64_t elements() const;  ///< product of `shape`; 1 for a scalar

  static Tensor from_f32(std::vector<int64_t> shape, std::span<const float> values);
  static Tensor from_f64(std::vector<int64_t> shape, std::span<const double> values);
  static Tensor from_i64(std::vector<int64_t> shape, std::span<const int64_t> values);
  static Tensor from_u8(std::vector<int64_t> shape, std::span<const uint8_t> values);

  /// The values as floats; accepts F32, F64, BF16 and F16. @throws std::runtime_error for another dtype
  std::vector<float> to_f32() const;
  /// The values as integers; accepts I64, I32, I16, I8, U8 and BOOL. @throws std::runtime_error for another dtype
  std::vector<int64_t> to_i64() const;
};

/// What a file holds. Equal contents give equal bytes: data is written by element size, largest first (so that every
/// tensor is aligned), then by name.
struct File {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// @throws std::runtime_error that names the file, what was found and what was expected: unreadable, cut short,
/// trailing bytes,
///         holes, overlaps, duplicate keys, sizes that disagree with dtype and shape, non-string metadata, unknown
///         dtype.
File read(const std::string& path);
/// The same from memory; `name` stands for the path in messages.
File parse(std::span<const std::byte> bytes, const std::string& name);

/// Writes to a temporary name beside `path`, fsyncs, renames. @throws std::runtime_error; nothing is left behind then.
void write(const std::string& path, const File& file);

}  // namespace moefb::safetensors
