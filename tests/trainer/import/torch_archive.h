// The published training script's container, from any weights.
#pragma once

#include <string>
#include <vector>

#include "converter/safetensors.h"
#include "trainer/import/pickle_writer.h"
#include "trainer/import/zip_writer.h"

namespace moefb::testing {

inline std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d > 1; --d) strides[d - 2] = strides[d - 1] * shape[d - 1];
  return strides;
}

/// {"model": weights, "val_acc": 0.5}, as the published training script saves it.
inline Records published_container(const safetensors::File& weights) {
  Records records;
  PickleWriter pickle;
  pickle.dict().mark().text("model").ordered_dict().mark();
  for (const auto& [name, tensor] : weights.tensors) {
    const std::string key = std::to_string(records.size());
    pickle.text(name).tensor(tensor.dtype == "I64" ? "LongStorage" : "FloatStorage", key, tensor.elements(), 0,
                             tensor.shape, row_major_strides(tensor.shape));
    records["data/" + key] = tensor.data;
  }
  pickle.set_items().text("val_acc").number(0.5).set_items();
  records["data.pkl"] = pickle.done();
  return records;
}

}  // namespace moefb::testing
