#include "runtime/format/tiny_model.h"

#include <cstring>
#include <new>

namespace moefb::testing {
namespace {

using container::align_up;
constexpr std::align_val_t kAlignment{container::kTensorAlignment};

uint64_t elements(const std::vector<uint64_t>& shape) {
  uint64_t n = 1;
  for (uint64_t dim : shape) n *= dim;
  return n;
}

/// In -0.5 to 0.5, from the place alone: Knuth's multiplicative hash.
float number_at(uint64_t place) {
  const auto hash = uint32_t(place + 1) * 2654435761u;
  return float(hash >> 8) / float(1u << 24) - 0.5f;
}

/// Appends `bytes` zeros at the next multiple of 64. @return their offset
uint64_t append(std::vector<std::byte>& segment, uint64_t bytes) {
  const uint64_t offset = align_up(segment.size(), container::kTensorAlignment);
  segment.resize(offset + bytes);
  return offset;
}

void fill(std::byte* data, uint64_t count, fb::Dtype dtype, uint64_t place) {
  for (uint64_t i = 0; i < count; ++i) {
    const float number = number_at(place + i);
    uint32_t bits;
    std::memcpy(&bits, &number, 4);
    const auto upper = uint16_t(bits >> 16);
    if (dtype == fb::Dtype::bf16) {
      std::memcpy(data + i * 2, &upper, 2);
    } else {
      std::memcpy(data + i * 4, &bits, 4);
    }
  }
}

}  // namespace

void FileBytes::Free::operator()(std::byte* bytes) const {
  ::operator delete(bytes, kAlignment);
}

FileBytes::FileBytes(std::span<const std::byte> bytes)
    : bytes_(static_cast<std::byte*>(::operator new(bytes.size(), kAlignment))), size_(bytes.size()) {
  if (!bytes.empty()) std::memcpy(bytes_.get(), bytes.data(), bytes.size());
}

// ---- building
// ----------------------------------------------------------------------------------------------------------

ModelBuilder::ModelBuilder(std::string kind, std::string head, fb::InputKind input_kind) {
  model().meta = std::make_unique<fb::MetaT>();
  model().meta->kind = std::move(kind);
  model().meta->head = std::move(head);
  model().meta->producer = "tiny_model.h";
  model().meta->input_kind = input_kind;
  model().meta->class_names = {"cat", "dog"};
  for (auto segment_kind : {fb::SegmentKind::weights, fb::SegmentKind::golden}) {
    model().segments.push_back(std::make_unique<fb::SegmentT>());
    model().segments.back()->kind = segment_kind;
    tiny_.segments.emplace_back();
  }
}

int32_t ModelBuilder::tensor(const std::string& name, std::vector<uint64_t> shape, uint64_t experts, fb::Dtype dtype) {
  const uint64_t one = elements(shape) * (dtype == fb::Dtype::bf16 ? 2 : 4);
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->name = name;
  tensor->dtype = dtype;
  tensor->count = experts;
  tensor->stride = experts > 1 ? align_up(one, container::kTensorAlignment) : 0;
  tensor->offset = append(tiny_.segments[0], (experts - 1) * tensor->stride + one);
  for (uint64_t e = 0; e < experts; ++e) {
    const uint64_t place = tensor->offset + e * tensor->stride;
    fill(tiny_.segments[0].data() + place, elements(shape), dtype, place);
  }
  tensor->shape = std::move(shape);
  model().tensors.push_back(std::move(tensor));
  return int32_t(model().tensors.size()) - 1;
}

uint32_t ModelBuilder::value(std::vector<uint64_t> shape, const std::string& name) {
  model().values.push_back(std::make_unique<fb::ValueT>());
  model().values.back()->shape = std::move(shape);
  model().values.back()->name = name;
  return uint32_t(model().values.size()) - 1;
}

fb::NodeT& ModelBuilder::node(fb::Op op, std::vector<uint32_t> inputs, uint32_t output) {
  auto stage = std::make_unique<fb::StageT>();
  stage->node = std::make_unique<fb::NodeT>();
  stage->node->op = op;
  stage->node->inputs = std::move(inputs);
  stage->node->output = output;
  model().stages.push_back(std::move(stage));
  return *model().stages.back()->node;
}

fb::MoET& ModelBuilder::moe(uint32_t input, uint32_t output, uint32_t experts) {
  auto stage = std::make_unique<fb::StageT>();
  stage->moe = std::make_unique<fb::MoET>();
  stage->moe->input = input;
  stage->moe->output = output;
  stage->moe->router = std::make_unique<fb::RouterT>();
  stage->moe->bank = std::make_unique<fb::ExpertBankT>();
  stage->moe->bank->experts = experts;
  model().stages.push_back(std::move(stage));
  return *model().stages.back()->moe;
}

std::unique_ptr<fb::TensorT> ModelBuilder::golden_tensor(const std::vector<uint64_t>& shape) {
  auto tensor = std::make_unique<fb::TensorT>();
  tensor->segment = 1;
  tensor->shape = shape;
  tensor->offset = append(tiny_.segments[1], elements(shape) * 4);
  fill(tiny_.segments[1].data() + tensor->offset, elements(shape), fb::Dtype::f32, tensor->offset);
  return tensor;
}

void ModelBuilder::golden(uint32_t batch, uint64_t routes, uint32_t experts) {
  const auto with_batch = [&](std::vector<uint64_t> shape) {
    shape.insert(shape.begin(), batch);
    return shape;
  };
  auto golden = std::make_unique<fb::GoldenT>();
  golden->batch = batch;
  golden->input = golden_tensor(with_batch(model().values[model().input]->shape));
  golden->logits = golden_tensor(with_batch(model().values[model().output]->shape));
  if (routes > 0) {
    golden->routes = golden_tensor({routes});
    golden->routes->dtype = fb::Dtype::i32;
    for (uint64_t i = 0; i < routes; ++i) {
      const auto route = int32_t(i % (experts + 1)) - 1;
      std::memcpy(tiny_.segments[1].data() + golden->routes->offset + i * 4, &route, 4);
    }
  }
  golden->seed = 7;
  golden->top1_margin = 0.25f;
  golden->capacity_margin = 0.125f;
  golden->origin = fb::GoldenOrigin::trainer;
  golden->capacity_group = fb::CapacityGroup::image;
  model().goldens.push_back(std::move(golden));
}

uint32_t body_value(fb::ExpertBankT& bank, std::vector<uint64_t> shape) {
  bank.values.push_back(std::make_unique<fb::ValueT>());
  bank.values.back()->shape = std::move(shape);
  return uint32_t(bank.values.size()) - 1;
}

fb::NodeT& body_node(fb::ExpertBankT& bank, fb::Op op, std::vector<uint32_t> inputs, uint32_t output) {
  bank.body.push_back(std::make_unique<fb::NodeT>());
  bank.body.back()->op = op;
  bank.body.back()->inputs = std::move(inputs);
  bank.body.back()->output = output;
  return *bank.body.back();
}

// ---- the two models
// ------------------------------------------------------------------------------------------------------

namespace {

std::unique_ptr<fb::PreprocT> preprocessing(uint32_t side) {
  auto rule = std::make_unique<fb::PreprocT>();
  rule->height = rule->width = side;
  rule->resize = fb::ResizeRule::shorter_side;
  rule->resize_to = side + 1;
  rule->filter = fb::Filter::bicubic;
  rule->mean = {0.5f, 0.25f, 0.125f};
  rule->stddev = {0.25f, 0.5f, 1.0f};
  return rule;
}

fb::NodeT& square(fb::NodeT& node, uint32_t kernel, uint32_t stride, uint32_t padding) {
  node.kernel_h = node.kernel_w = kernel;
  node.stride = stride;
  node.padding = padding;
  return node;
}

/// Weight and bias of a linear layer or convolution.
void add_weights(ModelBuilder& builder, fb::NodeT& node, const std::string& name, const std::vector<uint64_t>& shape,
                 uint64_t experts = 1, fb::Dtype dtype = fb::Dtype::f32) {
  node.weight = builder.tensor(name + ".weight", shape, experts, dtype);
  node.bias = builder.tensor(name + ".bias", {shape[0]}, experts);
}

void add_group_norm(ModelBuilder& builder, fb::NodeT& node, uint64_t channels, uint64_t experts,
                    fb::Activation activation) {
  add_weights(builder, node, "norm", {channels}, experts);
  node.groups = 2;
  node.eps = 1e-5f;
  node.activation = activation;
}

void add_sparse_router(ModelBuilder& builder, fb::RouterT& router) {
  router.kind = fb::RouterKind::top_k;
  router.top_k = 2;
  router.weight = builder.tensor("gate.weight", {3, 4});
  router.bias = builder.tensor("gate.bias", {3});
  router.score_norm = std::make_unique<fb::NormT>();
  router.score_norm->kind = fb::NormKind::standardize;
  router.score_norm->eps = 1e-5f;
  router.score_norm->unbiased = true;
}

void add_sparse_experts(ModelBuilder& builder, fb::ExpertBankT& bank) {
  const uint32_t token = body_value(bank, {4}), hidden = body_value(bank, {5}), scores = body_value(bank, {2});
  fb::NodeT& first = body_node(bank, fb::Op::linear, {token}, hidden);
  add_weights(builder, first, "experts.0", {5, 4}, 3, fb::Dtype::bf16);
  first.activation = fb::Activation::relu;
  fb::NodeT& second = body_node(bank, fb::Op::linear, {hidden}, scores);
  add_weights(builder, second, "experts.3", {2, 5}, 3);
}

void add_patch_router(ModelBuilder& builder, fb::RouterT& router) {
  constexpr uint64_t kFeatures = 2 * (4 + 2 + 4 * 2);  // mean and max of 4 channels, x and y, 2 bands
  router.kind = fb::RouterKind::patch_top1;
  router.pool_mean = router.pool_max = router.coordinates = true;
  router.fourier_bands = {1, 2};
  router.feature_norm = std::make_unique<fb::NormT>();
  router.feature_norm->kind = fb::NormKind::layer_norm;
  router.feature_norm->eps = 1e-5f;
  router.feature_norm->weight = builder.tensor("router.norm.weight", {kFeatures});
  router.feature_norm->bias = builder.tensor("router.norm.bias", {kFeatures});
  router.weight = builder.tensor("router.weight", {3, kFeatures});
  router.bias = builder.tensor("router.bias", {3});
  router.centered = true;
  router.temperature = 0.85f;
  router.clamp = 10;
  router.capacity_factor = 1.5;
  router.capacity_group = fb::CapacityGroup::image;
}

/// conv, norm, SiLU, norm of a second conv, plus the token.
void add_patch_experts(ModelBuilder& builder, fb::ExpertBankT& bank) {
  const std::vector<uint64_t> token_shape = {4, 2, 2};
  for (int i = 0; i < 6; ++i) body_value(bank, token_shape);
  const auto conv = [&](uint32_t src) {
    fb::NodeT& node = square(body_node(bank, fb::Op::conv2d, {src}, src + 1), 3, 1, 1);
    node.weight = builder.tensor("experts.conv", {4, 4, 3, 3}, 3);
  };
  conv(0);
  add_group_norm(builder, body_node(bank, fb::Op::group_norm, {1}, 2), 4, 3, fb::Activation::silu);
  conv(2);
  add_group_norm(builder, body_node(bank, fb::Op::group_norm, {3}, 4), 4, 3, fb::Activation::none);
  body_node(bank, fb::Op::add, {4, 0}, 5);
}

void add_post_block(ModelBuilder& builder, uint32_t merged, uint32_t out) {
  const std::vector<uint64_t> map = {4, 6, 4};
  const uint32_t act = builder.value(map), conv = builder.value(map), post = builder.value(map);
  add_group_norm(builder, builder.node(fb::Op::group_norm, {merged}, act), 4, 1, fb::Activation::silu);
  square(builder.node(fb::Op::conv2d, {act}, conv), 3, 1, 1).weight = builder.tensor("post.weight", {4, 4, 3, 3});
  add_group_norm(builder, builder.node(fb::Op::group_norm, {conv}, post), 4, 1, fb::Activation::silu);
  builder.node(fb::Op::add, {merged, act, post}, out);
}

void set_counts(fb::MetaT& meta) {
  meta.parameters = 1000;
  meta.active_parameters = 600;
  meta.multiply_adds = 5000;
}

}  // namespace

TinyModel tiny_sparse() {
  ModelBuilder builder("cifar_e2e", "sparse", fb::InputKind::picture);
  set_counts(*builder.model().meta);
  builder.model().preproc = preprocessing(8);
  const uint32_t image = builder.value({3, 8, 8}), stem = builder.value({4, 8, 8}), pooled = builder.value({4, 4, 4});
  const uint32_t block = builder.value({4, 4, 4}, "layer1"), features = builder.value({4}, "features");
  const uint32_t logits = builder.value({2}, "logits");
  builder.model().input = image;
  builder.model().output = logits;

  fb::NodeT& conv = square(builder.node(fb::Op::conv2d, {image}, stem), 3, 1, 1);
  add_weights(builder, conv, "conv", {4, 3, 3, 3});
  conv.activation = fb::Activation::relu;
  square(builder.node(fb::Op::max_pool, {stem}, pooled), 2, 2, 0);
  fb::NodeT& residual = square(builder.node(fb::Op::conv2d, {pooled, pooled}, block), 1, 1, 0);
  residual.weight = builder.tensor("block.weight", {4, 4, 1, 1}, 1, fb::Dtype::bf16);
  builder.node(fb::Op::global_average_pool, {block}, features);

  fb::MoET& head = builder.moe(features, logits, 3);
  add_sparse_router(builder, *head.router);
  add_sparse_experts(builder, *head.bank);
  builder.golden(2, 2 * 2, 3);
  return builder.take();
}

TinyModel tiny_patch() {
  ModelBuilder builder("patch_net", "", fb::InputKind::map);
  set_counts(*builder.model().meta);
  const uint32_t map = builder.value({4, 5, 4}), merged = builder.value({4, 6, 4}, "layer0.merged");
  builder.model().input = map;
  fb::MoET& layer = builder.moe(map, merged, 3);
  layer.published_layer = 0;
  layer.patch = 2;
  layer.residual = true;
  layer.gamma = builder.tensor("gamma", {1});
  add_patch_router(builder, *layer.router);
  add_patch_experts(builder, *layer.bank);

  const uint32_t out = builder.value({4, 6, 4}, "layer0.out"), pooled = builder.value({4}, "pooled");
  const uint32_t logits = builder.value({2}, "logits");
  builder.model().output = logits;
  add_post_block(builder, merged, out);
  builder.node(fb::Op::global_average_pool, {out}, pooled);
  add_weights(builder, builder.node(fb::Op::linear, {pooled}, logits), "head", {2, 4});
  builder.golden(1, 3 * 2, 3);
  return builder.take();
}

// ---- bytes
// -------------------------------------------------------------------------------------------------------------

void seal(TinyModel& tiny) {
  std::vector<uint64_t> sizes;
  for (const auto& bytes : tiny.segments) sizes.push_back(bytes.size());
  const auto offsets = container::segment_layout(sizes);
  for (size_t i = 0; i < sizes.size(); ++i) {
    tiny.model.segments[i]->offset = offsets[i];
    tiny.model.segments[i]->bytes = sizes[i];
    tiny.model.segments[i]->crc32c = container::crc32c(tiny.segments[i]);
  }
}

std::vector<std::byte> flatbuffer(const TinyModel& tiny) {
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceDefaults(true);
  fb::FinishModelBuffer(builder, fb::Model::Pack(builder, &tiny.model));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

FileBytes pack(const TinyModel& tiny) {
  const std::vector<std::span<const std::byte>> segments(tiny.segments.begin(), tiny.segments.end());
  return FileBytes(container::assemble(flatbuffer(tiny), segments));
}

FileBytes finish(TinyModel tiny) {
  seal(tiny);
  return pack(tiny);
}

void repair_checksums(std::span<std::byte> file) {
  container::Header header = container::decode_header(file);
  header.graph_crc32c = container::crc32c(file.subspan(container::kHeaderBytes, header.graph_bytes));
  header.header_crc32c = container::header_crc32c(header);
  container::encode_header(header, file);
}

}  // namespace moefb::testing
