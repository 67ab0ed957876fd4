// Looking inside a model: graph, routing, sizes, checksums, self-test. For info, bench, convert and tests; running
// needs none of it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "moefb/executor.h"
#include "moefb/export.h"
#include "moefb/model.h"
#include "moefb/result.h"
#include "moefb/tensor.h"

namespace moefb {

/// The file as a whole. Views live as long as the Model.
struct FileInfo {
  std::string_view kind;  ///< cifar_e2e, cifar_head, patch_net
  std::string_view head;  ///< dense, soft, sparse; empty for patch networks
  std::string_view producer;
  Dtype weight_dtype = Dtype::kF32;  ///< of matrices and kernels as stored; computed in f32
  uint32_t format_version = 0;
  uint64_t file_bytes = 0;
  uint32_t graph_crc32c = 0;
  uint64_t parameters = 0;         ///< as published, counted before folding
  uint64_t active_parameters = 0;  ///< of one token's path: spec/patch-moe.md, section 7
  uint64_t multiply_adds = 0;      ///< one image, nothing dropped
};
MOEFB_EXPORT FileInfo file_info(const Model& model) noexcept;

struct SegmentInfo {
  std::string_view kind;  ///< weights, golden, packed
  uint64_t offset = 0;    ///< in the file
  uint64_t bytes = 0;
  uint32_t crc32c = 0;
};
MOEFB_EXPORT int segment_count(const Model& model) noexcept;
MOEFB_EXPORT SegmentInfo segment_info(const Model& model, int index) noexcept;

/// How an MoE layer decides.
struct RouterInfo {
  std::string_view kind;  ///< soft, top-k, patch top-1
  int experts = 0;
  int top_k = 0;  ///< soft: all experts
  int patch = 1;  ///< side of a token in pixels
  int64_t tokens_per_image = 1;
  int64_t rows = 1;  ///< of tokens in an image
  int64_t columns = 1;
  int64_t stride = 1;    ///< pixels of the model's input from one pixel of the layer's map to the next
  int64_t features = 0;  ///< that the router sees of one token
  float temperature = 1;
  double capacity_factor = 0;  ///< 0: no capacity
  CapacityGroup capacity_group = CapacityGroup::kBatch;
  std::string_view mask_rule;      ///< threshold, index
  std::string_view combine;        ///< published, gate
  std::string_view drop_policy;    ///< residual, second_choice
  std::string_view expert_body;    ///< "linear relu, linear" for a person
  uint64_t expert_parameters = 0;  ///< of one expert, as stored
  bool crop_padding = false;       ///< the map keeps its size; else it grows to whole patches
};

/// One step of the graph, in execution order.
struct StageInfo {
  std::string_view op;    ///< conv2d, linear, max_pool, global_average_pool, group_norm, add, moe
  std::string_view name;  ///< of its output in traces; may be empty
  std::string_view activation;
  Shape output;                ///< of one image
  uint64_t parameters = 0;     ///< as stored, after folding
  uint64_t multiply_adds = 0;  ///< one image; MoE: top_k experts on every token
  bool is_moe = false;
  int published_layer = -1;
  RouterInfo router;  ///< MoE only
};
MOEFB_EXPORT int stage_count(const Model& model) noexcept;
MOEFB_EXPORT StageInfo stage_info(const Model& model, int index) noexcept;

/// How far a model's answer to one of its golden vectors is from the stored one.
struct GoldenReport {
  double max_error = 0;  ///< largest |logit - stored|
  double limit = 0;      ///< that the kernels in use must keep: design.md, section 6
  int64_t routes = 0;    ///< compared
  int64_t routes_differ = 0;
  bool passed() const noexcept { return max_error <= limit && routes_differ == 0; }
};
/// Runs golden vector `index` under the capacity group it was made with. @return also what Executor::create and run
/// return; kInvalidArgument if the model was loaded with a smaller max_batch than the vector's.
MOEFB_EXPORT Result<GoldenReport> check_golden(const Model& model, int index,
                                               const ExecutorOptions& options = {}) noexcept;

/// Elements of GoldenVector::routes for `batch` images: (tokens, K) for every MoE layer that chooses; 0 if none does.
MOEFB_EXPORT int64_t route_count(const Model& model, int batch) noexcept;
/// "oneDNN 3.2.0", or "" in a build without it.
MOEFB_EXPORT const char* onednn_version() noexcept;
/// "0.1.0"
MOEFB_EXPORT const char* version() noexcept;

}  // namespace moefb
