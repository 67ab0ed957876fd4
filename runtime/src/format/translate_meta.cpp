// What surrounds the graph: input kind, class names, preprocessing.
#include <cfloat>
#include <cmath>

#include "format/fields.h"
#include "format/translate.h"

namespace moefb::format {
namespace {

constexpr size_t kMaxClasses = size_t{1} << 16;
constexpr int64_t kMaxResize = int64_t{1} << 16;

Status read_class_names(const fb::Meta& raw, std::vector<std::string>& names) {
  if (count(raw.class_names()) > kMaxClasses) {
    return corrupt("too many class names").values(int64_t(count(raw.class_names())), int64_t(kMaxClasses));
  }
  names.resize(count(raw.class_names()));
  for (size_t i = 0; i < names.size(); ++i) {
    if (const Status s = read_name(raw.class_names()->Get(uint32_t(i)), names[i]); !s.ok()) return s.at(int64_t(i));
  }
  return {};
}

Status read_channels(const flatbuffers::Vector<float>* raw, float least, float (&out)[3]) noexcept {
  const auto numbers = read_elements(raw, 3, "a mean or deviation is not one of 3 channels");
  if (!numbers.ok()) return numbers.status();
  if (numbers->size() != 3) return corrupt("a mean or deviation is not one of 3 channels");
  for (int c = 0; c < 3; ++c) {
    out[c] = (*numbers)[size_t(c)];
    if (!std::isfinite(out[c]) || out[c] < least) return corrupt("a mean or deviation is out of range").at(c);
  }
  return {};
}

/// Of the resized picture; only the shorter-side rule uses it.
Status check_resize_to(const Preprocessing& rule) noexcept {
  if (rule.resize == ResizeRule::kShorterSide && rule.resize_to == 0) return corrupt("pictures are resized to nothing");
  return {};
}

}  // namespace

Status read_meta(const fb::Model& model, graph::Meta& meta) {
  if (model.meta() == nullptr) return corrupt("the model has no meta table");
  const fb::Meta& raw = *model.meta();
  MOEFB_TRY(read_name(raw.kind(), meta.kind));
  MOEFB_TRY(read_name(raw.head(), meta.head));
  MOEFB_TRY(read_name(raw.producer(), meta.producer));
  MOEFB_TRY(read_enum<InputKind::kMap>(raw.input_kind(), "the input kind is unknown", meta.input_kind));
  MOEFB_TRY(read_class_names(raw, meta.class_names));
  meta.parameters = raw.parameters();
  meta.active_parameters = raw.active_parameters();
  meta.multiply_adds = raw.multiply_adds();
  if (meta.active_parameters > meta.parameters) {
    return corrupt("more parameters are active than there are")
        .values(int64_t(meta.active_parameters), int64_t(meta.parameters));
  }
  return {};
}

Status read_preprocessing(const fb::Preproc& raw, Preprocessing& rule) {
  MOEFB_TRY(read_number(raw.height(), kMaxPixels, "a picture's height is too large", rule.height));
  MOEFB_TRY(read_number(raw.width(), kMaxPixels, "a picture's width is too large", rule.width));
  if (rule.height == 0 || rule.width == 0 || int64_t(rule.height) * rule.width > kMaxPixels) {
    return corrupt("a picture has no pixels or too many");
  }
  MOEFB_TRY(read_enum<ResizeRule::kStretch>(raw.resize(), "a resize rule is unknown", rule.resize));
  MOEFB_TRY(read_number(raw.resize_to(), kMaxResize, "pictures are resized too large", rule.resize_to));
  MOEFB_TRY(check_resize_to(rule));
  MOEFB_TRY(read_enum<Filter::kBicubic>(raw.filter(), "a filter is unknown", rule.filter));
  MOEFB_TRY(read_channels(raw.mean(), -FLT_MAX, rule.mean));
  return read_channels(raw.stddev(), FLT_MIN, rule.stddev);
}

}  // namespace moefb::format
