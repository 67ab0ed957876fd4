#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "format/translate.h"
#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_sparse;
using testing::TinyModel;

fb::PreprocT& rule(TinyModel& tiny) {
  return *tiny.model.preproc;
}

constexpr const char* kRangeText = "a mean or deviation is out of range";
constexpr const char* kChannelsText = "a mean or deviation is not one of 3 channels";

const Refusal kRefusals[] = {
    {"NoMeta", tiny_sparse, [](TinyModel& t) { t.model.meta.reset(); }, "the model has no meta table"},
    {"UnknownInputKind", tiny_sparse, [](TinyModel& t) { t.model.meta->input_kind = fb::InputKind(3); },
     "the input kind is unknown"},
    {"MoreActiveThanAll", tiny_sparse, [](TinyModel& t) { t.model.meta->active_parameters = 1001; },
     "more parameters are active than there are"},
    {"TooManyClassNames", tiny_sparse, [](TinyModel& t) { t.model.meta->class_names.assign(65537, ""); },
     "too many class names"},
    {"PictureWithoutHeight", tiny_sparse, [](TinyModel& t) { rule(t).height = 0; },
     "a picture has no pixels or too many"},
    {"PictureWithoutWidth", tiny_sparse, [](TinyModel& t) { rule(t).width = 0; },
     "a picture has no pixels or too many"},
    {"PictureOfHugeHeight", tiny_sparse, [](TinyModel& t) { rule(t).height = UINT32_MAX; },
     "a picture's height is too large"},
    {"PictureOfHugeWidth", tiny_sparse, [](TinyModel& t) { rule(t).width = 0x80000000; },
     "a picture's width is too large"},
    {"PictureOfTooManyPixels", tiny_sparse, [](TinyModel& t) { rule(t).width = rule(t).height = 1 << 14; },
     "a picture has no pixels or too many"},
    {"UnknownResizeRule", tiny_sparse, [](TinyModel& t) { rule(t).resize = fb::ResizeRule(2); },
     "a resize rule is unknown"},
    {"HugeResize", tiny_sparse, [](TinyModel& t) { rule(t).resize_to = UINT32_MAX; }, "pictures are resized too large"},
    {"ResizeToNothing", tiny_sparse, [](TinyModel& t) { rule(t).resize_to = 0; }, "pictures are resized to nothing"},
    {"UnknownFilter", tiny_sparse, [](TinyModel& t) { rule(t).filter = fb::Filter(2); }, "a filter is unknown"},
    {"TwoMeans", tiny_sparse, [](TinyModel& t) { rule(t).mean.pop_back(); }, kChannelsText},
    {"FourMeans", tiny_sparse, [](TinyModel& t) { rule(t).mean.push_back(0); }, kChannelsText},
    {"NoDeviations", tiny_sparse, [](TinyModel& t) { rule(t).stddev.clear(); }, kChannelsText},
    {"NanMean", tiny_sparse, [](TinyModel& t) { rule(t).mean[1] = std::nanf(""); }, kRangeText},
    {"InfiniteMean", tiny_sparse, [](TinyModel& t) { rule(t).mean[2] = -INFINITY; }, kRangeText},
    {"ZeroDeviation", tiny_sparse, [](TinyModel& t) { rule(t).stddev[0] = 0; }, kRangeText},
    {"NegativeDeviation", tiny_sparse, [](TinyModel& t) { rule(t).stddev[0] = -1; }, kRangeText},
    {"DenormalDeviation", tiny_sparse, [](TinyModel& t) { rule(t).stddev[0] = 1e-42f; }, kRangeText},
    {"InfiniteDeviation", tiny_sparse, [](TinyModel& t) { rule(t).stddev[2] = INFINITY; }, kRangeText},
};
MOEFB_REFUSALS(TranslateMeta, kRefusals);

TEST(TranslateMeta, ReadsEveryField) {
  const testing::FileBytes file = testing::finish(tiny_sparse());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  const graph::Meta& meta = (*graph)->meta;
  EXPECT_EQ(meta.kind, "cifar_e2e");
  EXPECT_EQ(meta.head, "sparse");
  EXPECT_EQ(meta.producer, "tiny_model.h");
  EXPECT_EQ(meta.input_kind, InputKind::kPicture);
  EXPECT_EQ(meta.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(meta.parameters, 1000u);
  EXPECT_EQ(meta.active_parameters, 600u);
  EXPECT_EQ(meta.multiply_adds, 5000u);
}

TEST(TranslateMeta, ReadsEveryFieldOfPreprocessing) {
  const testing::FileBytes file = testing::finish(tiny_sparse());
  const auto graph = read_graph(file.span(), true);
  ASSERT_TRUE(graph.ok()) << graph.status().text();
  ASSERT_TRUE((*graph)->has_preprocessing);
  const Preprocessing& rule = (*graph)->preprocessing;
  EXPECT_EQ(rule.height, 8);
  EXPECT_EQ(rule.width, 8);
  EXPECT_EQ(rule.resize, ResizeRule::kShorterSide);
  EXPECT_EQ(rule.resize_to, 9);
  EXPECT_EQ(rule.filter, Filter::kBicubic);
  EXPECT_EQ(rule.mean[1], 0.25f);
  EXPECT_EQ(rule.stddev[2], 1.0f);
}

TEST(TranslateMeta, TakesAStretchedPictureWithoutResizeSide) {
  TinyModel tiny = tiny_sparse();
  rule(tiny).resize = fb::ResizeRule::stretch;
  rule(tiny).resize_to = 0;
  testing::expect_accepted(testing::finish(std::move(tiny)));
}

TEST(TranslateMeta, TakesAModelWithoutClassNames) {
  TinyModel tiny = tiny_sparse();
  tiny.model.meta->class_names.clear();
  testing::expect_accepted(testing::finish(std::move(tiny)));
}

}  // namespace
}  // namespace moefb::format
