#include "apps/moe-infer/tensor_mode.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "apps/common/model_files.h"
#include "apps/common/names.h"
#include "apps/common/program.h"
#include "apps/common/text.h"
#include "apps/moe-infer/trace.h"
#include "converter/safetensors.h"

namespace moefb::infer {
namespace {

using apps::shape_text;

/// Batch and values of one `input`.
struct Batch {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw std::runtime_error(file + ": tensor input " + what);
}

/// Everything that can be said without the model.
Batch read_batch(const std::string& file) {
  safetensors::File content = safetensors::read(file);
  const auto found = content.tensors.find("input");
  if (found == content.tensors.end()) throw std::runtime_error(file + ": has no tensor input");
  const safetensors::Tensor& tensor = found->second;
  if (tensor.dtype != "F32") refuse(file, "has dtype " + tensor.dtype + ", expected F32");
  if (tensor.shape.empty()) refuse(file, "is a scalar, expected a batch");
  if (tensor.elements() == 0) refuse(file, "has shape " + shape_text(tensor.shape) + ": it holds nothing to classify");
  if (tensor.shape[0] > std::numeric_limits<int>::max())
    refuse(file, "has a batch of " + std::to_string(tensor.shape[0]));
  return {tensor.shape, tensor.to_f32()};
}

/// "17 at (0, 1, 2)": the place of an element in its tensor.
std::string place(size_t element, const std::vector<int64_t>& shape) {
  std::vector<int64_t> index(shape.size());
  auto rest = static_cast<int64_t>(element);
  for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) index[d] = rest % shape[d];
  return std::to_string(element) + " at " + shape_text(index);
}

void check_batch(const Batch& batch, const Model& model, const std::string& file) {
  const Shape one = model.input_shape();
  std::vector<int64_t> expected(one.dims, one.dims + one.rank);
  expected.insert(expected.begin(), batch.shape[0]);
  if (batch.shape != expected) {
    refuse(file, "has shape " + shape_text(batch.shape) + ", the model takes (n, " + shape_text(one).substr(1));
  }
  for (size_t i = 0; i < batch.values.size(); ++i) {
    if (!std::isfinite(batch.values[i])) {
      refuse(file, "is not finite: element " + place(i, batch.shape) + " is " + apps::short_number(batch.values[i]));
    }
  }
}

safetensors::Tensor traced(const Executor& executor, int index) {
  const TraceInfo info = executor.trace_info(index);
  safetensors::Tensor tensor;
  tensor.dtype = apps::name_of(info.dtype);
  tensor.shape.assign(info.shape.dims, info.shape.dims + info.shape.rank);
  tensor.data = trace_bytes(executor, index);
  return tensor;
}

safetensors::File run_batch(const Model& model, const Batch& batch, const Flags& flags) {
  ExecutorOptions options = flags.executor;
  options.trace = flags.trace ? Trace::kAll : Trace::kOff;
  Executor executor = apps::make_executor(model, options, flags.model);
  std::vector<float> logits(size_t(batch.shape[0]) * size_t(model.classes()));
  apps::check(executor.run(batch.values, logits), flags.input);
  safetensors::File content;
  content.tensors["logits"] = safetensors::Tensor::from_f32({batch.shape[0], model.classes()}, logits);
  for (int i = 0; i < executor.trace_count(); ++i) {
    content.tensors[executor.trace_info(i).name] = traced(executor, i);
  }
  return content;
}

}  // namespace

void classify_tensor(const Flags& flags) {
  const Batch batch = read_batch(flags.input);
  LoadOptions options = flags.load;
  options.max_batch = static_cast<int>(batch.shape[0]);
  const Model model = apps::load_model(flags.model, options);
  check_batch(batch, model, flags.input);
  const safetensors::File content = run_batch(model, batch, flags);
  safetensors::write(flags.output, content);
  std::string note = flags.output + ": logits " + shape_text(content.tensors.at("logits").shape);
  if (flags.trace) note += " and " + apps::count_text(content.tensors.size() - 1, "traced tensor");
  apps::print_note(note + '\n', flags.json);
}

}  // namespace moefb::infer
