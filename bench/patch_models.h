// What the benchmarks of the patch family run: the published networks and their MoE layers alone, with random weights,
// on photographs, routed as their gates say or all to one expert.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/common.h"
#include "converter/safetensors.h"
#include "moefb/model.h"

namespace moefb::bench {

inline constexpr int64_t kMaxBatch = 8;
inline constexpr int64_t kClasses = 200;
inline constexpr double kPatchTolerance = 5e-5;  // of the largest logit: docs/design.md, section 6

/// The network, or one of its MoE layers between an identity stem and a small head (layer 1 is as large as layer 0); or
/// the network that docs/patch-networks.md trains.
struct PatchPart {
  const char* name;
  int layer;           ///< -1: a network
  int64_t channels;    ///< of the input
  int64_t side;        ///< of the input
  int64_t patch;       ///< side of the first patches
  int64_t width;       ///< channels behind the network's stem, or of the layer
  const char* source;  ///< the published network's map that a layer is given, by its name in traces

  bool is_network() const { return layer < 0; }
};
inline constexpr PatchPart kNetwork{"network", -1, 3, 224, 16, 64, ""};
inline constexpr PatchPart kParts[] = {
    kNetwork,
    {"layer0", 0, 64, 112, 16, 64, "stem"},
    {"layer3", 3, 128, 56, 8, 128, "layer2.out"},
    {"layer5", 5, 256, 28, 4, 256, "layer4.out"},
    {"layer7", 7, 512, 14, 2, 512, "layer6.out"},
    {"small", -1, 3, 64, 4, 8, ""},
};

enum class PatchRouting : uint8_t {
  kGates,      ///< as the gates choose, capacity by image, factor 2
  kOneExpert,  ///< every patch to expert 0, without a capacity
};
const char* name_of(PatchRouting routing);

/// One comparison.
struct PatchCase {
  const PatchPart* part = nullptr;
  int64_t experts = 0;
  int64_t batch = 0;
  PatchRouting routing = PatchRouting::kGates;

  std::string name() const;
};
/// Every part, number of experts, batch and routing; one expert is always sent everything.
std::vector<PatchCase> all_patch_cases();

/// Hands out the weights of every part with this many experts, one part after another: of them all there may be no
/// room. Those of a layer are the published network's, under the keys of a network with one layer.
void for_each_part(int64_t experts, const std::function<void(const PatchPart&, safetensors::File)>& fn);

/// All parts with E experts, converted and loaded, with their inputs. Made when first asked for.
class PatchFamily {
 public:
  explicit PatchFamily(int64_t experts);

  const Model& model(const PatchPart& part) const { return parts_.at(part.name).model; }
  /// (batch, channels, side, side), batch up to kMaxBatch: photographs, or the maps that the network makes of them
  std::span<const float> input(const PatchPart& part, int64_t batch) const;

 private:
  struct Loaded {
    std::vector<std::byte> file;
    Model model;
    std::vector<float> input;
  };

  void trace_inputs();

  std::map<std::string, Loaded> parts_;
};

/// All families, each made once.
class PatchFamilies {
 public:
  const PatchFamily& at(int64_t experts);

 private:
  std::map<int64_t, std::unique_ptr<PatchFamily>> families_;
};

/// An executor for one case, in a shared arena. `routes` must outlive it and is filled where routes are given.
Executor make_executor(const PatchFamily& family, const PatchCase& one, Dispatch dispatch, int threads, Arena& arena,
                       std::vector<int32_t>& routes);

/// @throws std::runtime_error that names the case. @return (batch, classes) logits
std::vector<float> run_case(Executor& executor, const PatchFamily& family, const PatchCase& one);

}  // namespace moefb::bench
