#include "trainer/train/checkpoint.h"

#include <ATen/CPUGeneratorImpl.h>

#include <filesystem>
#include <mutex>
#include <stdexcept>

#include "converter/safetensors.h"
#include "trainer/models/state_dict.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

const std::string kPending = ".pending";

at::Tensor generator_state() {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

void set_generator_state(const at::Tensor& state) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.set_state(state);
}

safetensors::File optimizer_file(const Optimizer& optimizer, const Position& position) {
  safetensors::File file;
  for (const auto& [name, tensor] : optimizer.state()) file.tensors[name] = from_torch(tensor);
  file.tensors["generator_state"] = from_torch(generator_state());
  file.tensors["position"] = safetensors::Tensor::from_i64(
      {6}, std::vector<int64_t>{position.epoch, position.batch, position.step, position.kept_epoch, position.correct,
                                position.pictures});
  file.tensors["sums"] =
      safetensors::Tensor::from_f64({2}, std::vector<double>{position.best_val_acc, position.loss_sum});
  file.tensors["routing_sums"] =
      safetensors::Tensor::from_f64({int64_t(position.routing_sums.size())}, position.routing_sums);
  file.metadata["step"] = std::to_string(position.step);
  return file;
}

const safetensors::Tensor& need(const safetensors::File& file, const std::string& name, const std::string& path) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) throw std::runtime_error(path + ": tensor " + name + " is missing");
  return found->second;
}

Position read_position(const safetensors::File& file, const std::string& path) {
  const std::vector<int64_t> counts = need(file, "position", path).to_i64();
  const at::Tensor sums = to_torch(need(file, "sums", path));
  if (counts.size() != 6 || sums.numel() != 2 || sums.scalar_type() != at::kDouble) {
    throw std::runtime_error(path + ": position and sums have another size than this program writes");
  }
  Position position;
  position.epoch = counts[0];
  position.batch = counts[1];
  position.step = counts[2];
  position.kept_epoch = counts[3];
  position.correct = counts[4];
  position.pictures = counts[5];
  position.best_val_acc = sums.const_data_ptr<double>()[0];
  position.loss_sum = sums.const_data_ptr<double>()[1];
  const at::Tensor routing = to_torch(need(file, "routing_sums", path)).to(at::kDouble);
  position.routing_sums.assign(routing.const_data_ptr<double>(), routing.const_data_ptr<double>() + routing.numel());
  return position;
}

std::map<std::string, at::Tensor> read_state(const safetensors::File& file) {
  std::map<std::string, at::Tensor> state;
  for (const auto& [name, tensor] : file.tensors) state[name] = to_torch(tensor);
  return state;
}

std::string step_of(const std::string& path) {
  const auto metadata = safetensors::read(path).metadata;
  const auto found = metadata.find("step");
  return found == metadata.end() ? "" : found->second;
}

// save_checkpoint() renames optimizer.safetensors first: if it is ahead, the weights that belong to it are pending.
void finish_renaming(const RunFolder& folder, const std::string& step) {
  const std::string pending = folder.last_weights() + kPending;
  if (step_of(folder.last_weights()) == step) return;
  if (!fs::exists(pending) || step_of(pending) != step) {
    throw std::runtime_error(folder.path() + ": last.safetensors and optimizer.safetensors are of different steps");
  }
  fs::rename(pending, folder.last_weights());
}

}  // namespace

void save_checkpoint(const RunFolder& folder, const torch::nn::Module& model, const Optimizer& optimizer,
                     const Position& position) {
  safetensors::File weights = state_dict(model);
  weights.metadata["step"] = std::to_string(position.step);
  const std::string pending = folder.last_weights() + kPending;
  safetensors::write(pending, weights);
  try {
    safetensors::write(folder.optimizer(), optimizer_file(optimizer, position));
  } catch (const std::runtime_error&) {
    std::error_code ignored;
    fs::remove(pending, ignored);  // the disk is full, say: the checkpoint before stays as it was
    throw;
  }
  fs::rename(pending, folder.last_weights());
}

bool has_checkpoint(const RunFolder& folder) {
  return fs::exists(folder.optimizer());
}

Position saved_position(const RunFolder& folder) {
  return read_position(safetensors::read(folder.optimizer()), folder.optimizer());
}

Position load_checkpoint(const RunFolder& folder, torch::nn::Module& model, Optimizer& optimizer) {
  const safetensors::File file = safetensors::read(folder.optimizer());
  const Position position = read_position(file, folder.optimizer());
  finish_renaming(folder, std::to_string(position.step));
  load_state_dict(model, safetensors::read(folder.last_weights()), folder.last_weights());
  optimizer.set_state(read_state(file));
  set_generator_state(to_torch(need(file, "generator_state", folder.optimizer())));
  return position;
}

}  // namespace moefb::trainer
