#include "format/check.h"

#include <gtest/gtest.h>

#include "runtime/format/refusal.h"

namespace moefb::format {
namespace {

using testing::Refusal;
using testing::tiny_patch;
using testing::tiny_sparse;
using testing::TinyModel;

const Refusal kRefusals[] = {
    {"ModelInputThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.model.input = 6; },
     "the model's input does not exist"},
    {"ModelOutputThatDoesNotExist", tiny_sparse, [](TinyModel& t) { t.model.output = UINT32_MAX; },
     "the model's output does not exist"},
    {"NoValues", tiny_sparse, [](TinyModel& t) { t.model.values.clear(); }, "the model's input does not exist"},
    {"UseBeforeDefinition", tiny_sparse, [](TinyModel& t) { std::swap(t.model.stages[0], t.model.stages[1]); },
     "a value is used before it is defined"},
    {"UseOfOwnOutput", tiny_sparse, [](TinyModel& t) { t.node(2).inputs[1] = 3; },
     "a value is used before it is defined"},
    {"SecondDefinition", tiny_patch, [](TinyModel& t) { t.node(3).output = 5; }, "a value is defined twice"},
    {"DefinitionOfTheInput", tiny_patch,
     [](TinyModel& t) {
       t.model.values[0]->shape = {4, 6, 4};
       t.golden().input->shape = {1, 4, 6, 4};
       t.moe(0).output = 0;
     },
     "a value is defined twice"},
    {"ValueThatNobodyDefines", tiny_sparse,
     [](TinyModel& t) { t.model.values.push_back(std::make_unique<fb::ValueT>(*t.model.values[1])); },
     "a value is never defined"},
    {"ValueThatNobodyUses", tiny_patch, [](TinyModel& t) { t.node(4).inputs.pop_back(); }, "a value is never used"},
    {"OutputThatNobodyDefines", tiny_sparse,
     [](TinyModel& t) {
       t.model.values.push_back(std::make_unique<fb::ValueT>(*t.model.values[5]));
       t.model.values.back()->name = "other";
       t.model.output = 6;
     },
     "a value is used before it is defined"},
    {"ShapeThatTheStageDoesNotGive", tiny_sparse,
     [](TinyModel& t) {
       t.model.values[2]->shape = {4, 4, 5};
     },
     "a value has another shape than its stage gives"},
    {"ShapeThatTheMoeLayerDoesNotGive", tiny_patch,
     [](TinyModel& t) {
       t.model.values[1]->shape = {4, 5, 4};
     },
     "a value has another shape than its stage gives"},
    {"OneNameForTwoValues", tiny_sparse, [](TinyModel& t) { t.model.values[1]->name = "features"; },
     "two values have one name"},
    {"PictureWithoutPreprocessing", tiny_sparse, [](TinyModel& t) { t.model.preproc.reset(); },
     "a model that takes pictures has no preprocessing"},
    {"MapWithPreprocessing", tiny_sparse, [](TinyModel& t) { t.model.meta->input_kind = fb::InputKind::map; },
     "a model that takes no pictures has preprocessing"},
    {"PreprocessingOfOtherHeight", tiny_sparse, [](TinyModel& t) { t.model.preproc->height = 9; },
     "preprocessing makes pictures of another size than the model takes"},
    {"PreprocessingOfOtherWidth", tiny_sparse, [](TinyModel& t) { t.model.preproc->width = 7; },
     "preprocessing makes pictures of another size than the model takes"},
    {"MapAsFeatures", tiny_patch, [](TinyModel& t) { t.model.meta->input_kind = fb::InputKind::features; },
     "the input's shape is not of its kind"},
    {"TooFewClassNames", tiny_sparse, [](TinyModel& t) { t.model.meta->class_names.pop_back(); },
     "there are not as many class names as classes"},
    {"OutputThatIsAMap", tiny_sparse,
     [](TinyModel& t) {
       t.model.stages.resize(3);
       t.model.values.resize(4);
       t.model.output = 3;
     },
     "the model's output is not a vector of classes"},
};
MOEFB_REFUSALS(CheckGraph, kRefusals);

/// A second MoE layer behind the first, on the same tensors, with `published_layer`.
TinyModel two_layers(int32_t published_layer) {
  TinyModel tiny = tiny_patch();
  auto stage = std::make_unique<fb::StageT>(*tiny.model.stages[0]);
  tiny.model.values.push_back(std::make_unique<fb::ValueT>(*tiny.model.values[1]));
  tiny.model.values.back()->name = "second";
  const auto out = uint32_t(tiny.model.values.size() - 1);
  stage->moe->published_layer = published_layer;
  stage->moe->input = 1;
  stage->moe->output = out;
  tiny.model.stages.insert(tiny.model.stages.begin() + 1, std::move(stage));
  tiny.node(2).inputs[0] = out;
  tiny.node(5).inputs[0] = out;
  tiny.model.goldens.clear();
  return tiny;
}

TEST(CheckGraph, TakesTwoMoeLayersOnTheSameWeights) {
  testing::expect_accepted(testing::finish(two_layers(1)));
}

TEST(CheckGraph, RefusesTwoMoeLayersOfOnePublishedIndex) {
  testing::expect_refused(testing::finish(two_layers(0)), Code::kCorruptFile,
                          "two MoE layers have one published index");
}

TEST(CheckGraph, NamesTheStageWhoseShapeIsWrong) {
  TinyModel tiny = tiny_sparse();
  tiny.model.values[2]->shape = {4, 4, 5};
  const testing::FileBytes file = testing::finish(std::move(tiny));
  EXPECT_EQ(read_graph(file.span(), true).status().where(), 1);
}

}  // namespace
}  // namespace moefb::format
