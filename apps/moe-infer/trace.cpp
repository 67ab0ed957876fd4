#include "apps/moe-infer/trace.h"

#include "apps/common/program.h"

namespace moefb::infer {

int find_trace(const Executor& executor, const std::string& name) {
  for (int i = 0; i < executor.trace_count(); ++i) {
    if (name == executor.trace_info(i).name) return i;
  }
  return -1;
}

std::vector<std::byte> trace_bytes(const Executor& executor, int index) {
  const TraceInfo info = executor.trace_info(index);
  std::vector<std::byte> bytes(size_t(info.shape.elements()) * dtype_bytes(info.dtype));
  apps::check(executor.read_trace(index, bytes), std::string("trace ") + info.name);
  return bytes;
}

}  // namespace moefb::infer
