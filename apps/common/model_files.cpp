#include "apps/common/model_files.h"

#include <utility>

#include "apps/common/names.h"
#include "apps/common/program.h"
#include "apps/common/text.h"

namespace moefb::apps {

Model load_model(const std::string& path, const LoadOptions& options) {
  Result<Model> model = Model::load(path.c_str(), options);
  check(model.status(), path);
  return *model;
}

Executor make_executor(const Model& model, const ExecutorOptions& options, const std::string& path) {
  Result<Executor> executor = Executor::create(model, options);
  check(executor.status(), path);
  return std::move(*executor);
}

std::string takes(const Model& model) {
  return std::string(name_of(model.input_kind())) + ' ' + shape_text(model.input_shape());
}

}  // namespace moefb::apps
