#include "trainer/import/torch_file.h"

#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>

#include "trainer/import/pickle.h"
#include "trainer/import/zip_file.h"

namespace moefb::trainer {
namespace {

using pickle::Kind;
using pickle::Object;

constexpr size_t kMaxDimensions = 8;
constexpr std::string_view kLightningPrefix =
    "model.";  // the network is the attribute `model` of what Lightning trains

/// The files inside lie in one folder, which is named after the file that was saved.
class Archive {
 public:
  explicit Archive(const std::string& path) : zip_(path) {
    const std::string pickle = zip_.name_ending("/data.pkl");
    folder_ = pickle.substr(0, pickle.size() - std::string("data.pkl").size());
    if (zip_.has(folder_ + "byteorder") && text("byteorder") != "little") {
      throw std::runtime_error(path + ": expected little-endian tensors, found byteorder " + text("byteorder"));
    }
  }

  std::span<const std::byte> record(const std::string& name) const { return zip_.read(folder_ + name); }
  const std::string& path() const { return zip_.path(); }

 private:
  std::string text(const std::string& name) const {
    const std::span<const std::byte> bytes = record(name);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  ZipFile zip_;
  std::string folder_;
};

struct Dtype {
  const char* storage;  ///< torch's class is called <this>Storage
  const char* name;     ///< in .safetensors
  size_t bytes;
};
constexpr Dtype kDtypes[] = {{"Float", "F32", 4}, {"Long", "I64", 8},      {"Double", "F64", 8},
                             {"Half", "F16", 2},  {"BFloat16", "BF16", 2}, {"Int", "I32", 4}};

/// The tensors of one checkpoint. Storages are read and checked once: tensors may share them.
class TensorReader {
 public:
  explicit TensorReader(const Archive& archive) : archive_(archive) {}

  safetensors::Tensor read(const std::string& key, const Object& tensor) {
    const Object& storage = *tensor.items[0];
    const Dtype& dtype = dtype_of(key, storage);
    const std::span<const std::byte> data = storage_bytes(key, storage, dtype);
    const std::vector<int64_t> shape = numbers(*tensor.items[1]);
    const std::vector<int64_t> strides = numbers(*tensor.items[2]);
    check_extent(key, storage.integer, tensor.integer, shape, strides);
    safetensors::Tensor out;
    out.dtype = dtype.name;
    out.shape = shape;
    copy(data, dtype.bytes, tensor.integer, shape, strides, out.data);
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw std::runtime_error(archive_.path() + ": tensor " + key + ": " + message);
  }

  const Dtype& dtype_of(const std::string& key, const Object& storage) const {
    for (const Dtype& dtype : kDtypes) {
      if (storage.dtype == dtype.storage) return dtype;
    }
    fail(key, "storage type " + storage.dtype + " is not used by these models");
  }

  std::span<const std::byte> storage_bytes(const std::string& key, const Object& storage, const Dtype& dtype) {
    auto found = storages_.find(storage.text);
    if (found == storages_.end()) {
      found = storages_.emplace(storage.text, archive_.record("data/" + storage.text)).first;
    }
    const size_t bytes = found->second.size();
    if (bytes % dtype.bytes != 0 || storage.integer < 0 || uint64_t(storage.integer) != bytes / dtype.bytes) {
      fail(key, "expected a storage of " + std::to_string(storage.integer) + " elements, found " +
                    std::to_string(bytes) + " bytes");
    }
    return found->second;
  }

  static std::vector<int64_t> numbers(const Object& tuple) {
    std::vector<int64_t> values;
    for (const Object* item : tuple.items) values.push_back(item->integer);
    return values;
  }

  /// Every element lies in the storage, and there are no more of them than it has: none is repeated by a stride of 0.
  void check_extent(const std::string& key, int64_t elements, int64_t offset, const std::vector<int64_t>& shape,
                    const std::vector<int64_t>& strides) const {
    if (shape.size() != strides.size() || shape.size() > kMaxDimensions) {
      fail(key, "expected at most " + std::to_string(kMaxDimensions) + " dimensions, each with a stride, found " +
                    std::to_string(shape.size()) + " and " + std::to_string(strides.size()));
    }
    int64_t count = 1;
    int64_t last = offset;
    bool inside = offset >= 0;
    for (size_t d = 0; d < shape.size() && inside; ++d) {
      int64_t reach = 0;
      inside = shape[d] >= 1 && strides[d] >= 0 && !__builtin_mul_overflow(count, shape[d], &count) &&
               !__builtin_mul_overflow(shape[d] - 1, strides[d], &reach) && !__builtin_add_overflow(last, reach, &last);
    }
    if (!inside || last >= elements || count > elements) {
      fail(key, "reaches outside its storage of " + std::to_string(elements) + " elements");
    }
  }

  static void copy(std::span<const std::byte> from, size_t bytes, int64_t offset, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& strides, std::vector<std::byte>& to) {
    std::vector<int64_t> index(shape.size(), 0);
    for (;;) {
      int64_t place = offset;
      for (size_t d = 0; d < shape.size(); ++d) place += index[d] * strides[d];
      const auto first = from.begin() + std::ptrdiff_t(size_t(place) * bytes);
      to.insert(to.end(), first, first + std::ptrdiff_t(bytes));
      size_t d = shape.size();
      while (d > 0 && ++index[d - 1] == shape[d - 1]) index[--d] = 0;
      if (d == 0) return;
    }
  }

