#include "trainer/fake_device/fake_device.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <atomic>
#include <set>

#include "trainer/fake_device/fake_memory.h"

namespace moefb::trainer::fake {
namespace {

using c10::OperatorHandle;
using torch::jit::Stack;

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);
std::atomic<int64_t> operators_run_{0};

bool is_here(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == kDevice.type();
}

// ---- memory ---------------------------------------------------------------------------------------------------------

at::Tensor empty(at::IntArrayRef shape, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(shape, &device_memory(), kKeys, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef shape, at::IntArrayRef strides, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(shape, strides, &device_memory(), kKeys, c10::dtype_or_default(dtype));
}

/// A tensor of the CPU over the same bytes.
at::Tensor on_host(const at::Tensor& x) {
  const auto options = at::TensorOptions(x.dtype());
  if (x.numel() == 0) return at::empty_strided(x.sizes(), x.strides(), options);
  return at::from_blob(host_side(x.const_data_ptr()), x.sizes(), x.strides(), options);
}

/// A copy with the same strides.
at::Tensor copy_here(const at::Tensor& x) {
  const at::Tensor dense = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  const at::Tensor copy = empty_strided(dense.sizes(), dense.strides(), dense.scalar_type(), {}, {}, {});
  on_host(copy).copy_(dense);
  return copy;
}

const at::Tensor& resize_(const at::Tensor& self, at::IntArrayRef shape, std::optional<at::MemoryFormat>) {
  c10::TensorImpl* impl = self.unsafeGetTensorImpl();
  const size_t needed =
      at::detail::computeStorageNbytesContiguous(shape, self.itemsize(), size_t(self.storage_offset()));
  c10::StorageImpl* storage = impl->unsafe_storage().unsafeGetStorageImpl();
  if (needed > storage->nbytes()) {
    c10::DataPtr grown = device_memory().allocate(needed);
    if (storage->nbytes() > 0) device_memory().copy_data(grown.get(), storage->data(), storage->nbytes());
    storage->set_data_ptr_noswap(std::move(grown));
    storage->set_nbytes(needed);
  }
  impl->set_sizes_contiguous(shape);
  return self;
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool non_blocking) {
  const at::AutoDispatchBelowADInplaceOrView below;
  if (from.is_cpu() && non_blocking && from.numel() > 0) {
    TORCH_CHECK(from.is_pinned(), "fake device: a copy that nobody waits for, from memory that is not pinned");
  }
  const at::Tensor target = is_here(to) ? on_host(to) : to;
  target.copy_(is_here(from) ? on_host(from) : from);
  ++operators_run_;
  return to;
}

// ---- operators ------------------------------------------------------------------------------------------------------

/// Where CUDA takes indices from the CPU.
bool takes_indices_from_cpu(const OperatorHandle& op) {
  static const std::set<std::string> names = {"aten::index", "aten::index_put", "aten::index_put_",
                                              "aten::_index_put_impl_"};
  return names.contains(op.operator_name().name);
}

/// One operator's arguments, turned into those of the CPU.
class Call {
 public:
  Call(const OperatorHandle& op, Stack& stack)
      : op_(op), stack_(stack), first_(stack.size() - op.schema().arguments().size()) {}

  void run() {
    for (size_t i = 0; i < op_.schema().arguments().size(); ++i) take(op_.schema().arguments()[i], stack_[first_ + i]);
    op_.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack_);
    for (const Pair& pair : pairs_) take_over_growth(pair);
    for (size_t i = stack_.size() - op_.schema().returns().size(); i < stack_.size(); ++i) give(stack_[i]);
    ++operators_run_;
  }

 private:
  struct Pair {
    at::Tensor here, host;
    bool written;
  };

  void take(const c10::Argument& argument, c10::IValue& value) {
    const bool written = argument.alias_info() && argument.alias_info()->isWrite();
    if (argument.name() == "generator") refuse("random numbers are drawn on the CPU");
    if (value.isTensor()) {
      value = hosted(value.toTensor(), written, /*scalars=*/true);
    } else if (value.isTensorList()) {
      c10::List<at::Tensor> all;
      for (const at::Tensor& one : value.toTensorVector()) all.push_back(hosted(one, written, /*scalars=*/false));
      value = all;
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> all;
      for (const auto& one : value.toOptionalTensorVector()) all.push_back(one ? hosted_index(*one) : one);
      value = all;
    } else if (value.isDevice()) {
      value = c10::Device(c10::DeviceType::CPU);
    }
  }

  std::optional<at::Tensor> hosted_index(const at::Tensor& index) {
    if (index.defined() && index.is_cpu() && takes_indices_from_cpu(op_)) return index;
    return hosted(index, /*written=*/false, /*scalars=*/true);
  }

  /// @param scalars  whether one without dimensions may be the CPU's
  at::Tensor hosted(const at::Tensor& x, bool written, bool scalars) {
    if (!x.defined()) return x;
    if (!is_here(x)) {
      if (written || x.dim() > 0 || !scalars)
        refuse("Expected all tensors to be on the same device, found one of the CPU");
      return x;
    }
    pairs_.push_back({x, on_host(x), written});
    return pairs_.back().host;
  }

  /// An output that was empty has the size of the answer now.
  void take_over_growth(const Pair& pair) {
    if (!pair.written || pair.host.sizes() == pair.here.sizes()) return;
    resize_(pair.here, pair.host.sizes(), {});
    on_host(pair.here).copy_(pair.host);
  }

  void give(c10::IValue& value) {
    if (value.isTensor()) {
      value = here(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<at::Tensor> all;
      for (const at::Tensor& one : value.toTensorVector()) all.push_back(here(one));
      value = all;
    }
  }

  at::Tensor here(const at::Tensor& x) {
    if (!x.defined()) return x;
    for (const Pair& pair : pairs_) {
      if (pair.host.is_same(x)) return pair.here;
    }
    if (x.numel() > 0 && is_host_side(x.storage().data())) refuse("a view, which the fake device has to make itself");
    return copy_here(x);
  }

  [[noreturn]] void refuse(const std::string& why) const {
    TORCH_CHECK(false, "fake device: ", op_.operator_name(), ": ", why);
  }

  const OperatorHandle& op_;
  Stack& stack_;
  size_t first_;
  std::vector<Pair> pairs_;
};

void run_on_host(const OperatorHandle& op, Stack* stack) {
  const at::AutoDispatchBelowADInplaceOrView below;
  Call(op, *stack).run();
}

at::Tensor as_strided(const at::Tensor& self, at::IntArrayRef shape, at::IntArrayRef strides,
                      std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(self, shape, strides, offset);
}

at::Tensor view(const at::Tensor& self, at::IntArrayRef shape) {
  return at::native::view(self, shape);
}

at::Tensor reshape_alias(const at::Tensor& self, at::IntArrayRef shape, at::IntArrayRef strides) {
  return at::native::_reshape_alias(self, shape, strides);
}

/// LibTorch lets a parameter move to a GPU in place, but asks first, and knows no PrivateUse1.
bool may_move(const at::Tensor&, const at::Tensor&) {
  return true;
}

at::Tensor unfold(const at::Tensor& self, int64_t dimension, int64_t size, int64_t step) {
  return at::native::unfold(self, dimension, size, step);
}

auto on_the_host() {
  return torch::CppFunction::makeFromBoxedFunction<&run_on_host>();
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(on_the_host());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("as_strided", as_strided);
  m.impl("view", view);
  m.impl("unfold", unfold);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("resize_", resize_);
  m.impl("_copy_from", copy_from);
  m.impl("_has_compatible_shallow_copy_type", may_move);
  // LibTorch would put these together from others, which round differently; CUDA and the CPU have them as one.
  for (const char* name : {"convolution", "convolution_backward", "native_group_norm", "native_group_norm_backward",
                           "native_layer_norm", "native_layer_norm_backward", "silu_backward"}) {
    m.impl(name, on_the_host());
  }
}

TORCH_LIBRARY_IMPL(aten, AutogradPrivateUse1, m) {
  m.impl("_has_compatible_shallow_copy_type", may_move);
}

TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFallthrough());
}

TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1,
                   m){KERNEL_PRIVATEUSEONE(conv2d, lower_precision_fp) KERNEL_PRIVATEUSEONE(linear, lower_precision_fp)}

// ---- what LibTorch asks of a device ---------------------------------------------------------------------------------

c10::Stream default_stream() {
  return c10::Stream(c10::Stream::DEFAULT, kDevice);
}

struct Guard final : c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> {
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  c10::Stream getStream(c10::Device) const noexcept override { return default_stream(); }
  c10::Stream getDefaultStream(c10::Device) const override { return default_stream(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return default_stream(); }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  bool isPinnedPtr(const void* address) const override { return is_pinned(address); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_memory(); }
  /// Is seeded with all others; nobody may draw from it.
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator generator = at::detail::createCPUGenerator();
    return generator;
  }
};

/// Before anything runs: LibTorch counts devices at the first backward pass.
const bool installed = [] {
  static Guard guard;
  static Hooks hooks;
  c10::impl::DeviceGuardImplRegistrar(c10::DeviceType::PrivateUse1, &guard);
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::register_privateuse1_backend("fake");
  c10::SetAllocator(c10::DeviceType::PrivateUse1, &device_memory());
  return true;
}();

}  // namespace

c10::Device device() {
  TORCH_CHECK(installed);
  return kDevice;
}

int64_t operators_run() {
  return operators_run_;
}

}  // namespace moefb::trainer::fake
