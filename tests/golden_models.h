// Golden fixtures as loaded models.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "converter/convert.h"
#include "golden_fixtures.h"
#include "moefb/model.h"

namespace moefb::golden {

/// A converted fixture in the temporary folder, removed at the end.
class Converted {
 public:
  explicit Converted(const Fixture& fixture)
      : path_(std::filesystem::temp_directory_path() /
              ("moefb-" + std::to_string(getpid()) + "-" + fixture.name + ".moefb")) {
    convert::Options options;
    options.source = fixture.state_dict();
    options.config = fixture.folder + "/config.json";
    options.output = path_.string();
    convert::convert(options);
  }
  Converted(const Converted&) = delete;
  Converted& operator=(const Converted&) = delete;
  ~Converted() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline Model load(const std::string& path, Kernels kernels, int max_batch) {
  LoadOptions options;
  options.kernels = kernels;
  options.max_batch = max_batch;
  auto model = Model::load(path.c_str(), options);
  if (!model.ok()) {
    char text[200];
    throw std::runtime_error(path + ": " + model.status().describe(text, sizeof text));
  }
  return *model;
}

}  // namespace moefb::golden
