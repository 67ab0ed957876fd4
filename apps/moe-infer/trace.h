// Traced tensors of an Executor, found by name.
#pragma once

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "moefb/executor.h"

namespace moefb::infer {

/// Index of a traced tensor; -1 if the last run kept none of that name.
int find_trace(const Executor& executor, const std::string& name);

/// Its bytes, in the dtype and shape that Executor::trace_info gives. @throws std::runtime_error if it cannot be read
std::vector<std::byte> trace_bytes(const Executor& executor, int index);

/// Its values; T is the C++ type of its dtype. @throws std::runtime_error if there is none of that name and size of T
template <typename T>
std::vector<T> trace_values(const Executor& executor, const std::string& name) {
  const int index = find_trace(executor, name);
  if (index < 0 || dtype_bytes(executor.trace_info(index).dtype) != sizeof(T)) {
    throw std::runtime_error("the routing trace holds no usable tensor " + name);
  }
  const std::vector<std::byte> bytes = trace_bytes(executor, index);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace moefb::infer
