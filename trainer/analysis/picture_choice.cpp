#include "trainer/analysis/picture_choice.h"

#include <algorithm>

#include "trainer/data/augment.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

std::vector<int64_t> draw_pictures(int64_t available, int64_t wanted, uint64_t seed) {
  std::vector<int64_t> pictures = permutation(available, Random(seed, Stream::kAnalysisPicture, 0));
  pictures.resize(size_t(std::min(wanted, available)));
  return pictures;
}

}  // namespace moefb::trainer
