#include "trainer/report/svg/heat_map.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/svg/svg.h"

namespace moefb::report {
namespace {

constexpr double kTop = 40;         // two lines above the cells: the columns' name, their labels
constexpr double kCellHeight = 24;  // of a label of one line
constexpr double kLine = 14;
constexpr double kWidestCell = 56;
constexpr double kLongestLabel = 130;
constexpr double kRoomForNumber = 26;
constexpr double kDark = 0.6;  // from this share of the full colour on, light text reads better
constexpr double kHalfCapital = 4.3;

double shade(double value, double full) {
  return full > 0 && std::isfinite(value) ? std::clamp(value / full, 0.0, 1.0) : 0;
}

/// In cells and tips: 100 times a share without its sign, or three digits.
std::string cell_text(double value, bool as_percent) {
  return as_percent ? fixed(100 * value, 0) : significant(value, 2);
}

struct Grid {
  double left, cell, cell_height, height;
};

size_t most_lines(const std::vector<std::string>& labels) {
  size_t most = 1;
  for (const std::string& label : labels) most = std::max(most, wrapped(label, kLongestLabel, kLongestLabel).size());
  return most;
}

Grid grid_of(const HeatMap& map) {
  double left = text_width(map.row_name) + 8;
  for (const std::string& label : map.rows) left = std::max(left, std::min(text_width(label), kLongestLabel) + 8);
  const double columns = double(std::max<size_t>(1, map.values.columns));
  const double cell_height = kCellHeight + kLine * double(most_lines(map.rows) - 1);
  return {left, std::min(kWidestCell, (kChartWidth - left - 2) / columns), cell_height,
          kTop + cell_height * double(map.values.rows) + 4};
}

void draw_cell(const HeatMap& map, const Grid& grid, size_t row, size_t column, Svg& svg) {
  const double value = map.values.at(row, column);
  const double x = grid.left + grid.cell * double(column), y = kTop + grid.cell_height * double(row);
  const double part = shade(value, map.full);
  const std::string shown = map.as_percent ? percent(value) : significant(value, 3);
  svg.rect({x + 0.5, y + 0.5}, grid.cell - 1, grid.cell_height - 1, "cell", part,
           map.rows[row] + ", " + map.column_name + " " + map.columns[column] + ": " + shown);
  if (!map.numbers || grid.cell < kRoomForNumber || !std::isfinite(value)) return;
  svg.text({x + grid.cell / 2, y + grid.cell_height / 2 + kHalfCapital}, cell_text(value, map.as_percent),
           part >= kDark ? "cell-dark" : "cell-light", Anchor::kMiddle);
}

void draw_labels(const HeatMap& map, const Grid& grid, Svg& svg) {
  svg.text({grid.left, 13}, map.column_name, "name");
  svg.text({grid.left - 8, 33}, map.row_name, "name", Anchor::kEnd);
  for (size_t column = 0; column < map.columns.size(); ++column) {
    svg.text({grid.left + grid.cell * (double(column) + 0.5), 33}, fitted(map.columns[column], grid.cell), "soft",
             Anchor::kMiddle, map.columns[column]);
  }
  for (size_t row = 0; row < map.rows.size(); ++row) {
    const std::vector<std::string> lines = wrapped(map.rows[row], kLongestLabel, kLongestLabel);
    const double middle = kTop + grid.cell_height * (double(row) + 0.5) + kHalfCapital;
    for (size_t i = 0; i < lines.size(); ++i) {
      const double y = middle + kLine * (double(i) - double(lines.size() - 1) / 2);
      svg.text({grid.left - 8, y}, lines[i], "ink", Anchor::kEnd, map.rows[row]);
    }
  }
}

// ---- tiles ----

constexpr double kTileGap = 14;
constexpr double kTileTitle = 20;
constexpr double kWidestTile = 150;

size_t tiles_a_row(size_t count) {
  if (count <= 4) return std::max<size_t>(3, count);  // one or two tiles would be huge
  return 4;
}

void draw_tile(const Matrix& tile, const std::string& name, Point corner, double side, double full, Svg& svg) {
  const double cell = side / double(std::max(tile.rows, tile.columns));
  svg.text({corner.x, corner.y + 13}, fitted(name, side), "ink", Anchor::kStart, name);
  for (size_t row = 0; row < tile.rows; ++row) {
    for (size_t column = 0; column < tile.columns; ++column) {
      const double value = tile.at(row, column);
      svg.rect({corner.x + cell * double(column), corner.y + kTileTitle + cell * double(row)}, cell - 0.6, cell - 0.6,
               "cell", shade(value, full),
               "row " + std::to_string(row) + ", column " + std::to_string(column) + ": " + percent(value));
    }
  }
  svg.rect({corner.x, corner.y + kTileTitle}, cell * double(tile.columns), cell * double(tile.rows), "outline");
}

}  // namespace

std::string draw(const HeatMap& map) {
  const Grid grid = grid_of(map);
  Svg svg(kChartWidth, grid.height, map.title);
  draw_labels(map, grid, svg);
  for (size_t row = 0; row < map.values.rows; ++row) {
    for (size_t column = 0; column < map.values.columns; ++column) draw_cell(map, grid, row, column, svg);
  }
  return svg.str();
}

std::string draw(const TileMaps& maps) {
  const size_t across = tiles_a_row(maps.tiles.size());
  const size_t rows = (maps.tiles.size() + across - 1) / across;
  const double side = std::min(kWidestTile, (kChartWidth - kTileGap * double(across - 1)) / double(across));
  const double pitch = kTileTitle + side + kTileGap;
  Svg svg(kChartWidth, std::max(1.0, double(rows) * pitch - kTileGap), maps.title);
  for (size_t i = 0; i < maps.tiles.size(); ++i) {
    const Point corner{double(i % across) * (side + kTileGap), double(i / across) * pitch};
    draw_tile(maps.tiles[i], maps.names[i], corner, side, maps.full, svg);
  }
  return svg.str();
}

std::vector<std::string> numbered(size_t count) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < count; ++i) labels.push_back(std::to_string(i));
  return labels;
}

}  // namespace moefb::report
