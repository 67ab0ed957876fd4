#include "converter/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"

namespace moefb::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in the file");

using Json = nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;  // the limit of the format's own library
constexpr int kMaxDepth = 3;                  // header, tensor, list
constexpr std::string_view kMetadata = "__metadata__";

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw std::runtime_error(name + ": " + what);
}

/// 0 for a dtype that we do not know.
int64_t dtype_bytes(std::string_view dtype) {
  static constexpr std::pair<std::string_view, int64_t> kTable[] = {{"F64", 8}, {"I64", 8},  {"F32", 4}, {"I32", 4},
                                                                    {"F16", 2}, {"BF16", 2}, {"I16", 2}, {"I8", 1},
                                                                    {"U8", 1},  {"BOOL", 1}};
  for (const auto& [known, bytes] : kTable) {
    if (known == dtype) return bytes;
  }
  return 0;
}

// ---- reading -----------------------------------------------------------------------------------------------------

Json parse_header(std::string_view text, const std::string& name) {
  if (text.empty() || text.front() != '{') fail(name, "header does not start with '{'");
  return parse_json_object(text, name + ": header", kMaxDepth);
}

/// nlohmann turns -2 into 2^64-2 and 1.5 into 1 when asked for an unsigned number, so ask for the kind first.
int64_t parse_size(const Json& value, const std::string& where) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max())) {
    throw std::runtime_error(where + ": expected a whole number that is not negative, found " + shown(value));
  }
  return static_cast<int64_t>(value.get<uint64_t>());
}

/// What the header says of one tensor.
struct Entry {
  std::string name;
  Tensor tensor;  ///< without data
  int64_t begin = 0;
  int64_t end = 0;
};

std::vector<int64_t> parse_shape(const Json& value, const std::string& where) {
  if (!value.is_array()) throw std::runtime_error(where + ": shape is not a list");
  std::vector<int64_t> shape;
  for (const Json& extent : value) shape.push_back(parse_size(extent, where + ": shape"));
  return shape;
}

/// elements * bytes each. @throws if that does not fit 64 bits
int64_t checked_bytes(const Tensor& tensor, const std::string& where) {
  int64_t bytes = dtype_bytes(tensor.dtype);
  // A zero anywhere makes the product zero, whatever overflows before it.
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
  for (const int64_t extent : tensor.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) throw std::runtime_error(where + ": shape is too large");
  }
  return bytes;
}

Entry parse_entry(const std::string& key, const Json& value, const std::string& file) {
  const std::string where = file + ": tensor \"" + key + "\"";
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets")) {
    throw std::runtime_error(where + ": expected exactly dtype, shape and data_offsets");
  }
  Entry entry{key, {}, 0, 0};
  const Json& dtype = value["dtype"];
  if (!dtype.is_string() || dtype_bytes(dtype.get_ref<const std::string&>()) == 0) {
    throw std::runtime_error(where + ": unknown dtype " + shown(dtype));
  }
  entry.tensor.dtype = dtype.get<std::string>();
  entry.tensor.shape = parse_shape(value["shape"], where);

  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) throw std::runtime_error(where + ": data_offsets is not a pair");
  entry.begin = parse_size(offsets[0], where + ": data_offsets");
  entry.end = parse_size(offsets[1], where + ": data_offsets");
  const int64_t bytes = checked_bytes(entry.tensor, where);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    throw std::runtime_error(where + ": data_offsets " + shown(offsets) + " do not span the " + std::to_string(bytes) +
                             " bytes of " + entry.tensor.dtype + " " + shown(value["shape"]));
  }
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& value, const std::string& file) {
  if (!value.is_object()) fail(file, "__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) fail(file, "metadata \"" + key + "\": expected a string, found " + shown(text));
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

/// Every byte of the data belongs to exactly one tensor.
void check_cover(std::vector<Entry>& entries, int64_t data_bytes, const std::string& file) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  int64_t reached = 0;
  for (const Entry& entry : entries) {
    const std::string where = file + ": tensor \"" + entry.name + "\" begins at " + std::to_string(entry.begin);
    if (entry.begin > reached)
      throw std::runtime_error(where + " after a hole that begins at " + std::to_string(reached));
    if (entry.begin < reached)
      throw std::runtime_error(where + ", inside the tensor that ends at " + std::to_string(reached));
    reached = entry.end;
  }
  if (reached > data_bytes) {
    fail(file, "cut short: the header tells of " + std::to_string(reached) + " bytes of data, found " +
                   std::to_string(data_bytes));
  }
  if (reached < data_bytes) fail(file, std::to_string(data_bytes - reached) + " trailing bytes after the last tensor");
}

uint64_t header_length(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kLengthBytes) {
    fail(name, "not a safetensors file: " + std::to_string(bytes.size()) + " bytes, expected at least 8");
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeader) {
    fail(name, "not a safetensors file: header of " + std::to_string(length) + " bytes, expected at most " +
                   std::to_string(kMaxHeader));
  }
  if (length > bytes.size() - kLengthBytes) {
    fail(name,
         "cut short: header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes.size()));
  }
  return length;
}

// ---- writing -----------------------------------------------------------------------------------------------------

using NamedTensor = std::pair<const std::string, Tensor>;

/// Largest elements first, then by name: every tensor lies aligned to its elements.
std::vector<const NamedTensor*> data_order(const File& file) {
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& named : file.tensors) order.push_back(&named);
  std::stable_sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return dtype_bytes(a->second.dtype) > dtype_bytes(b->second.dtype);
  });
  return order;
}

