// Which ops oneDNN runs.
#include "cpu/onednn.h"

#include "cpu/op.h"

namespace moefb::cpu {

Result<std::unique_ptr<Op>> make_onednn_op(const OpSpec& spec) noexcept {
  switch (spec.node.op) {
    case graph::Op::kConv2d:
      return is_conv2x2(spec) ? make_onednn_conv2x2(spec) : make_onednn_conv2d(spec);
    case graph::Op::kLinear:
      return make_onednn_linear(spec);
    default:
      return std::unique_ptr<Op>();
  }
}

}  // namespace moefb::cpu
