// Damaged models whose checksums were made right again, as a host would use them: what still loads is looked at and
// run. Any answer will do; none may take down the host, nor its time or memory.
#include <gtest/gtest.h>

#include <cstring>

#include "moefb/executor.h"
#include "moefb/model.h"
#include "runtime/format/run_model.h"
#include "runtime/format/tiny_model.h"

namespace moefb::format {
namespace {

using testing::FileBytes;

constexpr uint32_t kWords[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};

class DamageRun : public ::testing::TestWithParam<testing::TinyModel (*)()> {
 protected:
  struct Counts {
    int refused = 0;
    int loaded = 0;
    int ran = 0;
  };

  /// Loads the file as it is now, and uses it.
  void use(bool verify_checksums = true) {
    LoadOptions options;
    options.kernels = kernels_;
    options.max_batch = 2;
    options.verify_checksums = verify_checksums;
    const auto model = Model::load(file_.span(), options);
    ++(model.ok() ? counts_.loaded : counts_.refused);
    if (!model.ok()) return;
    testing::look_at(*model);
    counts_.ran += testing::run_if_small(*model);
  }

  /// Uses the file with each word of bytes [begin, end) replaced by each of kWords in turn.
  template <typename Repair>
  void sweep_words(size_t begin, size_t end, bool verify_checksums, Repair repair) {
    for (size_t offset = begin; offset + 4 <= end; offset += 4) {
      uint32_t before;
      std::memcpy(&before, &file_[offset], 4);
      for (uint32_t bits : kWords) {
        if (bits == before) continue;
        std::memcpy(&file_[offset], &bits, 4);
        repair();
        use(verify_checksums);
      }
      std::memcpy(&file_[offset], &before, 4);
    }
    repair();
  }

  Kernels kernels_ = Kernels::kReference;
  FileBytes file_ = testing::finish(GetParam()());
  const container::Header header_ = container::decode_header(file_.span());
  const size_t graph_end_ = container::kHeaderBytes + header_.graph_bytes;
  Counts counts_;
};

TEST_P(DamageRun, UndamagedFileRuns) {
  use();
  EXPECT_EQ(counts_.ran, 1);
}

TEST_P(DamageRun, ChangedGraphWordsAreRefusedOrRun) {
  sweep_words(container::kHeaderBytes, graph_end_, true, [this] { testing::repair_checksums(file_.span()); });
  EXPECT_GT(counts_.refused, counts_.loaded);
  EXPECT_GT(counts_.ran, 100);
}

// oneDNN where it is built in: it, too, must never see what it cannot bear.
TEST_P(DamageRun, ChangedGraphWordsAreRefusedOrRunByTheFastestKernels) {
  kernels_ = Kernels::kAuto;
  sweep_words(container::kHeaderBytes, graph_end_, true, [this] { testing::repair_checksums(file_.span()); });
  EXPECT_GT(counts_.ran, 100);
}

TEST_P(DamageRun, FlippedGraphBitsAreRefusedOrRun) {
  for (size_t bit = container::kHeaderBytes * 8; bit < graph_end_ * 8; ++bit) {
    file_[bit / 8] ^= std::byte(1 << bit % 8);
    testing::repair_checksums(file_.span());
    use();
    file_[bit / 8] ^= std::byte(1 << bit % 8);
  }
  EXPECT_GT(counts_.refused, counts_.loaded);
  EXPECT_GT(counts_.ran, 100);
}

// Segments: without their checksums, which says the same as with right ones.
TEST_P(DamageRun, ChangedWeightsAndVectorsAreRefusedOrRun) {
  sweep_words(header_.segment_base, file_.size(), false, [] {});
  EXPECT_GT(counts_.refused, 100) << "not a number, or padding";
  EXPECT_GT(counts_.ran, 100);
}

/// A map of 2^31 tokens of one number, each for all of 65,536 experts, which add it to itself: a few hundred kilobytes.
testing::TinyModel boundless() {
  constexpr uint32_t kExperts = 65536;
  testing::ModelBuilder builder("patch_net", "", fb::InputKind::map);
  builder.model().meta->class_names.clear();
  const std::vector<uint64_t> map = {1, 1 << 15, 1 << 16}, token = {1, 1, 1};
  const uint32_t input = builder.value(map), merged = builder.value(map), pooled = builder.value({1});
  builder.model().input = input;
  builder.model().output = pooled;
  fb::MoET& moe = builder.moe(input, merged, kExperts);
  moe.residual = true;
  moe.router->kind = fb::RouterKind::top_k;
  moe.router->top_k = kExperts;
  moe.router->weight = builder.tensor("gate", {kExperts, 1});
  testing::body_value(*moe.bank, token);
  testing::body_value(*moe.bank, token);
  testing::body_node(*moe.bank, fb::Op::add, {0, 0}, 1);
  builder.node(fb::Op::global_average_pool, {merged}, pooled);
  testing::TinyModel tiny = builder.take();
  tiny.model.segments.pop_back();  // no golden vectors
  tiny.segments.pop_back();
  return tiny;
}

// 2^31 tokens, 2^16 images, 2^16 experts: the number of routes leaves the range of 64 bits.
TEST(HostileSizes, ModelWhoseRoutesCannotBeCountedLoadsButIsNotRun) {
  const FileBytes file = testing::finish(boundless());
  LoadOptions options;
  options.kernels = Kernels::kReference;
  options.max_batch = 65536;
  const auto model = Model::load(file.span(), options);
  ASSERT_TRUE(model.ok()) << model.status().text();
  for (Dispatch dispatch : {Dispatch::kGrouped, Dispatch::kNaive, Dispatch::kAll}) {
    ExecutorOptions how;
    how.dispatch = dispatch;
    const Status status = Executor::create(*model, how).status();
    EXPECT_EQ(status.code(), Code::kUnsupported);
    EXPECT_STREQ(status.text(), "too many tokens in a batch: lower max_batch");
  }
}

INSTANTIATE_TEST_SUITE_P(Model, DamageRun, ::testing::Values(&testing::tiny_sparse, &testing::tiny_patch),
                         [](const auto& info) { return info.index == 0 ? "Sparse" : "Patch"; });

}  // namespace
}  // namespace moefb::format
