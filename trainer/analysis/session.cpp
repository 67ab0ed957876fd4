#include "trainer/analysis/session.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "trainer/models/state_dict.h"
#include "trainer/train/progress.h"

namespace moefb::trainer {
namespace {

constexpr const char* kFingerprint = "fingerprint";

safetensors::File read_matching(const std::string& path, const std::string& fingerprint) {
  if (std::filesystem::exists(path)) {
    safetensors::File file = safetensors::read(path);
    const auto found = file.metadata.find(kFingerprint);
    if (found != file.metadata.end() && found->second == fingerprint) return file;
  }
  safetensors::File file;
  file.metadata[kFingerprint] = fingerprint;
  return file;
}

}  // namespace

Session::Session(std::string path, std::string fingerprint, std::function<bool()> stop)
    : path_(std::move(path)), stop_(std::move(stop)), file_(read_matching(path_, fingerprint)) {}

void Session::load(const std::string& name, Resumable& task) const {
  const std::string prefix = name + "/";
  Resumable::State state;
  for (auto item = file_.tensors.lower_bound(prefix); item != file_.tensors.end(); ++item) {
    if (!item->first.starts_with(prefix)) break;
    state[item->first.substr(prefix.size())] = to_torch(item->second);
  }
  if (!state.empty()) task.set_state(state);
}

void Session::save(const std::string& name, const Resumable& task) {
  const std::string prefix = name + "/";
  std::erase_if(file_.tensors, [&](const auto& item) { return item.first.starts_with(prefix); });
  for (const auto& [key, tensor] : task.state()) file_.tensors[prefix + key] = from_torch(tensor.to(at::kCPU));
  safetensors::write(path_, file_);
}

void Session::run(const std::string& name, const std::string& label, Resumable& task) {
  load(name, task);
  if (task.done()) return;
  StageProgress progress(label, task.steps());
  try {
    while (!task.done()) {
      if (stop_()) throw Stopped();
      task.step();
      progress.step(task.steps_done());
    }
  } catch (const Stopped&) {
    save(name, task);
    throw;
  }
  progress.finish(task.steps_done());
  save(name, task);
}

void Session::finish() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace moefb::trainer
