#include "golden_fixtures.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace moefb::golden {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> fixture_folders() {
  if (const char* given = std::getenv("MOEFB_GOLDEN")) return {given};
  return {fs::path(MOEFB_TEST_DATA) / "golden", fs::path(MOEFB_SOURCE_DIR) / ".." / "shared" / "golden"};
}

void add_folder(const fs::path& folder, std::map<std::string, Fixture>& found) {
  if (!fs::is_directory(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::ifstream config(entry.path() / "config.json");
    if (!config) continue;
    Fixture fixture{entry.path().filename().string(), entry.path().string(), nlohmann::json::parse(config)};
    found.emplace(fixture.name, std::move(fixture));
  }
}

}  // namespace

bool Fixture::has_state_dict() const {
  return fs::exists(state_dict());
}

std::vector<Fixture> all_fixtures() {
  std::map<std::string, Fixture> found;
  for (const fs::path& folder : fixture_folders()) add_folder(folder, found);
  std::vector<Fixture> fixtures;
  for (auto& [name, fixture] : found) fixtures.push_back(std::move(fixture));
  return fixtures;
}

std::string test_name(const Fixture& fixture) {
  std::string name = fixture.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace moefb::golden
