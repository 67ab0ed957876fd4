#include "trainer/models/head.h"

#include "trainer/models/dense_head.h"
#include "trainer/models/soft_head.h"
#include "trainer/models/sparse_head.h"

namespace moefb::trainer {

std::shared_ptr<Head> make_head(const ModelConfig& config, const Group& group) {
  switch (config.head) {
    case HeadKind::kDense:
      return std::make_shared<DenseHead>(config, group);
    case HeadKind::kSoft:
      return std::make_shared<SoftHead>(config, group);
    case HeadKind::kSparse:
      return std::make_shared<SparseHead>(config, group);
  }
  return nullptr;
}

}  // namespace moefb::trainer
