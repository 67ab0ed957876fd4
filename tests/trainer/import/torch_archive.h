// The published training scripts' containers, from any weights.
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

/// A dict of the tensors on top of the stack; their data among the records.
inline void add_state_dict(const safetensors::File& weights, const std::string& prefix, PickleWriter& pickle,
                           Records& records) {
  pickle.ordered_dict().mark();
  for (const auto& [name, tensor] : weights.tensors) {
    const std::string key = std::to_string(records.size());
    pickle.text(prefix + name)
        .tensor(tensor.dtype == "I64" ? "LongStorage" : "FloatStorage", key, tensor.elements(), 0, tensor.shape,
                row_major_strides(tensor.shape));
    records["data/" + key] = tensor.data;
  }
  pickle.set_items();
}

/// {"model": weights, "val_acc": 0.5}, as the published training script saves it.
inline Records published_container(const safetensors::File& weights) {
  Records records;
  PickleWriter pickle;
  pickle.dict().mark().text("model");
  add_state_dict(weights, "", pickle, records);
  pickle.text("val_acc").number(0.5).set_items();
  records["data.pkl"] = pickle.done();
  return records;
}

/// {"epoch": 149, "state_dict": {"model.KEY": tensor, ...}, "optimizer_states": [a tensor whose data is missing]}, as
/// Lightning saves it.
inline Records lightning_container(const safetensors::File& weights) {
  Records records;
  PickleWriter pickle;
  pickle.dict().mark().text("epoch").integer(149).text("state_dict");
  add_state_dict(weights, "model.", pickle, records);
  pickle.text("optimizer_states").raw("]").tensor("FloatStorage", "absent", 6, 0, {6}, {1}).raw("a").set_items();
  records["data.pkl"] = pickle.done();
  return records;
}

/// The weights themselves, each key behind the prefix.
inline Records bare_state_dict(const safetensors::File& weights, const std::string& prefix) {
  Records records;
  PickleWriter pickle;
  add_state_dict(weights, prefix, pickle, records);
  records["data.pkl"] = pickle.done();
  return records;
}

}  // namespace moefb::testing
