// Small random weights under the published key names, for models of any size.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "converter/safetensors.h"

namespace moefb::testing {

/// Fills a state dict. Norm weights lie around 1 and variances are positive, as in a trained model.
class SyntheticWeights {
 public:
  explicit SyntheticWeights(uint32_t seed = 1) : random_(seed) {}

  void add(const std::string& key, std::vector<int64_t> shape, float centre = 0, float spread = 0.3f) {
    int64_t n = 1;
    for (const int64_t extent : shape) n *= extent;
    std::vector<float> values(static_cast<size_t>(n));
    std::uniform_real_distribution<float> draw(centre - spread, centre + spread);
    for (float& v : values) v = draw(random_);
    file.tensors[key] = safetensors::Tensor::from_f32(std::move(shape), values);
  }
  void add_affine(const std::string& key, std::vector<int64_t> shape) {
    add(key + ".bias", {shape.front()});
    add(key + ".weight", std::move(shape));
  }
  void add_norm(const std::string& key, int64_t channels) {
    add(key + ".weight", {channels}, 1.0f);
    add(key + ".bias", {channels});
  }
  void add_batch_norm(const std::string& key, int64_t channels) {
    add_norm(key, channels);
    add(key + ".running_mean", {channels});
    add(key + ".running_var", {channels}, 1.0f, 0.5f);
    file.tensors[key + ".num_batches_tracked"] = safetensors::Tensor::from_i64({}, std::vector<int64_t>{7});
  }

  void add_dense_head(const std::string& prefix, int64_t D, int64_t hidden, int64_t classes) {
    add_affine(prefix + "fc.0", {hidden, D});
    add_affine(prefix + "fc.3", {classes, hidden});
  }
  /// @param second  index of the second linear layer: "3", or "2" for a model trained without dropout
  void add_experts(const std::string& prefix, int64_t E, int64_t D, int64_t hidden, int64_t classes,
                   const std::string& second = "3") {
    for (int64_t e = 0; e < E; ++e) {
      const std::string net = prefix + "experts." + std::to_string(e) + ".net.";
      add_affine(net + "0", {hidden, D});
      add_affine(net + second, {classes, hidden});
    }
  }
  void add_soft_head(const std::string& prefix, int64_t E, int64_t D, int64_t hidden, int64_t classes) {
    add_affine(prefix + "gate", {E, D});
    add_experts(prefix, E, D, hidden, classes);
  }
  void add_sparse_head(const std::string& prefix, int64_t E, int64_t D, int64_t hidden, int64_t classes,
                       const std::string& second = "3") {
    add_affine(prefix + "gate.w_gate", {E, D});
    add_affine(prefix + "gate.w_noise", {E, D});
    add_experts(prefix, E, D, hidden, classes, second);
  }

  void add_conv_norm(const std::string& prefix, const std::string& conv, const std::string& norm, int64_t out,
                     int64_t in, int64_t side) {
    add(prefix + conv + ".weight", {out, in, side, side});
    add_batch_norm(prefix + norm, out);
  }
  void add_resnet(int64_t width0, const std::string& prefix = "backbone.backbone.", int64_t stem_side = 3) {
    add_conv_norm(prefix, "conv1", "bn1", width0, 3, stem_side);
    int64_t in = width0;
    for (int layer = 1; layer <= 4; ++layer) {
      const int64_t out = width0 << (layer - 1);
      for (int block = 0; block < 2; ++block) {
        const std::string key = prefix + "layer" + std::to_string(layer) + "." + std::to_string(block) + ".";
        add_conv_norm(key, "conv1", "bn1", out, in, 3);
        add_conv_norm(key, "conv2", "bn2", out, out, 3);
        if (in != out) add_conv_norm(key, "downsample.0", "downsample.1", out, in, 1);
        in = out;
      }
    }
  }

  /// torchvision's
  void add_resnet18(int64_t width0, int64_t classes) {
    add_resnet(width0, "", 7);
    add_affine("fc", {classes, 8 * width0});
  }

  void add_moe_layer(int64_t index, int64_t E, int64_t channels, int64_t expert_side = 3, int64_t post_side = 3) {
    const std::string key = "layers." + std::to_string(index) + ".";
    const int64_t features = 2 * (channels + 18);
    add(key + "gamma", {1});
    for (int64_t e = 0; e < E; ++e) {
      const std::string block = key + "experts." + std::to_string(e) + ".conv_block.";
      add(block + "0.weight", {channels, channels, expert_side, expert_side});
      add_norm(block + "1", channels);
      add(block + "3.weight", {channels, channels, expert_side, expert_side});
      add_norm(block + "4", channels);
    }
    add_norm(key + "merge_gn", channels);
    add_norm(key + "router_gate.mlp.0", features);
    add_affine(key + "router_gate.mlp.1", {E, features});
    add(key + "post_block.0.weight", {channels, channels, post_side, post_side});
    add_norm(key + "post_block.1", channels);
  }
  void add_down_layer(int64_t index, int64_t in) {
    const std::string key = "layers." + std::to_string(index) + ".";
    add(key + "conv1.weight", {2 * in, in, 3, 3});
    add_norm(key + "gn1", 2 * in);
    add(key + "conv2.weight", {2 * in, 2 * in, 3, 3});
    add_norm(key + "gn2", 2 * in);
    add(key + "skip.0.weight", {2 * in, in, 1, 1});
    add_norm(key + "skip.1", 2 * in);
  }
  void add_stem(int64_t channels) {
    add("stem.0.weight", {channels, 3, 7, 7});
    add_batch_norm("stem.1", channels);
  }
  /// The published network: eight layers, of which 2, 4 and 6 halve the map.
  void add_patch_net(int64_t E, int64_t channels, int64_t classes) {
    add_stem(channels);
    for (int64_t index = 0; index < 8; ++index) {
      if (index == 2 || index == 4 || index == 6) {
        add_down_layer(index, channels);
        channels *= 2;
      } else {
        add_moe_layer(index, E, channels);
      }
    }
    add_affine("prediction_head.0", {classes, channels});
  }

  safetensors::File file;

 private:
  std::mt19937 random_;
};

}  // namespace moefb::testing
