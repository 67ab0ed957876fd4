#include "trainer/data/loader.h"

#include <algorithm>
#include <chrono>

namespace moefb::trainer {

// One slot for each worker, one for the caller.
Loader::Loader(const Dataset& dataset, const PictureSet& set, const AugmentConfig& augment, uint64_t seed,
               int64_t epoch, std::vector<int64_t> order, int64_t batch_size, int workers, int64_t first_batch,
               Share share)
    : dataset_(dataset),
      set_(set),
      augment_(augment),
      seed_(seed),
      epoch_(epoch),
      order_(std::move(order)),
      batch_size_(batch_size),
      share_(share),
      slots_(size_t(workers) + 1),
      next_(first_batch),
      claimed_(first_batch),
      in_use_(first_batch - 1) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

int64_t Loader::batches() const {
  return (int64_t(order_.size()) + batch_size_ - 1) / batch_size_;
}

std::span<const int64_t> Loader::indices_of(int64_t batch) const {
  const auto first = size_t(batch * batch_size_);
  return std::span(order_).subspan(first, std::min(size_t(batch_size_), order_.size() - first));
}

std::span<const int64_t> Loader::own_part(std::span<const int64_t> batch) const {
  const auto n = int64_t(batch.size());
  const int64_t first = share_.begin(share_.index, n);
  return batch.subspan(size_t(first), size_t(share_.begin(share_.index + 1, n) - first));
}

void Loader::prepare(int64_t batch, Slot& slot) const {
  const std::span<const int64_t> indices = own_part(indices_of(batch));
  slot.error = nullptr;
  try {
    slot.planes.resize(indices.size() * set_.picture_bytes());
    make_batch(set_, indices, dataset_, augment_, seed_, epoch_, slot.planes);
  } catch (...) {
    slot.error = std::current_exception();
  }
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto slots = int64_t(slots_.size());
    changed_.wait(lock, [&] { return stopped_ || claimed_ == batches() || claimed_ < in_use_ + slots; });
    if (stopped_ || claimed_ == batches()) return;
    const int64_t batch = claimed_++;
    Slot& slot = slots_[size_t(batch % slots)];
    lock.unlock();
    prepare(batch, slot);
    lock.lock();
    slot.ready = batch;
    changed_.notify_all();
  }
}

Loader::Slot& Loader::wait_for(int64_t batch) {
  Slot& slot = slots_[size_t(batch % int64_t(slots_.size()))];
  if (workers_.empty()) {
    prepare(batch, slot);
    return slot;
  }
  std::unique_lock lock(mutex_);
  in_use_ = batch;
  changed_.notify_all();
  changed_.wait(lock, [&] { return slot.ready == batch; });
  return slot;
}

std::optional<Batch> Loader::next() {
  if (next_ >= batches()) return std::nullopt;
  const auto started = std::chrono::steady_clock::now();
  const int64_t batch = next_++;
  const Slot& slot = wait_for(batch);
  waited_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (slot.error) std::rethrow_exception(slot.error);
  const std::span<const int64_t> whole = indices_of(batch);
  return Batch{own_part(whole), slot.planes, whole};
}

}  // namespace moefb::trainer
