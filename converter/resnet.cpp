#include "converter/resnet.h"

#include <algorithm>
#include <string>

namespace moefb::convert {
namespace {

constexpr int kLayers = 4;
const std::string kBackbone = "backbone.backbone.";  // doubled in the published keys

/// relu(conv2(relu(conv1(x))) + s(x)); s is the identity, or a 1x1 convolution where size or channels change.
uint32_t build_block(GraphBuilder& builder, uint32_t src, const std::string& key, uint32_t stride) {
  NodeWriter& nodes = builder.nodes();
  const int64_t in = nodes.shape(src)[0];
  const int64_t out = builder.source().shape(key + "conv1.weight", {kAny, in, 3, 3})[0];
  const auto conv = [&](const std::string& name, const std::string& norm, const Extents& shape) {
    return builder.folded_conv(key + name, key + norm, shape);
  };
  const Affine first = conv("conv1", "bn1", {out, in, 3, 3});
  const Affine second = conv("conv2", "bn2", {out, out, 3, 3});
  uint32_t skip = src;
  if (stride != 1 || in != out || builder.source().has(key + "downsample.0.weight")) {
    const Affine shortcut = conv("downsample.0", "downsample.1", {out, in, 1, 1});
    skip = nodes.conv2d(src, shortcut.weight, shortcut.bias, {stride, fb::Activation::none, -1, ""});
  }
  const uint32_t hidden = nodes.conv2d(src, first.weight, first.bias, {stride, fb::Activation::relu, -1, ""});
  return nodes.conv2d(hidden, second.weight, second.bias, {1, fb::Activation::relu, static_cast<int32_t>(skip), ""});
}

/// A convolution over the picture that keeps its sides or halves them.
uint32_t build_stem(GraphBuilder& builder, const std::string& prefix, int64_t side, uint32_t stride) {
  const ImageSize& image = builder.config().need(builder.config().image, "image", "a model of pictures");
  const uint32_t input = builder.set_input({3, image.height, image.width});
  const std::string key = prefix + "conv1.weight";
  const int64_t width = builder.source().shape(key, {kAny, 3, side, side})[0];
  builder.config().expect(builder.config().width0, "width0", width, key);
  const Affine stem = builder.folded_conv(prefix + "conv1", prefix + "bn1", {width, 3, side, side});
  return builder.nodes().conv2d(input, stem.weight, stem.bias, {stride, fb::Activation::relu, -1, ""});
}

/// layer1 to layer4 and the mean over what is left of the picture.
uint32_t build_layers(GraphBuilder& builder, const std::string& prefix, uint32_t map) {
  for (int layer = 1; layer <= kLayers; ++layer) {
    const std::string name = "layer" + std::to_string(layer);
    const std::string key = prefix + name + ".";
    // A layer without blocks fails on the first one's missing weights.
    const int64_t blocks = std::max<int64_t>(1, builder.source().children(key));
    for (int64_t block = 0; block < blocks; ++block) {
      const uint32_t stride = layer > 1 && block == 0 ? 2 : 1;
      map = build_block(builder, map, key + std::to_string(block) + ".", stride);
    }
    builder.nodes().set_name(map, name);
  }
  return builder.nodes().global_average_pool(map, "features");
}

}  // namespace

uint32_t build_backbone(GraphBuilder& builder) {
  return build_layers(builder, kBackbone, build_stem(builder, kBackbone, 3, 1));
}

uint32_t build_resnet18(GraphBuilder& builder) {
  NodeWriter& nodes = builder.nodes();
  const uint32_t stem = build_stem(builder, "", 7, 2);
  const uint32_t features = build_layers(builder, "", nodes.max_pool(stem, 3, 2));
  const int64_t width = nodes.shape(features)[0];
  const int64_t classes = builder.source().shape("fc.weight", {kAny, width})[0];
  builder.config().expect(builder.config().num_classes, "num_classes", classes, "fc.weight");
  const Affine fc = builder.linear("fc", {classes, width});
  return nodes.linear(features, fc.weight, fc.bias, fb::Activation::none, "logits");
}

}  // namespace moefb::convert
