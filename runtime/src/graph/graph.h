// A model in memory: what runs, in which order, with which weights. Knows no file and no device.
//
// format/ builds a Graph from checked bytes, plan/ lays out its values, cpu/ executes it. Everything in a Graph that
// the reader returned is in range: indices, enums, shapes, and tensors whose bytes are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "moefb/image.h"
#include "moefb/model.h"
#include "moefb/tensor.h"

namespace moefb::graph {

inline constexpr int kNone = -1;

/// Row-major, in the file's bytes. Expert e of a stacked tensor starts at data + e * stride.
struct Tensor {
  std::string name;
  Dtype dtype = Dtype::kF32;
  Shape shape;         ///< of one expert
  int64_t count = 1;   ///< experts
  int64_t stride = 0;  ///< bytes from one expert to the next; 0 if count is 1
  const std::byte* data = nullptr;

  const std::byte* expert(int64_t e) const noexcept { return data + e * stride; }
};

/// What flows between stages, without the batch: (D) or (C, H, W). In memory (n, D) or (n, H, W, C).
struct Value {
  std::string name;  ///< asks for it in traces; empty: never shown
  Shape shape;
};

enum class Op : uint8_t { kConv2d, kLinear, kMaxPool, kGlobalAveragePool, kGroupNorm, kAdd };
enum class Activation : uint8_t { kNone, kRelu, kSilu };

/// kConv2d, kLinear: act(op(x) + bias [+ second input]). kGroupNorm: act(norm(x)). kAdd: act(sum of inputs).
struct Node {
  Op op = Op::kConv2d;
  std::vector<int> inputs;  ///< values
  int output = 0;           ///< value
  int weight = kNone;       ///< tensor: (O, I, KH, KW), (O, I) or (C)
  int bias = kNone;         ///< tensor: (O) or (C)
  int kernel_h = 0;
  int kernel_w = 0;
  int stride = 1;
  int padding = 0;
  int groups = 1;
  float eps = 0;
  Activation activation = Activation::kNone;
};

enum class RouterKind : uint8_t { kSoft, kTopK, kPatchTop1 };
enum class NormKind : uint8_t { kNone, kStandardize, kLayerNorm };
enum class MaskRule : uint8_t { kThreshold, kIndex };
enum class DropPolicy : uint8_t { kResidual, kSecondChoice };
enum class CombineRule : uint8_t { kPublished, kGate };

struct Norm {
  NormKind kind = NormKind::kNone;
  float eps = 0;
  bool unbiased = false;  ///< divisor n - 1
  int weight = kNone;
  int bias = kNone;
};

/// features -> feature_norm -> weight, bias -> centring -> score_norm -> 1/temperature, clamp -> softmax -> choice ->
/// capacity
struct Router {
  RouterKind kind = RouterKind::kSoft;
  int top_k = 1;  ///< kSoft: the number of experts
  bool pool_mean = false;
  bool pool_max = false;
  bool coordinates = false;
  std::vector<float> fourier_bands;
  Norm feature_norm;
  int weight = kNone;  ///< (E, features)
  int bias = kNone;    ///< (E)
  bool centered = false;
  Norm score_norm;
  float temperature = 1;
  float clamp = 0;  ///< 0: off
  MaskRule mask_rule = MaskRule::kThreshold;
  double capacity_factor = 0;
  CapacityGroup capacity_group = CapacityGroup::kBatch;
  DropPolicy drop_policy = DropPolicy::kResidual;
  CombineRule combine = CombineRule::kPublished;
};

/// E experts with one body. Value 0 is the token, the last node's output the answer; shapes are those of one token.
struct ExpertBank {
  int experts = 0;
  std::vector<Value> values;
  std::vector<Node> body;
};

/// out[token] = (residual ? token : 0) + gamma * sum over its experts, ascending, of weight * expert(token)
///
/// A token is a square of `patch` x `patch` pixels of the input map, row-major over the image; a feature vector (D)
/// counts as a 1 x 1 map with D channels, so that heads and patch layers are one thing.
struct MoE {
  int published_layer = kNone;  ///< of a patch network; kNone for a head
  int input = 0;
  int output = 0;
  int patch = 1;
  Router router;
  ExpertBank bank;
  int gamma = kNone;  ///< tensor (1); kNone: 1
  bool residual = false;
  bool crop_padding = false;
};

/// A step of the model: a node or an MoE layer.
struct Stage {
  bool is_moe = false;
  Node node;
  MoE moe;

  int output() const noexcept { return is_moe ? moe.output : node.output; }
};

struct Segment {
  uint8_t kind = 0;     ///< schema's SegmentKind
  uint64_t offset = 0;  ///< in the file
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
};

struct Meta {
  std::string kind;
  std::string head;
  InputKind input_kind = InputKind::kPicture;
  std::vector<std::string> class_names;
  uint64_t parameters = 0;
  uint64_t active_parameters = 0;
  uint64_t multiply_adds = 0;
  std::string producer;
};

struct Graph {
  Meta meta;
  bool has_preprocessing = false;
  Preprocessing preprocessing;
  std::vector<Segment> segments;
  std::vector<Tensor> tensors;
  std::vector<Value> values;
  int input = 0;
  int output = 0;
  std::vector<Stage> stages;
  std::vector<GoldenVector> goldens;
  uint64_t file_bytes = 0;
  uint32_t format_version = 0;
  uint32_t graph_crc32c = 0;
};

/// Channels, height and width of a value; a vector is a 1 x 1 map.
struct Extent {
  int64_t c = 0;
  int64_t h = 1;
  int64_t w = 1;
  int64_t elements() const noexcept { return c * h * w; }
};
constexpr Extent extent(const Shape& shape) noexcept {
  return shape.rank == 3 ? Extent{shape[0], shape[1], shape[2]} : Extent{shape[0], 1, 1};
}

/// The grid of tokens that an MoE layer cuts its input into; a map that `patch` does not divide is padded with zeros.
struct TokenGrid {
  int64_t rows = 1;
  int64_t columns = 1;
  int64_t per_image() const noexcept { return rows * columns; }
};
constexpr TokenGrid token_grid(const Extent& input, int patch) noexcept {
  return {(input.h + patch - 1) / patch, (input.w + patch - 1) / patch};
}

}  // namespace moefb::graph
