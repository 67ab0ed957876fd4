#include <cstdlib>
#include <stdexcept>

#include "converter/safetensors.h"
#include "fuzz/targets.h"

namespace moefb::fuzz {
namespace {

/// Every value, as the type that its dtype is read as.
void read_values(const safetensors::Tensor& tensor) {
  const bool real = tensor.dtype.starts_with('F') || tensor.dtype == "BF16";
  const size_t count = real ? tensor.to_f32().size() : tensor.to_i64().size();
  if (int64_t(count) != tensor.elements()) std::abort();
}

}  // namespace

void fuzz_safetensors(Bytes bytes) {
  safetensors::File file;
  try {
    file = safetensors::parse(bytes, "file");
  } catch (const std::runtime_error& e) {
    if (!std::string(e.what()).starts_with("file: ")) std::abort();  // a refusal names the file
    return;
  }
  for (const auto& [name, tensor] : file.tensors) read_values(tensor);
}

}  // namespace moefb::fuzz
