// Tables of the flatbuffer to the structs of a Graph: ranges and counts proved, meaning not yet.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "moefb/result.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

/// Values with their names and shapes. @return kCorruptFile with the value's index
Status read_values(const flatbuffers::Vector<flatbuffers::Offset<fb::Value>>* raw, std::vector<graph::Value>& values);

/// @param values, tensors  how many there are to point to
Status read_node(const fb::Node& raw, size_t values, size_t tensors, graph::Node& node);

/// @return also kUnsupported: an option that no executor of this version has
Status read_moe(const fb::MoE& raw, size_t values, size_t tensors, graph::MoE& moe);

/// Stages in execution order. @return kCorruptFile, kUnsupported with the stage's index
Status read_stages(const fb::Model& model, size_t values, size_t tensors, std::vector<graph::Stage>& stages);

/// Input kind, class names, counts for people.
Status read_meta(const fb::Model& model, graph::Meta& meta);

/// The rule that makes a picture an input, its numbers sane. @return kCorruptFile
Status read_preprocessing(const fb::Preproc& raw, Preprocessing& rule);

}  // namespace moefb::format
