#include "trainer/analysis/converted_model.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/convert.h"
#include "trainer/analysis/process_memory.h"
#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

/// Gone with its content when it goes out of scope.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "moefb.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error(name + ": cannot be made a folder: " + std::strerror(errno));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

// From a file, as a host application does it: a Model may use bytes in memory in place.
ConvertedModel load(const std::string& path, int max_batch) {
  LoadOptions options;
  options.max_batch = max_batch;
  const std::optional<int64_t> before = resident_bytes();
  Result<Model> model = Model::load(path.c_str(), options);
  char text[256];
  if (!model.ok())
    throw std::runtime_error("converted model: " + std::string(model.status().describe(text, sizeof(text))));
  const std::optional<int64_t> after = resident_bytes();
  if (!before || !after) return {std::move(*model), std::nullopt};
  return {std::move(*model), *after - *before};
}

ConvertedModel convert_and_load(const std::string& source, const TemporaryFolder& folder, int max_batch) {
  convert::Options options;
  options.source = source;
  options.output = folder / "converted.moefb";
  options.with_golden = false;  // the answers are compared before they are timed
  convert::convert(options);
  return load(options.output, max_batch);
}

}  // namespace

ConvertedModel convert_run(const RunFolder& folder, int max_batch) {
  const TemporaryFolder temporary;
  return convert_and_load(folder.path(), temporary, max_batch);
}

ConvertedModel convert_head(const ModelConfig& config, const torch::nn::Module& head, int max_batch) {
  const TemporaryFolder temporary;
  nlohmann::ordered_json json;
  write_model_config(config, json);
  json["kind"] = "cifar_head";
  json.erase("image");  // these two are the backbone's
  json.erase("width0");
  write_file_atomically(temporary / "config.json", json.dump(2));
  safetensors::write(temporary / "model.safetensors", state_dict(head));
  return convert_and_load(temporary.path(), temporary, max_batch);
}

}  // namespace moefb::trainer
