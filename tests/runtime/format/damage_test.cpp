// Damage of every kind: bits, lengths, words. A damaged file is refused; one whose checksums were made right again is
// refused, or gives a Graph whose every index and byte is there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "runtime/format/refusal.h"
#include "runtime/format/touch.h"

namespace moefb::format {
namespace {

using testing::FileBytes;

constexpr uint32_t kWords[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

/// Every index of an accepted Graph is in range.
void check_indices(const graph::Graph& graph) {
  const auto values = int(graph.values.size()), tensors = int(graph.tensors.size());
  for (const graph::Stage& stage : graph.stages) {
    ASSERT_TRUE(stage.output() >= 0 && stage.output() < values);
    if (stage.is_moe) {
      ASSERT_TRUE(stage.moe.input >= 0 && stage.moe.input < values);
      ASSERT_TRUE(stage.moe.router.weight >= 0 && stage.moe.router.weight < tensors);
      ASSERT_GE(stage.moe.router.top_k, 1);
      ASSERT_LE(stage.moe.router.top_k, stage.moe.bank.experts);
    } else {
      for (int input : stage.node.inputs) ASSERT_TRUE(input >= 0 && input < values);
      ASSERT_TRUE(stage.node.weight >= -1 && stage.node.weight < tensors);
      ASSERT_TRUE(stage.node.bias >= -1 && stage.node.bias < tensors);
    }
  }
}

/// Reads `file` and looks at all it gives. @return whether it was accepted
bool survives(const FileBytes& file) {
  const auto graph = read_graph(file.span(), true);
  if (!graph.ok()) {
    EXPECT_STRNE(graph.status().text(), "");
    return false;
  }
  check_indices(**graph);
  return testing::touch(**graph) > 0;
}

class Damage : public ::testing::TestWithParam<testing::TinyModel (*)()> {
 protected:
  FileBytes file_ = testing::finish(GetParam()());
  const size_t base_ = container::decode_header(file_.span()).segment_base;

  uint32_t word(size_t offset) const {
    uint32_t bits;
    std::memcpy(&bits, file_.span().data() + offset, 4);
    return bits;
  }
  void set_word(size_t offset, uint32_t bits) { std::memcpy(file_.span().data() + offset, &bits, 4); }
};

TEST_P(Damage, EveryFlippedBitIsRefused) {
  for (size_t bit = 0; bit < file_.size() * 8; ++bit) {
    file_[bit / 8] ^= std::byte(1 << bit % 8);
    ASSERT_FALSE(read_graph(file_.span(), true).ok()) << "byte " << bit / 8 << ", bit " << bit % 8;
    file_[bit / 8] ^= std::byte(1 << bit % 8);
  }
}

TEST_P(Damage, EveryShorterLengthIsRefused) {
  for (size_t size = 0; size < file_.size(); ++size) {
    const FileBytes cut(file_.span().first(size));
    ASSERT_FALSE(read_graph(cut.span(), true).ok()) << size;
  }
}

TEST_P(Damage, EveryChangedWordIsRefused) {
  for (size_t offset = 0; offset + 4 <= file_.size(); offset += 4) {
    const uint32_t before = word(offset);
    for (uint32_t bits : kWords) {
      if (bits == before) continue;
      set_word(offset, bits);
      ASSERT_FALSE(read_graph(file_.span(), true).ok()) << "word at " << offset << " set to " << bits;
    }
    set_word(offset, before);
  }
}

// Whoever means harm computes checksums too.
TEST_P(Damage, ChangedHeaderWordsWithRightChecksumAreRefused) {
  for (size_t offset = 0; offset < container::kHeaderBytes; offset += 4) {
    for (uint32_t bits : kWords) {
      FileBytes damaged(file_.span());
      std::memcpy(damaged.span().data() + offset, &bits, 4);
      if (bits == word(offset) || offset == 56 || offset == 60) continue;  // the checksums themselves
      container::Header header = container::decode_header(damaged.span());
      header.header_crc32c = container::header_crc32c(header);
      container::encode_header(header, damaged.span());
      ASSERT_FALSE(read_graph(damaged.span(), true).ok()) << "word at " << offset << " set to " << bits;
    }
  }
}

// The header then tells of a file of that length, and nothing else can know better.
TEST_P(Damage, ShorterLengthsWithRightHeaderAreRefused) {
  for (size_t size = container::kHeaderBytes; size < file_.size(); ++size) {
    FileBytes cut(file_.span().first(size));
    container::Header header = container::decode_header(cut.span());
    header.file_bytes = size;
    header.graph_bytes = std::min<uint64_t>(header.graph_bytes, size - container::kHeaderBytes);
    header.segment_base = std::min<uint64_t>(base_, size);
    header.segment_bytes = size - header.segment_base;
    container::encode_header(header, cut.span());
    testing::repair_checksums(cut.span());
    ASSERT_FALSE(read_graph(cut.span(), true).ok()) << size;
  }
}

TEST_P(Damage, ChangedGraphWordsWithRightChecksumsAreRefusedOrHarmless) {
  int accepted = 0, refused = 0;
  for (size_t offset = container::kHeaderBytes; offset + 4 <= base_; offset += 4) {
    const uint32_t before = word(offset);
    for (uint32_t bits : kWords) {
      set_word(offset, bits);
      testing::repair_checksums(file_.span());
      ++(survives(file_) ? accepted : refused);
      if (HasFatalFailure()) return;
    }
    set_word(offset, before);
  }
  testing::repair_checksums(file_.span());
  EXPECT_TRUE(survives(file_)) << "the undamaged file";
  EXPECT_GT(refused, accepted) << "most words of a graph matter";
}

TEST_P(Damage, FlippedGraphBitsWithRightChecksumsAreRefusedOrHarmless) {
  int accepted = 0, refused = 0;
  for (size_t bit = container::kHeaderBytes * 8; bit < base_ * 8; ++bit) {
    file_[bit / 8] ^= std::byte(1 << bit % 8);
    testing::repair_checksums(file_.span());
    ++(survives(file_) ? accepted : refused);
    if (HasFatalFailure()) return;
    file_[bit / 8] ^= std::byte(1 << bit % 8);
  }
  EXPECT_GT(refused, accepted);
}

// Without checksums of the segments, a changed weight is either a number or refused.
TEST_P(Damage, ChangedWeightsWithoutChecksumsAreRefusedOrHarmless) {
  for (size_t offset = base_; offset + 4 <= file_.size(); offset += 4) {
    const uint32_t before = word(offset);
    for (uint32_t bits : kWords) {
      set_word(offset, bits);
      const auto graph = read_graph(file_.span(), false);
      if (graph.ok()) testing::touch(**graph);
      if (graph.ok()) check_indices(**graph);
    }
    set_word(offset, before);
  }
}

INSTANTIATE_TEST_SUITE_P(Model, Damage, ::testing::Values(&testing::tiny_sparse, &testing::tiny_patch),
                         [](const auto& info) { return info.index == 0 ? "Sparse" : "Patch"; });

}  // namespace
}  // namespace moefb::format
