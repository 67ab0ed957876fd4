#include "converter/build_model.h"

#include <utility>

#include "converter/graph_builder.h"
#include "converter/heads.h"
#include "converter/patch_net.h"
#include "converter/preprocessing.h"
#include "converter/resnet.h"

namespace moefb::convert {
namespace {

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kCifarE2e:
      return "cifar_e2e";
    case Kind::kCifarHead:
      return "cifar_head";
    case Kind::kPatchNet:
      return "patch_net";
    case Kind::kResnet18:
      return "resnet18";
  }
  return "";
}

const char* head_name(Head head) {
  switch (head) {
    case Head::kDense:
      return "dense";
    case Head::kSoft:
      return "soft";
    case Head::kSparse:
      return "sparse";
  }
  return "";
}

bool has_head(Kind kind) {
  return kind == Kind::kCifarE2e || kind == Kind::kCifarHead;
}

/// @return the value `logits`
uint32_t build_graph(GraphBuilder& builder) {
  switch (builder.config().kind) {
    case Kind::kCifarE2e:
      return build_head(builder, "head.", build_backbone(builder));
    case Kind::kCifarHead:
      return build_head(builder, "", builder.set_input({head_features(builder, "")}));
    case Kind::kPatchNet:
      return build_patch_net(builder);
    case Kind::kResnet18:
      return build_resnet18(builder);
  }
  return 0;
}

fb::InputKind input_kind(const Config& config, bool stem) {
  if (config.kind == Kind::kCifarHead) return fb::InputKind::features;
  return config.kind == Kind::kPatchNet && !stem ? fb::InputKind::map : fb::InputKind::picture;
}

}  // namespace

BuiltModel build_model(const Config& config, StateDict& weights, WeightDtype dtype) {
  const bool stem = has_stem(weights);
  GraphBuilder builder(config, weights, dtype);
  const uint32_t logits = build_graph(builder);
  builder.set_output(logits);
  const int64_t classes = builder.nodes().shape(logits)[0];

  BuiltModel built;
  built.graph = builder.finish();
  built.segments.push_back(builder.take_segment());
  fb::MetaT& meta = *built.graph->meta;
  meta.kind = kind_name(config.kind);
  if (has_head(config.kind)) meta.head = head_name(*config.head);
  meta.input_kind = input_kind(config, stem);
  describe_classes(config, classes, meta);
  if (meta.input_kind == fb::InputKind::picture) built.graph->preproc = make_preprocessing(config);
  return built;
}

}  // namespace moefb::convert
