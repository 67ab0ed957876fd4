#include "trainer/data/dataset.h"

#include <stdexcept>

#include "trainer/data/cifar10.h"
#include "trainer/data/folder.h"
#include "trainer/data/shapes.h"
#include "trainer/data/tiny_imagenet.h"

namespace moefb::trainer {
namespace {

void require_size(const char* key, int64_t size) {
  if (size < 0) throw std::runtime_error(std::string("data: expected ") + key + " >= 0, found " + std::to_string(size));
}

}  // namespace

Dataset load_dataset(const DataConfig& config, const LoadProgress& progress) {
  require_size("train_size", config.train_size);
  require_size("val_size", config.val_size);
  require_size("test_size", config.test_size);
  if (config.name == "shapes") return load_shapes(config);
  if (config.name == "cifar10") return load_cifar10(config);
  if (config.name == "folder") return load_folder(config, progress);
  if (config.name == "tiny-imagenet") return load_tiny_imagenet(config);
  throw std::runtime_error("data: expected name \"shapes\", \"cifar10\", \"folder\" or \"tiny-imagenet\", found \"" +
                           config.name + "\"");
}

}  // namespace moefb::trainer
