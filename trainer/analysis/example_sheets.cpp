#include "trainer/analysis/example_sheets.h"

#include <algorithm>
#include <filesystem>

#include "trainer/analysis/patch_places.h"
#include "trainer/analysis/routing_tables.h"
#include "trainer/data/png.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

constexpr int kColumns = 8;
constexpr int64_t kTiles = 40;
constexpr const char* kFolder = "examples";

std::string sheet_name(int64_t layer, int64_t expert) {
  const std::string where = layer < 0 ? "head" : "layer" + std::to_string(layer);
  return std::string(kFolder) + "/" + where + "-expert" + std::to_string(expert) + ".png";
}

/// Draws the tokens of one layer.
class TileMaker {
 public:
  TileMaker(const TrainedRun& run, const LayerChoices& layer, const std::vector<int64_t>& pictures)
      : run_(run), layer_(layer), pictures_(pictures) {
    const auto* patches = std::get_if<PatchNetConfig>(&run.config.model);
    if (!patches) return;
    for (const PatchPlaces& places : patch_places(*patches)) {
      if (places.layer == layer.layer) places_ = places;
    }
  }

  Tile draw(int64_t token) const {
    const PictureSet& set = run_.dataset.test;
    const int64_t index = pictures_[size_t(token / layer_.tokens_per_picture())];
    const Tile picture = {set.width, set.height, prepared_picture(run_.dataset, set, index)};
    if (!places_) return picture;
    const Region region = places_->region(token % layer_.tokens_per_picture(), set.width);
    return patch_tile(picture, region, places_->pixels);
  }

 private:
  const TrainedRun& run_;
  const LayerChoices& layer_;
  const std::vector<int64_t>& pictures_;
  std::optional<PatchPlaces> places_;  ///< none: the token is the picture
};

/// Nothing if no token chose the expert.
std::optional<DrawnSheet> draw_sheet(const TileMaker& maker, const LayerChoices& layer, int64_t expert) {
  std::vector<Tile> tiles;
  for (const int64_t token : surest_tokens(layer, expert, kTiles)) tiles.push_back(maker.draw(token));
  if (tiles.empty()) return std::nullopt;
  const ExampleSheet entry = {layer.layer, expert, sheet_name(layer.layer, expert), int64_t(tiles.size())};
  return DrawnSheet{entry, contact_sheet(tiles, kColumns)};
}

void remove_others(const fs::path& folder, const std::vector<DrawnSheet>& sheets) {
  for (const auto& entry : fs::directory_iterator(folder / kFolder)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.ends_with(".png") && name.find("-expert") != std::string::npos;
    const auto is_it = [&](const DrawnSheet& sheet) { return folder / sheet.entry.file == entry.path(); };
    if (ours && std::ranges::none_of(sheets, is_it)) fs::remove(entry.path());
  }
}

}  // namespace

std::optional<std::vector<DrawnSheet>> draw_example_sheets(const TrainedRun& run,
                                                           const std::vector<RoutedLayer>& layers,
                                                           const std::vector<int64_t>& pictures, const Watch& watch) {
  int64_t total = 0;
  for (const RoutedLayer& layer : layers) total += layer.choices.experts;
  std::vector<DrawnSheet> sheets;
  int64_t done = 0;
  for (const RoutedLayer& layer : layers) {
    const TileMaker maker(run, layer.choices, pictures);
    for (int64_t expert = 0; expert < layer.choices.experts; ++expert) {
      if (auto sheet = draw_sheet(maker, layer.choices, expert)) sheets.push_back(std::move(*sheet));
      if (watch && watch(++done, total)) return std::nullopt;
    }
  }
  return sheets;
}

void write_example_sheets(const std::vector<DrawnSheet>& sheets, const std::string& folder) {
  fs::create_directories(fs::path(folder) / kFolder);
  for (const auto& [entry, picture] : sheets) {
    write_png(folder + "/" + entry.file, picture.width, picture.height, picture.rgb);
  }
  remove_others(folder, sheets);
}

}  // namespace moefb::trainer
