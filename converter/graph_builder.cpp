#include "converter/graph_builder.h"

#include <stdexcept>
#include <utility>

#include "converter/batch_norm.h"
#include "moefb/inspect.h"

namespace moefb::convert {
namespace {

std::unique_ptr<fb::StageT> make_stage() {
  return std::make_unique<fb::StageT>();
}

int64_t round_up(int64_t extent, int64_t patch) {
  return (extent + patch - 1) / patch * patch;
}

}  // namespace

GraphBuilder::GraphBuilder(const Config& config, StateDict& source, WeightDtype dtype)
    : config_(config),
      source_(source),
      segment_(source.path(), dtype),
      nodes_(segment_, model_->values, [model = model_.get()](std::unique_ptr<fb::NodeT> node) {
        auto stage = make_stage();
        stage->node = std::move(node);
        model->stages.push_back(std::move(stage));
      }) {
  model_->meta = std::make_unique<fb::MetaT>();
}

uint32_t GraphBuilder::set_input(const Extents& shape) {
  return model_->input = nodes_.add_value(shape);
}

int32_t GraphBuilder::tensor(const std::string& key, const Extents& shape, Role role) {
  return segment_.add(key, shape, source_.parameter(key, shape), role);
}

Affine GraphBuilder::linear(const std::string& key, const Extents& shape, Role role) {
  const int32_t weight = tensor(key + ".weight", shape, role);
  return {weight, tensor(key + ".bias", {shape.front()}, Role::kVector)};
}

Affine GraphBuilder::norm(const std::string& key, int64_t channels) {
  return linear(key, {channels}, Role::kVector);
}

Affine GraphBuilder::folded_conv(const std::string& conv, const std::string& norm, const Extents& shape) {
  std::vector<float> kernel = source_.parameter(conv + ".weight", shape);
  const Extents channels = {shape.front()};
  const BatchNorm batch_norm = {
      source_.parameter(norm + ".weight", channels), source_.parameter(norm + ".bias", channels),
      source_.buffer(norm + ".running_mean", channels), source_.variance(norm + ".running_var", channels)};
  source_.skip(norm + ".num_batches_tracked");
  const std::vector<float> bias = fold_batch_norm(batch_norm, kernel);
  const int32_t weight = segment_.add(conv + ".weight", shape, kernel, Role::kMatrix);
  return {weight, segment_.add(conv + ".bias", channels, bias, Role::kVector)};
}

int32_t GraphBuilder::stacked(const ExpertKey& key, const Extents& shape, Role role) {
  std::vector<std::vector<float>> experts;
  for (int64_t e = 0; e < key.experts; ++e) {
    experts.push_back(source_.parameter(key.prefix + std::to_string(e) + key.suffix, shape));
  }
  return segment_.add_stacked(key.prefix + key.suffix.substr(1), shape, experts, role);
}

int64_t GraphBuilder::kernel_side(const std::string& key, const Extents& channels) const {
  const Extents& shape = source_.shape(key, {channels.at(0), channels.at(1), kAny, kAny});
  if (shape[2] != shape[3] || shape[2] % 2 == 0) {
    throw std::runtime_error(source_.path() + ": tensor \"" + key + "\" has shape " + to_string(shape) +
                             ", expected a square kernel with odd sides");
  }
  return shape[2];
}

NodeWriter GraphBuilder::body(fb::ExpertBankT& bank, const Extents& token_shape) {
  NodeWriter writer(segment_, bank.values,
                    [&bank](std::unique_ptr<fb::NodeT> node) { bank.body.push_back(std::move(node)); });
  writer.add_value(token_shape);
  return writer;
}

uint32_t GraphBuilder::moe(std::unique_ptr<fb::MoET> layer, const NodeWriter& body, int64_t expert_parameters,
                           const std::string& name) {
  const Extents in = nodes_.shape(layer->input);
  Extents out = body.shape(layer->bank->body.back()->output);
  int64_t tokens = 1;
  if (in.size() == 3) {
    const int64_t patch = layer->patch, height = round_up(in[1], patch), width = round_up(in[2], patch);
    tokens = height / patch * (width / patch);
    out = layer->crop_padding ? in : Extents{in.front(), height, width};
  }
  const int64_t experts = layer->bank->experts, active = layer->router->top_k;
  const fb::TensorT& gate = segment_.tensor(layer->router->weight);  // (E, features)
  nodes_.count(tokens * (active * body.multiply_adds() + experts * static_cast<int64_t>(gate.shape[1])));
  idle_parameters_ += expert_parameters / experts * (experts - active);

  auto stage = make_stage();
  layer->output = nodes_.add_value(out, name);
  stage->moe = std::move(layer);
  model_->stages.push_back(std::move(stage));
  return model_->stages.back()->moe->output;
}

std::unique_ptr<fb::ModelT> GraphBuilder::finish() {
  source_.expect_all_taken();
  fb::MetaT& meta = *model_->meta;
  meta.parameters = static_cast<uint64_t>(source_.parameters());
  meta.active_parameters = static_cast<uint64_t>(source_.parameters() - idle_parameters_);
  meta.multiply_adds = static_cast<uint64_t>(nodes_.multiply_adds());
  meta.producer = std::string("moefb convert ") + version();
  model_->tensors = segment_.take_tensors();
  return std::move(model_);
}

}  // namespace moefb::convert
