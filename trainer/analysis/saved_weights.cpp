#include "trainer/analysis/saved_weights.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "trainer/train/checkpoint.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "weights-epoch-";
constexpr std::string_view kSuffix = ".safetensors";

std::optional<int64_t> epoch_in(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size()) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  int64_t epoch = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  if (error != std::errc() || end != digits.data() + digits.size() || epoch < 1) return std::nullopt;
  return epoch;
}

std::string name_of(const std::string& path) {
  return fs::path(path).filename().string();
}

/// Where training stands; an imported run never had any.
Position position_of(const RunFolder& folder) {
  return has_checkpoint(folder) ? saved_position(folder) : Position();
}

std::vector<SavedWeights> numbered(const RunFolder& folder) {
  std::vector<SavedWeights> found;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (const auto epoch = epoch_in(name)) found.push_back({*epoch, name});
  }
  return found;
}

}  // namespace

SavedWeights kept_weights(const RunFolder& folder) {
  return {position_of(folder).kept_epoch, name_of(folder.kept_weights())};
}

std::vector<SavedWeights> saved_weights(const RunFolder& folder) {
  std::vector<SavedWeights> found = numbered(folder);
  const Position position = position_of(folder);
  if (fs::exists(folder.last_weights())) {
    found.push_back({position.epoch + (position.batch > 0 ? 1 : 0), name_of(folder.last_weights())});
  }
  found.push_back(kept_weights(folder));
  std::ranges::stable_sort(found, {}, &SavedWeights::epoch);
  const auto same_epoch = [](const SavedWeights& a, const SavedWeights& b) { return a.epoch == b.epoch; };
  found.erase(std::unique(found.begin(), found.end(), same_epoch), found.end());
  return found;
}

}  // namespace moefb::trainer
