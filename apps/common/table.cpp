#include "apps/common/table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "apps/common/text.h"

namespace moefb::apps {

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() <= alignment_.size());
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths() const {
  std::vector<size_t> widths(alignment_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns(row[c]));
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<size_t> width = widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line(size_t(indent_), ' ');
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(width[c] - columns(row[c]), ' ');
      line += (c == 0 ? "" : "  ") + (alignment_[c] == 'r' ? blanks + row[c] : row[c] + blanks);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace moefb::apps
