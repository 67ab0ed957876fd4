#include "trainer/analysis/watch.h"

#include <memory>

#include "trainer/train/progress.h"

namespace moefb::trainer {

Watch shown_watch(const std::string& label, const std::string& unit, const std::function<bool()>& stop) {
  return [label, unit, stop, progress = std::shared_ptr<StageProgress>()](int64_t done, int64_t total) mutable {
    if (!progress) progress = std::make_shared<StageProgress>(label, total, unit);
    if (done < total) {
      progress->step(done);
    } else {
      progress->finish(done);
    }
    return stop();
  };
}

}  // namespace moefb::trainer
