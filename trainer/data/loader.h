// The batches of one pass over a picture set, prepared ahead by threads of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "trainer/data/augment.h"
#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Which part of every batch a process takes, where several train together: contiguous, in order, and as large as the
/// others' to within one picture; of a short batch it may be empty.
struct Share {
  int64_t index = 0;
  int64_t count = 1;

  /// Where part `part` of n pictures begins; its end is where the next one begins.
  int64_t begin(int64_t part, int64_t n) const { return part * n / count; }
};

/// All are valid until the loader's next batch.
struct Batch {
  std::span<const int64_t> indices;  ///< (n) of the pictures
  std::span<const float> planes;     ///< (n, 3, height, width) normalised
  std::span<const int64_t> whole;    ///< the indices of the whole batch, `indices` among them
};

class Loader {
 public:
  /// @param dataset, set   must outlive this
  /// @param order          picture indices in the order of the pass
  /// @param workers        threads, each a batch ahead of the others; 0: next() prepares its batch itself. What a
  ///                       picture becomes does not depend on it
  /// @param first_batch    where to begin
  /// @param share          what to prepare of each batch
  Loader(const Dataset& dataset, const PictureSet& set, const AugmentConfig& augment, uint64_t seed, int64_t epoch,
         std::vector<int64_t> order, int64_t batch_size, int workers, int64_t first_batch = 0, Share share = {});
  /// Stops the workers, in the middle of a pass too.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches() const;

  /// The next batch in order; nothing after the last one. Rethrows what preparing it threw.
  std::optional<Batch> next();

  /// Seconds that next() has taken so far: training did nothing else meanwhile.
  double waited_s() const { return waited_s_; }

 private:
  /// Batch number `batch` lies in slot `batch` modulo their count.
  struct Slot {
    int64_t ready = -1;  ///< which batch it holds
    std::vector<float> planes;
    std::exception_ptr error;
  };
  std::span<const int64_t> indices_of(int64_t batch) const;
  std::span<const int64_t> own_part(std::span<const int64_t> batch) const;
  void prepare(int64_t batch, Slot& slot) const;
  void work();
  Slot& wait_for(int64_t batch);

  const Dataset& dataset_;
  const PictureSet& set_;
  AugmentConfig augment_;
  uint64_t seed_;
  int64_t epoch_;
  std::vector<int64_t> order_;
  int64_t batch_size_;
  Share share_;
  std::vector<Slot> slots_;
  int64_t next_;  ///< what next() will return
  double waited_s_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t claimed_;       ///< first batch that no worker has taken, guarded by mutex_
  int64_t in_use_;        ///< the batch that the caller may be reading, guarded by mutex_
  bool stopped_ = false;  ///< guarded by mutex_
  std::vector<std::jthread> workers_;
};

}  // namespace moefb::trainer
