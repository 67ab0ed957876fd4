#include "converter/moefb_file.h"

#include <span>
#include <stdexcept>
#include <string>

#include "schema/container.h"

namespace moefb::convert {
namespace {

void fill_segment_table(BuiltModel& built) {
  std::vector<uint64_t> sizes;
  for (const AlignedBytes& segment : built.segments) sizes.push_back(segment.size());
  const std::vector<uint64_t> offsets = container::segment_layout(sizes);
  built.graph->segments.clear();
  for (size_t i = 0; i < sizes.size(); ++i) {
    auto segment = std::make_unique<fb::SegmentT>();
    segment->kind = i == 0 ? fb::SegmentKind::weights : fb::SegmentKind::golden;
    segment->offset = offsets[i];
    segment->bytes = sizes[i];
    segment->crc32c = container::crc32c(built.segments[i].bytes());
    built.graph->segments.push_back(std::move(segment));
  }
}

}  // namespace

std::vector<std::byte> to_file(BuiltModel& built) {
  fill_segment_table(built);
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceDefaults(true);  // a field's value must not decide the size of the file
  fb::FinishModelBuffer(builder, fb::Model::Pack(builder, built.graph.get()));
  std::vector<std::span<const std::byte>> segments;
  for (const AlignedBytes& segment : built.segments) segments.push_back(segment.bytes());
  return container::assemble(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())), segments);
}

Model load(const std::vector<std::byte>& file, Kernels kernels, int max_batch) {
  LoadOptions options;
  options.kernels = kernels;
  options.max_batch = max_batch;
  Result<Model> model = Model::load(file, options);
  check(model.status(), "the converted model does not load");
  return std::move(*model);
}

void check(const Status& status, const char* what) {
  if (status.ok()) return;
  char buffer[512];
  throw std::runtime_error(std::string(what) + ": " + status.describe(buffer, sizeof buffer));
}

}  // namespace moefb::convert
