// What the oneDNN implementations share: handles that destroy themselves, one translation of its errors, OpenMP's
// thread count.
#pragma once

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <memory>
#include <utility>

#include "cpu/op.h"
#include "moefb/result.h"

namespace moefb::cpu {

inline Status from_dnnl(dnnl_status_t status) noexcept {
  switch (status) {
    case dnnl_success:
      return {};
    case dnnl_out_of_memory:
      return Status(Code::kOutOfMemory, "oneDNN: out of memory");
    case dnnl_unimplemented:
      return Status(Code::kUnsupported, "oneDNN: not implemented");
    default:
      return Status(Code::kBackend, "oneDNN failed").at(status);
  }
}

/// Owns one handle of oneDNN's C API.
template <typename T, dnnl_status_t (*Destroy)(T)>
class DnnlHandle {
 public:
  DnnlHandle() noexcept = default;
  DnnlHandle(DnnlHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  DnnlHandle& operator=(DnnlHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~DnnlHandle() {
    if (handle_ != nullptr) Destroy(handle_);
  }
  T get() const noexcept { return handle_; }
  T* out() noexcept { return &handle_; }

 private:
  T handle_ = nullptr;
};

using DnnlEngine = DnnlHandle<dnnl_engine_t, dnnl_engine_destroy>;
using DnnlStream = DnnlHandle<dnnl_stream_t, dnnl_stream_destroy>;
using DnnlMemoryDesc = DnnlHandle<dnnl_memory_desc_t, dnnl_memory_desc_destroy>;
using DnnlMemory = DnnlHandle<dnnl_memory_t, dnnl_memory_destroy>;
using DnnlPrimitiveDesc = DnnlHandle<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using DnnlPrimitive = DnnlHandle<dnnl_primitive_t, dnnl_primitive_destroy>;
using DnnlAttr = DnnlHandle<dnnl_primitive_attr_t, dnnl_primitive_attr_destroy>;
using DnnlPostOps = DnnlHandle<dnnl_post_ops_t, dnnl_post_ops_destroy>;

/// oneDNN takes its thread count from OpenMP's of the calling thread, where a primitive is made and where it is run:
/// one for a scope, since our own pool shares the work, then as it was.
class OneOpenMpThread {
 public:
  OneOpenMpThread() noexcept : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;
  ~OneOpenMpThread() { omp_set_num_threads(before_); }

 private:
  int before_;
};

Result<std::unique_ptr<Op>> make_onednn_conv2d(const OpSpec& spec) noexcept;
bool is_conv2x2(const OpSpec& spec) noexcept;  ///< a 3x3 convolution of zero-padded 2x2 maps
Result<std::unique_ptr<Op>> make_onednn_conv2x2(const OpSpec& spec) noexcept;
Result<std::unique_ptr<Op>> make_onednn_linear(const OpSpec& spec) noexcept;

}  // namespace moefb::cpu
