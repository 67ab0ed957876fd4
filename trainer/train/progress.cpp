#include "trainer/train/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "trainer/train/counted.h"

namespace moefb::trainer {
namespace {

constexpr int kBarWidth = 24;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr double kWaitWorthSaying = 0.005;  ///< share of an epoch
constexpr auto kLoadingLine = std::chrono::seconds(10);
constexpr auto kStageLine = std::chrono::seconds(10);
constexpr const char* kEraseLine = "\r\033[K";

std::string bar_of(int64_t done, int64_t all) {
  std::string bar(size_t(kBarWidth * done / std::max<int64_t>(1, all)), '#');
  bar.resize(kBarWidth, '.');
  return bar;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Progress::Progress(int64_t epochs, int64_t batches, bool speaks)
    : speaks_(speaks), terminal_(speaks && isatty(STDOUT_FILENO) == 1), epochs_(epochs), batches_(batches) {}

void Progress::start_epoch(int64_t epoch) {
  epoch_ = epoch;
  pictures_ = 0;
  started_ = Clock::now();
}

double Progress::share_of_epoch(double seconds) const {
  return seconds / std::max(1e-9, std::chrono::duration<double>(Clock::now() - started_).count());
}

double Progress::images_per_s() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  return seconds > 0 ? double(pictures_) / seconds : 0;
}

void Progress::batch(int64_t done, int64_t pictures, double mean_loss, double accuracy) {
  pictures_ += pictures;
  if (!terminal_ || Clock::now() - drawn_ < kRedraw) return;
  drawn_ = Clock::now();
  std::printf("%sepoch %3ld/%ld [%s] %ld/%ld  loss %.4f  acc %.2f %%  %.0f images/s", kEraseLine, long(epoch_),
              long(epochs_), bar_of(done, batches_).c_str(), long(done), long(batches_), mean_loss, 100 * accuracy,
              images_per_s());
  std::fflush(stdout);
}

void Progress::epoch_done(const EpochRecord& record, bool is_best) {
  char waiting[48] = "";
  if (record.data_wait >= kWaitWorthSaying) {
    std::snprintf(waiting, sizeof(waiting), "  %.0f %% waiting for pictures", 100 * record.data_wait);
  }
  char line[256];
  std::snprintf(line, sizeof(line),
                "epoch %3ld/%ld  loss %.4f  acc %.2f %%  val loss %.4f  val acc %.2f %%  lr %.4f  %.0f images/s%s%s",
                long(record.epoch), long(epochs_), record.train_loss, 100 * record.train_acc, record.val_loss,
                100 * record.val_acc, record.learning_rate, record.images_per_s, waiting, is_best ? "  best" : "");
  say(line);
}

void Progress::say(const std::string& line) {
  if (!speaks_) return;
  std::printf("%s%s\n", terminal_ ? kEraseLine : "", line.c_str());
  std::fflush(stdout);
}

StageProgress::StageProgress(std::string label, int64_t steps, std::string unit)
    : terminal_(isatty(STDOUT_FILENO) == 1),
      label_(std::move(label)),
      steps_(steps),
      unit_(std::move(unit)),
      started_(Clock::now()),
      said_(started_) {}

void StageProgress::step(int64_t done) {
  if (Clock::now() - said_ < (terminal_ ? Clock::duration(kRedraw) : Clock::duration(kStageLine))) return;
  said_ = Clock::now();
  if (terminal_) {
    std::printf("%s%s [%s] %ld/%ld  %.0f s", kEraseLine, label_.c_str(), bar_of(done, steps_).c_str(), long(done),
                long(steps_), seconds_since(started_));
  } else {
    std::printf("%s: %ld of %ld\n", label_.c_str(), long(done), long(steps_));
  }
  std::fflush(stdout);
}

void StageProgress::finish(int64_t done) {
  std::printf("%s%s: %s in %.1f s\n", terminal_ ? kEraseLine : "", label_.c_str(), counted(done, unit_).c_str(),
              seconds_since(started_));
  std::fflush(stdout);
}

LoadProgress loading_progress() {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const auto started = std::chrono::steady_clock::now();
  return [terminal, drawn = started](int64_t done, int64_t total) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (terminal && done == total) {
      std::printf("%s", kEraseLine);
    } else if (now - drawn >= (terminal ? kRedraw : kLoadingLine)) {
      drawn = now;
      std::printf("%sreading pictures: %ld of %ld%s", terminal ? kEraseLine : "", long(done), long(total),
                  terminal ? "\r" : "\n");  // whatever is said next begins at the left
    }
    std::fflush(stdout);
  };
}

}  // namespace moefb::trainer
