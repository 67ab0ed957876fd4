#include "trainer/report/page/page.h"

#include <algorithm>

#include "trainer/report/embedded_files.h"
#include "trainer/report/page/html.h"
#include "trainer/report/svg/svg.h"

namespace moefb::report {
namespace {

/// Escaped; what stands between two backquotes becomes code.
std::string with_code(const std::string& text) {
  std::string out;
  bool code = false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('`', begin), text.size());
    const std::string part = escape(text.substr(begin, end - begin));
    out += code ? element("code", "", part) : part;
    code = !code;
    begin = end + 1;
  }
  return out;
}

std::string swatch(const LegendEntry& entry) {
  const std::string begin = "<svg class=\"swatch\" viewBox=\"0 0 26 10\" aria-hidden=\"true\">";
  if (entry.mark == LegendEntry::Mark::kDot) {
    return begin + "<circle class=\"dot " + series_fill(entry.colour) + "\" cx=\"13\" cy=\"5\" r=\"4.5\"/></svg>";
  }
  static constexpr const char* kStrokes[] = {" bold", " thin", " dashed"};
  const std::string css =
      entry.mark == LegendEntry::Mark::kEven ? "even" : series_line(entry.colour) + kStrokes[size_t(entry.mark)];
  return begin + "<line class=\"" + css + "\" x1=\"1\" y1=\"5\" x2=\"25\" y2=\"5\"/></svg>";
}

std::string legend_html(const std::vector<LegendEntry>& legend) {
  if (legend.empty()) return "";
  std::string items;
  for (const LegendEntry& entry : legend) items += element("li", "", swatch(entry) + escape(entry.label));
  return element("ul", "legend", items);
}

std::string row_html(const Table& table, const Table::Row& row) {
  std::string cells;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    cells += element(i == 0 ? "th" : "td", table.columns[i].number ? "number" : "", escape(row.cells[i]));
  }
  return element("tr", row.published ? "published" : "", cells);
}

}  // namespace

Page::Page(std::string title, std::string data_folder)
    : title_(std::move(title)), data_folder_(std::move(data_folder)) {}

void Page::introduction(const std::string& text) {
  introduction_ += element("p", "introduction", with_code(text));
}

void Page::end_section() {
  if (in_section_) body_ += "</section>\n";
  in_section_ = false;
}

void Page::begin_section(const std::string& id, const std::string& title) {
  end_section();
  in_section_ = true;
  contents_ += "<li><a href=\"#" + id + "\">" + escape(title) + "</a></li>";
  body_ += "<section id=\"" + id + "\">" + element("h2", "", escape(title)) + "\n";
}

void Page::heading(const std::string& text) {
  body_ += element("h3", "", escape(text)) + "\n";
}

void Page::paragraph(const std::string& text) {
  body_ += element("p", "", with_code(text)) + "\n";
}

void Page::missing(const std::string& text) {
  body_ += element("p", "missing", with_code(text)) + "\n";
}

std::string Page::add_data(const std::string& id, const Csv& csv) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(data_.begin(), data_.end(), [&](const DataFile& file) { return file.name == name; });
  };
  std::string name = id + ".csv";
  for (int i = 2; taken(name); ++i) name = id + "-" + std::to_string(i) + ".csv";
  data_.push_back({name, csv.text()});
  return "<a class=\"data\" href=\"" + escape(data_folder_ + "/" + name) + "\">data: " + escape(name) + "</a>";
}

void Page::table(const Table& table) {
  const std::string caption = element("figcaption", "", element("h4", "", with_code(table.caption)));
  body_ += "<figure class=\"table\">" + caption + table_html(table) + "</figure>\n";
}

void Page::folded_table(const Table& table) {
  const std::string content = element("summary", "", with_code(table.caption)) + table_html(table);
  body_ += element("details", "", content) + "\n";
}

std::string Page::table_html(const Table& table) {
  std::string head, rows;
  for (const Table::Column& column : table.columns) {
    head += element("th", column.number ? "number" : "", escape(column.head));
  }
  for (const Table::Row& row : table.rows) rows += row_html(table, row);
  const std::string content = element("thead", "", element("tr", "", head)) + element("tbody", "", rows);
  return element("div", "scroll", element("table", "", content)) + add_data(table.id, table.data);
}

std::string Page::figure_html(const Figure& figure) {
  const std::string note = figure.note.empty() ? "" : element("p", "", with_code(figure.note));
  const std::string caption = element("figcaption", "", element("h4", "", escape(figure.title)) + note);
  return "<figure>" + caption + legend_html(figure.legend) + figure.svg + add_data(figure.id, figure.data) +
         "</figure>\n";
}

void Page::figures(const std::vector<Figure>& figures) {
  if (figures.empty()) return;
  body_ += "<div class=\"figures\">\n";
  for (const Figure& figure : figures) body_ += figure_html(figure);
  body_ += "</div>\n";
}

void Page::pictures(const std::vector<std::string>& sources, const std::vector<std::string>& captions) {
  body_ += "<div class=\"pictures\">\n";
  for (size_t i = 0; i < sources.size(); ++i) {
    const std::string caption = escape(captions[i]);
    body_ += "<figure><img alt=\"" + caption + "\" src=\"" + sources[i] + "\"/>" + element("figcaption", "", caption) +
             "</figure>\n";
  }
  body_ += "</div>\n";
}

std::string Page::html() const {
  const std::string head =
      "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n" +
      element("title", "", escape(title_)) + "\n" + element("style", "", kStyleSheet) + "\n";
  const std::string nav = element("nav", "", element("ol", "", contents_));
  const std::string header = element("header", "", element("h1", "", escape(title_)) + introduction_ + nav);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n" + element("head", "", "\n" + head) + "\n<body>\n" + header + "\n" +
         element("main", "", "\n" + body_ + (in_section_ ? "</section>\n" : "")) + "\n</body>\n</html>\n";
}

}  // namespace moefb::report
