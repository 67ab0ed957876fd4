#include "format/reader.h"

#include <new>

#include "format/check.h"
#include "format/fields.h"
#include "format/front.h"
#include "format/goldens.h"
#include "format/header.h"
#include "format/segments.h"
#include "format/tensors.h"
#include "format/translate.h"

namespace moefb::format {
namespace {

Status check_alignment(std::span<const std::byte> file) noexcept {
  if (reinterpret_cast<uintptr_t>(file.data()) % container::kTensorAlignment == 0) return {};
  return {Code::kInvalidArgument, "the file's bytes are not aligned to 64"};
}

Status read_tensors(const fb::Model& model, TensorReader& reader, std::vector<graph::Tensor>& tensors) {
  tensors.resize(count(model.tensors()));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Status s = reader.read(*model.tensors()->Get(uint32_t(i)), fb::SegmentKind::weights, tensors[i]);
    if (!s.ok()) return s.at(int64_t(i));
  }
  return {};
}

/// Values, stages, and what surrounds them, as the file has them.
Status translate(const fb::Model& model, graph::Graph& graph) {
  MOEFB_TRY(read_meta(model, graph.meta));
  MOEFB_TRY(read_values(model.values(), graph.values));
  MOEFB_TRY(read_index(model.input(), graph.values.size(), "the model's input does not exist", graph.input));
  MOEFB_TRY(read_index(model.output(), graph.values.size(), "the model's output does not exist", graph.output));
  graph.has_preprocessing = model.preproc() != nullptr;
  if (graph.has_preprocessing) MOEFB_TRY(read_preprocessing(*model.preproc(), graph.preprocessing));
  return read_stages(model, graph.values.size(), graph.tensors.size(), graph.stages);
}

/// Everything behind header and verifier, cheapest first: bulk data is read once its table is proved.
Status fill(const fb::Model& model, std::span<const std::byte> file, const container::Header& header,
            bool verify_checksums, graph::Graph& graph) {
  graph.file_bytes = header.file_bytes;
  graph.format_version = header.format_version;
  graph.graph_crc32c = header.graph_crc32c;
  MOEFB_TRY(check_zeros(file, container::kHeaderBytes + header.graph_bytes, header.segment_base));
  MOEFB_TRY(read_segments(model, file, header, verify_checksums, graph.segments));
  TensorReader tensors(file, graph.segments);
  MOEFB_TRY(read_tensors(model, tensors, graph.tensors));
  MOEFB_TRY(translate(model, graph));
  MOEFB_TRY(check_graph(graph));
  return read_goldens(model, tensors, graph);
}

}  // namespace

Result<std::unique_ptr<graph::Graph>> read_graph(std::span<const std::byte> file, bool verify_checksums) noexcept {
  MOEFB_TRY(check_alignment(file));
  const auto header = read_header(file);
  if (!header.ok()) return header.status();
  const auto front = Front::copy(file, *header);
  if (!front.ok()) return front.status();
  std::unique_ptr<graph::Graph> graph(new (std::nothrow) graph::Graph);
  if (graph == nullptr) return Status(Code::kOutOfMemory, "no memory for the graph");
  MOEFB_TRY(fill(front->model(), file, *header, verify_checksums, *graph));
  return graph;
}

}  // namespace moefb::format
