#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/safetensors.h"
#include "fuzz/targets.h"
#include "runtime/format/tiny_model.h"

namespace moefb::fuzz {
namespace {

namespace fs = std::filesystem;
using testing::TinyModel;

constexpr uintmax_t kMaxSeedBytes = 8192;

Seed model_seed(const std::string& name, TinyModel tiny) {
  const testing::FileBytes file = testing::finish(std::move(tiny));
  return {name, {file.span().begin(), file.span().end()}};
}

/// The sparse model with every expert on every picture.
TinyModel soft() {
  TinyModel tiny = testing::tiny_sparse();
  fb::RouterT& router = *tiny.moe(4).router;
  router.kind = fb::RouterKind::soft;
  router.top_k = 3;
  router.score_norm.reset();
  tiny.golden().routes.reset();
  return tiny;
}

/// One expert a picture, by rules that are not the published ones.
TinyModel hard() {
  TinyModel tiny = testing::tiny_sparse();
  fb::RouterT& router = *tiny.moe(4).router;
  router.top_k = 1;
  router.combine = fb::CombineRule::gate;
  router.mask_rule = fb::MaskRule::index;
  tiny.golden().routes->shape = {2};
  return tiny;
}

TinyModel patches_of_any_number() {
  TinyModel tiny = testing::tiny_patch();
  tiny.moe(0).router->capacity_group = fb::CapacityGroup::none;
  tiny.moe(0).gamma = -1;
  tiny.tensor(0).name = "unused";
  return tiny;
}

std::vector<Seed> models() {
  return {model_seed("sparse", testing::tiny_sparse()), model_seed("soft", soft()), model_seed("hard", hard()),
          model_seed("patch", testing::tiny_patch()), model_seed("patch_any", patches_of_any_number())};
}

/// Files of tests/data/`folder`, also in its subfolders, that `wanted` takes; none above kMaxSeedBytes.
template <typename Wanted>
std::vector<Seed> files_of(const std::string& folder, Wanted wanted) {
  std::vector<Seed> seeds;
  const fs::path root = fs::path(MOEFB_TEST_DATA) / folder;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.file_size() > kMaxSeedBytes || !wanted(entry.path())) continue;
    std::string name = fs::relative(entry.path(), root).string();
    std::replace(name.begin(), name.end(), '/', '_');
    seeds.push_back({name, read_file(entry.path().string())});
  }
  if (seeds.empty()) throw std::runtime_error(root.string() + ": holds no seed");
  return seeds;
}

/// The pictures built to be large would take a fuzzer's whole time.
std::vector<Seed> pictures() {
  return files_of("images", [](const fs::path& path) {
    const std::string name = path.filename().string();
    return path.extension() != ".py" && name != "bomb.png" && !name.starts_with("large_");
  });
}

std::vector<Seed> named_files(const std::string& name) {
  return files_of("golden", [&](const fs::path& path) { return path.filename() == name; });
}

Seed safetensors_seed(const std::string& name, const std::string& header, size_t data_bytes) {
  Seed seed{name, std::vector<std::byte>(8)};
  seed.bytes[0] = std::byte(header.size());
  for (char c : header) seed.bytes.push_back(std::byte(c));
  for (size_t i = 0; i < data_bytes; ++i) seed.bytes.push_back(std::byte(i));
  return seed;
}

/// Every dtype once: a header of under 256 bytes, then the data.
std::vector<Seed> tensors() {
  std::vector<Seed> seeds = named_files("io.safetensors");
  seeds.push_back(safetensors_seed("empty", "{}", 0));
  seeds.push_back(safetensors_seed("metadata", R"({"__metadata__":{"seed":"7","\u00e9":"\""}})", 0));
  for (const char* dtype : {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"}) {
    const std::string name = dtype;
    const size_t bytes = name.ends_with("64") ? 8 : name.ends_with("32") ? 4 : name.ends_with("16") ? 2 : 1;
    seeds.push_back(safetensors_seed(name,
                                     R"({"a":{"dtype":")" + name + R"(","shape":[2,1],"data_offsets":[0,)" +
                                         std::to_string(2 * bytes) +
                                         R"(]},"none":{"dtype":"U8","shape":[0],"data_offsets":[)" +
                                         std::to_string(2 * bytes) + "," + std::to_string(2 * bytes) + "]}}",
                                     2 * bytes));
  }
  return seeds;
}

}  // namespace

std::vector<Seed> seeds_for(const std::string& target) {
  if (target == "reader" || target == "run") return models();
  if (target == "picture") return pictures();
  if (target == "safetensors") return tensors();
  if (target == "config") return named_files("config.json");
  throw std::runtime_error("no fuzz target is called " + target);
}

}  // namespace moefb::fuzz
