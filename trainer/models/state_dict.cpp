#include "trainer/models/state_dict.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <set>
#include <sstream>
#include <stdexcept>

namespace moefb::trainer {
namespace {

struct DtypeName {
  at::ScalarType type;
  const char* name;
};
constexpr DtypeName kDtypes[] = {
    {at::kFloat, "F32"}, {at::kDouble, "F64"}, {at::kBFloat16, "BF16"}, {at::kLong, "I64"},
    {at::kInt, "I32"},   {at::kByte, "U8"},    {at::kBool, "BOOL"},
};

const char* dtype_name(at::ScalarType type) {
  for (const auto& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  throw std::runtime_error(std::string("no safetensors dtype for ") + c10::toString(type));
}

at::ScalarType dtype_of(const std::string& name) {
  for (const auto& dtype : kDtypes) {
    if (name == dtype.name) return dtype.type;
  }
  throw std::runtime_error("dtype " + name + " is not used by the trainer");
}

std::string describe(const std::string& dtype, at::IntArrayRef shape) {
  std::ostringstream text;
  text << dtype << ' ' << shape;
  return text.str();
}

/// Parameters, then buffers, by key.
std::vector<std::pair<std::string, at::Tensor>> tensors_of(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace_back(item.key(), item.value());
  return tensors;
}

void load_one(const std::string& key, const at::Tensor& target, const safetensors::File& file,
              const std::string& name) {
  const auto found = file.tensors.find(key);
  if (found == file.tensors.end()) throw std::runtime_error(name + ": tensor " + key + " is missing");
  const auto& source = found->second;
  const char* dtype = dtype_name(target.scalar_type());
  if (source.dtype != dtype || at::IntArrayRef(source.shape) != target.sizes()) {
    throw std::runtime_error(name + ": tensor " + key + ": expected " + describe(dtype, target.sizes()) + ", found " +
                             describe(source.dtype, source.shape));
  }
  target.detach().copy_(to_torch(source));
}

}  // namespace

safetensors::Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  safetensors::Tensor out;
  out.dtype = dtype_name(plain.scalar_type());
  out.shape = plain.sizes().vec();
  out.data.resize(plain.nbytes());
  if (!out.data.empty()) std::memcpy(out.data.data(), plain.const_data_ptr(), out.data.size());
  return out;
}

at::Tensor to_torch(const safetensors::Tensor& tensor) {
  at::Tensor out = at::empty(tensor.shape, dtype_of(tensor.dtype));
  if (!tensor.data.empty()) std::memcpy(out.mutable_data_ptr(), tensor.data.data(), tensor.data.size());
  return out;
}

safetensors::File state_dict(const torch::nn::Module& module) {
  safetensors::File file;
  for (const auto& [key, tensor] : tensors_of(module)) file.tensors[key] = from_torch(tensor);
  return file;
}

void load_state_dict(torch::nn::Module& module, const safetensors::File& file, const std::string& name) {
  std::set<std::string> known;
  for (const auto& [key, tensor] : tensors_of(module)) {
    load_one(key, tensor, file, name);
    known.insert(key);
  }
  for (const auto& [key, tensor] : file.tensors) {
    if (!known.contains(key)) throw std::runtime_error(name + ": unexpected tensor " + key);
  }
}

}  // namespace moefb::trainer