void check_writable(const NamedTensor& named, const std::string& path) {
  const std::string where = path + ": tensor \"" + named.first + "\"";
  if (named.first == kMetadata) throw std::runtime_error(where + ": the name is reserved");
  if (dtype_bytes(named.second.dtype) == 0) throw std::runtime_error(where + ": unknown dtype " + named.second.dtype);
  for (const int64_t extent : named.second.shape) {
    if (extent < 0) throw std::runtime_error(where + ": negative extent " + std::to_string(extent));
  }
  const int64_t bytes = checked_bytes(named.second, where);
  if (bytes != static_cast<int64_t>(named.second.data.size())) {
    throw std::runtime_error(where + ": holds " + std::to_string(named.second.data.size()) +
                             " bytes, its shape needs " + std::to_string(bytes));
  }
}

/// The JSON header, padded with spaces so that the data begins at a multiple of 8.
std::string make_header(const File& file, const std::vector<const NamedTensor*>& order, const std::string& path) {
  Json header = Json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  size_t offset = 0;
  for (const NamedTensor* named : order) {
    const Tensor& tensor = named->second;
    header[named->first] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  try {
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const Json::exception& e) {
    fail(path, std::string("names and metadata must be UTF-8: ") + e.what());
  }
}

// ---- values ------------------------------------------------------------------------------------------------------

template <typename T>
Tensor from_values(const char* dtype, std::vector<int64_t> shape, std::span<const T> values) {
  Tensor tensor{dtype, std::move(shape), {}};
  if (tensor.elements() != static_cast<int64_t>(values.size())) {
    throw std::invalid_argument("safetensors: " + std::to_string(values.size()) + " values for a shape of " +
                                std::to_string(tensor.elements()) + " elements");
  }
  const auto bytes = std::as_bytes(values);
  tensor.data.assign(bytes.begin(), bytes.end());
  return tensor;
}

/// Copies element by element: the bytes of a file may be misaligned.
template <typename From, typename To, typename Convert>
std::vector<To> convert_values(const Tensor& tensor, Convert convert) {
  std::vector<To> values(tensor.data.size() / sizeof(From));
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, tensor.data.data() + i * sizeof(From), sizeof(From));
    values[i] = convert(value);
  }
  return values;
}

float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

float from_f16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  float magnitude = std::ldexp(static_cast<float>(mantissa), -24);  // subnormal
  if (exponent == 31) {
    magnitude = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent > 0) {
    magnitude = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

template <typename From>
std::vector<int64_t> integers(const Tensor& tensor) {
  return convert_values<From, int64_t>(tensor, [](From v) { return static_cast<int64_t>(v); });
}

}  // namespace

int64_t Tensor::elements() const {
  // The product of the others need not fit.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return n;
}

Tensor Tensor::from_f32(std::vector<int64_t> shape, std::span<const float> values) {
  return from_values("F32", std::move(shape), values);
}
Tensor Tensor::from_f64(std::vector<int64_t> shape, std::span<const double> values) {
  return from_values("F64", std::move(shape), values);
}
Tensor Tensor::from_i64(std::vector<int64_t> shape, std::span<const int64_t> values) {
  return from_values("I64", std::move(shape), values);
}
Tensor Tensor::from_u8(std::vector<int64_t> shape, std::span<const uint8_t> values) {
  return from_values("U8", std::move(shape), values);
}

std::vector<float> Tensor::to_f32() const {
  if (dtype == "F32") return convert_values<float, float>(*this, [](float v) { return v; });
  if (dtype == "F64") return convert_values<double, float>(*this, [](double v) { return static_cast<float>(v); });
  if (dtype == "BF16") return convert_values<uint16_t, float>(*this, from_bf16);
  if (dtype == "F16") return convert_values<uint16_t, float>(*this, from_f16);
  throw std::runtime_error("expected a tensor of floats, found " + dtype);
}

std::vector<int64_t> Tensor::to_i64() const {
  if (dtype == "I64") return integers<int64_t>(*this);
  if (dtype == "I32") return integers<int32_t>(*this);
  if (dtype == "I16") return integers<int16_t>(*this);
  if (dtype == "I8") return integers<int8_t>(*this);
  if (dtype == "U8" || dtype == "BOOL") return integers<uint8_t>(*this);
  throw std::runtime_error("expected a tensor of whole numbers, found " + dtype);
}

File parse(std::span<const std::byte> bytes, const std::string& name) {
  const uint64_t length = header_length(bytes, name);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);

  const Json header = parse_header(text, name);
  File file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == kMetadata) {
      file.metadata = parse_metadata(value, name);
    } else {
      entries.push_back(parse_entry(key, value, name));
    }
  }
  check_cover(entries, static_cast<int64_t>(data.size()), name);
  for (Entry& entry : entries) {
    entry.tensor.data.assign(data.begin() + entry.begin, data.begin() + entry.end);
    file.tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  }
  return file;
}

File read(const std::string& path) {
  return parse(read_file(path), path);
}

void write(const std::string& path, const File& file) {
  for (const NamedTensor& named : file.tensors) check_writable(named, path);
  const std::vector<const NamedTensor*> order = data_order(file);
  const std::string header = make_header(file, order, path);

  const uint64_t length = header.size();
  std::vector<std::byte> bytes(kLengthBytes + length);
  std::memcpy(bytes.data(), &length, kLengthBytes);
  std::memcpy(bytes.data() + kLengthBytes, header.data(), length);
  for (const NamedTensor* named : order)
    bytes.insert(bytes.end(), named->second.data.begin(), named->second.data.end());
  write_file_atomically(path, bytes);
}

}  // namespace moefb::safetensors
