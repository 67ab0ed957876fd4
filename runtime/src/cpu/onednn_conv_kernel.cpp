#include "cpu/onednn_conv_kernel.h"

#include <algorithm>

namespace moefb::cpu {
namespace {

Status make_attr(const Shape2d& s, dnnl_memory_desc_t dst, DnnlAttr& attr) noexcept {
  MOEFB_TRY(from_dnnl(dnnl_primitive_attr_create(attr.out())));
  MOEFB_TRY(from_dnnl(dnnl_primitive_attr_set_scratchpad_mode(attr.get(), dnnl_scratchpad_mode_user)));
  DnnlPostOps ops;
  MOEFB_TRY(from_dnnl(dnnl_post_ops_create(ops.out())));
  if (s.has_residual) MOEFB_TRY(from_dnnl(dnnl_post_ops_append_binary(ops.get(), dnnl_binary_add, dst)));
  if (s.activation == graph::Activation::kRelu) {
    MOEFB_TRY(from_dnnl(dnnl_post_ops_append_eltwise(ops.get(), dnnl_eltwise_relu, 0, 0)));
  } else if (s.activation == graph::Activation::kSilu) {
    MOEFB_TRY(from_dnnl(dnnl_post_ops_append_eltwise(ops.get(), dnnl_eltwise_swish, 1, 0)));
  }
  return from_dnnl(dnnl_primitive_attr_set_post_ops(attr.get(), ops.get()));
}

}  // namespace

Status make_desc(DnnlMemoryDesc& desc, std::initializer_list<int64_t> extents, dnnl_format_tag_t tag) noexcept {
  dnnl_dims_t dims;
  std::copy(extents.begin(), extents.end(), dims);
  return from_dnnl(dnnl_memory_desc_create_with_tag(desc.out(), int(extents.size()), dims, dnnl_f32, tag));
}

Status make_primitive_desc(const Shape2d& s, dnnl_engine_t engine, int64_t n, const Strip& rows,
                           const_dnnl_memory_desc_t weights, DnnlPrimitiveDesc& made) noexcept {
  DnnlMemoryDesc src, dst, any, bias;
  MOEFB_TRY(make_desc(src, {n, s.in.c, rows.in, s.in.w}, dnnl_nhwc));
  MOEFB_TRY(make_desc(dst, {n, s.out.c, rows.out, s.out.w}, dnnl_nhwc));
  MOEFB_TRY(make_desc(any, {s.out.c, s.in.c, s.kernel_h, s.kernel_w}, dnnl_format_tag_any));
  if (s.has_bias) MOEFB_TRY(make_desc(bias, {s.out.c}, dnnl_x));
  DnnlAttr attr;
  MOEFB_TRY(make_attr(s, dst.get(), attr));
  const int64_t columns_behind = (s.out.w - 1) * s.stride + s.kernel_w - s.in.w - s.padding;
  const dnnl_dims_t strides = {s.stride, s.stride}, dilates = {0, 0};
  const dnnl_dims_t before = {rows.zeros_before, s.padding}, behind = {rows.zeros_behind, columns_behind};
  return from_dnnl(dnnl_convolution_forward_primitive_desc_create(
      made.out(), engine, dnnl_forward_inference, dnnl_convolution_direct, src.get(),
      weights != nullptr ? weights : any.get(), bias.get(), dst.get(), strides, dilates, before, behind, attr.get()));
}

Status ConvKernel::make(const Shape2d& s, dnnl_engine_t engine, int64_t images, const Strip& strip,
                        const_dnnl_memory_desc_t weights) noexcept {
  const OneOpenMpThread alone;  // fixed when a primitive is made
  n = images;
  rows = strip;
  MOEFB_TRY(make_primitive_desc(s, engine, n, rows, weights, desc));
  return from_dnnl(dnnl_primitive_create(primitive.out(), desc.get()));
}

int64_t ConvKernel::scratch_bytes() const noexcept {
  return int64_t(dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0)));
}

Status ConvArguments::make(const ConvKernel& kernel, const Shape2d& s, dnnl_engine_t engine,
                           std::byte* scratch) noexcept {
  const auto memory = [&](dnnl_query_t what, int index, void* data, DnnlMemory& made) {
    return from_dnnl(
        dnnl_memory_create(made.out(), dnnl_primitive_desc_query_md(kernel.desc.get(), what, index), engine, data));
  };
  MOEFB_TRY(memory(dnnl_query_src_md, 0, DNNL_MEMORY_NONE, src_));
  MOEFB_TRY(memory(dnnl_query_weights_md, 0, DNNL_MEMORY_NONE, weights_));
  MOEFB_TRY(memory(dnnl_query_dst_md, 0, DNNL_MEMORY_NONE, dst_));
  MOEFB_TRY(memory(dnnl_query_scratchpad_md, 0, scratch, scratchpad_));
  if (s.has_bias) MOEFB_TRY(memory(dnnl_query_weights_md, 1, DNNL_MEMORY_NONE, bias_));
  if (s.has_residual) MOEFB_TRY(memory(dnnl_query_dst_md, 0, DNNL_MEMORY_NONE, residual_));
  return {};
}

Status ConvArguments::execute(const ConvKernel& kernel, dnnl_stream_t stream, const ConvPointers& at) noexcept {
  const auto point = [](const DnnlMemory& memory, const void* data) {
    return from_dnnl(dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(data)));
  };
  MOEFB_TRY(point(src_, at.src));
  MOEFB_TRY(point(weights_, at.weights));
  MOEFB_TRY(point(dst_, at.dst));
  dnnl_exec_arg_t args[6] = {{DNNL_ARG_SRC, src_.get()},
                             {DNNL_ARG_WEIGHTS, weights_.get()},
                             {DNNL_ARG_DST, dst_.get()},
                             {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}};
  int count = 4;
  if (at.bias != nullptr) {
    MOEFB_TRY(point(bias_, at.bias));
    args[count++] = {DNNL_ARG_BIAS, bias_.get()};
  }
  if (at.residual != nullptr) {
    MOEFB_TRY(point(residual_, at.residual));
    args[count++] = {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, residual_.get()};
  }
  const OneOpenMpThread alone;
  MOEFB_TRY(from_dnnl(dnnl_primitive_execute(kernel.primitive.get(), stream, count, args)));
  return from_dnnl(dnnl_stream_wait(stream));
}

}  // namespace moefb::cpu