  const Archive& archive_;
  std::map<std::string, std::span<const std::byte>> storages_;
};

const Object& need(const Object& dict, const char* key, Kind kind, const std::string& path) {
  const Object* found = dict.find(key);
  if (found == nullptr) throw std::runtime_error(path + ": expected a dict with the key \"" + key + "\", found none");
  if (found->kind == kind) return *found;
  throw std::runtime_error(path + ": \"" + key + "\": expected a " + kind_name(kind) + ", found a " +
                           kind_name(found->kind));
}

void check_finite(const std::string& path, const std::string& key, const safetensors::Tensor& tensor) {
  if (tensor.dtype == "I64" || tensor.dtype == "I32") return;
  const std::vector<float> values = tensor.to_f32();
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw std::runtime_error(path + ": tensor " + key + ": expected finite weights, found " +
                             std::to_string(values[i]) + " at " + std::to_string(i));
  }
}

/// @param what  stands for the state_dict in messages
safetensors::File read_state_dict(const Archive& archive, const Object& state_dict, const std::string& what) {
  safetensors::File file;
  TensorReader reader(archive);
  for (size_t i = 0; i < state_dict.items.size(); i += 2) {
    const Object& key = *state_dict.items[i];
    const Object& value = *state_dict.items[i + 1];
    if (key.kind != Kind::kText || value.kind != Kind::kTensor) {
      throw std::runtime_error(archive.path() + ": " + what + ": expected tensors by name, found a " +
                               kind_name(value.kind) + " under a " + kind_name(key.kind));
    }
    const auto [entry, is_new] = file.tensors.try_emplace(key.text, reader.read(key.text, value));
    if (!is_new) throw std::runtime_error(archive.path() + ": tensor " + key.text + " is there twice");
    check_finite(archive.path(), key.text, entry->second);
  }
  return file;
}

/// @throws std::runtime_error for a key without the prefix
void strip_prefix(safetensors::File& file, const std::string& path) {
  std::map<std::string, safetensors::Tensor> stripped;
  for (auto& [key, tensor] : file.tensors) {
    if (!key.starts_with(kLightningPrefix) || key.size() == kLightningPrefix.size()) {
      throw std::runtime_error(path + ": expected every tensor's name to begin with " + std::string(kLightningPrefix) +
                               ", found " + key);
    }
    stripped.emplace(key.substr(kLightningPrefix.size()), std::move(tensor));
  }
  file.tensors = std::move(stripped);
}

/// None where there is no such key, as in a bare state_dict.
std::optional<int64_t> read_epoch(const Object& container, const std::string& path) {
  if (container.find("epoch") == nullptr) return std::nullopt;
  const int64_t epoch = need(container, "epoch", Kind::kInt, path).integer;
  if (epoch < 0) {
    throw std::runtime_error(path + ": \"epoch\": expected 0 or more, found " + std::to_string(epoch));
  }
  return epoch;
}

}  // namespace

PublishedCheckpoint read_published_checkpoint(const std::string& path) {
  const Archive archive(path);
  const pickle::Pickle pickled(archive.record("data.pkl"), path);
  PublishedCheckpoint checkpoint;
  checkpoint.val_acc = need(pickled.root(), "val_acc", Kind::kFloat, path).number;
  if (!(checkpoint.val_acc >= 0 && checkpoint.val_acc <= 1)) {
    throw std::runtime_error(path + ": \"val_acc\": expected a share from 0 to 1, found " +
                             std::to_string(checkpoint.val_acc));
  }
  checkpoint.weights = read_state_dict(archive, need(pickled.root(), "model", Kind::kDict, path), "\"model\"");
  return checkpoint;
}

LightningCheckpoint read_lightning_checkpoint(const std::string& path) {
  const Archive archive(path);
  const pickle::Pickle pickled(archive.record("data.pkl"), path);
  const Object& root = pickled.root();
  if (root.kind != Kind::kDict) {
    throw std::runtime_error(path + ": expected a dict with the key \"state_dict\", or a bare state_dict, found a " +
                             kind_name(root.kind));
  }
  LightningCheckpoint checkpoint;
  const bool bare = root.find("state_dict") == nullptr;
  if (bare) {
    checkpoint.weights = read_state_dict(archive, root, "without a \"state_dict\" inside, the file itself");
  } else {
    checkpoint.epoch = read_epoch(root, path);
    checkpoint.weights = read_state_dict(archive, need(root, "state_dict", Kind::kDict, path), "\"state_dict\"");
  }
  const auto& tensors = checkpoint.weights.tensors;
  if (tensors.empty()) throw std::runtime_error(path + ": expected a state_dict with tensors, found it empty");
  if (!bare || tensors.begin()->first.starts_with(kLightningPrefix)) strip_prefix(checkpoint.weights, path);
  return checkpoint;
}

}  // namespace moefb::trainer
