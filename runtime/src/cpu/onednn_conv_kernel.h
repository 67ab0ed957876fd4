// One convolution primitive of oneDNN: some rows of n images, on one thread.
#pragma once

#include "cpu/onednn.h"
#include "cpu/split.h"
#include "graph/graph.h"

namespace moefb::cpu {

/// Everything that describes the convolution of one image.
struct Shape2d {
  graph::Extent in, out;
  int kernel_h, kernel_w, stride, padding;
  graph::Activation activation;
  bool has_bias, has_residual;

  Slide vertical() const noexcept { return {in.h, out.h, kernel_h, stride, padding}; }
  /// All output rows from all input rows. Behind the map only as much padding as the last output needs: less than
  /// none where the stride leaves rows over.
  Strip all_rows() const noexcept {
    return {0, out.h, 0, in.h, padding, (out.h - 1) * stride + kernel_h - in.h - padding};
  }
};

Status make_desc(DnnlMemoryDesc& desc, std::initializer_list<int64_t> extents, dnnl_format_tag_t tag) noexcept;

/// The primitive for some rows of n images. @param weights  their layout; null lets oneDNN choose it
Status make_primitive_desc(const Shape2d& s, dnnl_engine_t engine, int64_t n, const Strip& rows,
                           const_dnnl_memory_desc_t weights, DnnlPrimitiveDesc& made) noexcept;

/// A primitive for n images, or for a strip of one.
struct ConvKernel {
  int64_t n = 1;
  Strip rows{};
  DnnlPrimitiveDesc desc;
  DnnlPrimitive primitive;

  Status make(const Shape2d& s, dnnl_engine_t engine, int64_t images, const Strip& strip,
              const_dnnl_memory_desc_t weights) noexcept;
  int64_t scratch_bytes() const noexcept;
};

/// Where one execution reads and writes. `bias` and `residual` are null where the convolution has none.
struct ConvPointers {
  const float* src;
  const std::byte* weights;
  const float* bias;
  const float* residual;
  float* dst;
};

/// What a thread hands to one ConvKernel: oneDNN's memory objects hold pointers, so each thread needs its own.
class ConvArguments {
 public:
  Status make(const ConvKernel& kernel, const Shape2d& s, dnnl_engine_t engine, std::byte* scratch) noexcept;
  Status execute(const ConvKernel& kernel, dnnl_stream_t stream, const ConvPointers& at) noexcept;

 private:
  DnnlMemory src_, weights_, bias_, residual_, dst_, scratchpad_;
};

}  // namespace moefb::cpu
