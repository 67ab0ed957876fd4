// The page as it is put together: sections with text, tables and figures, and the data of every figure as CSV.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/page/csv.h"

namespace moefb::report {

struct LegendEntry {
  enum class Mark : uint8_t { kLine, kThin, kDashed, kDot, kEven };
  std::string label;
  size_t colour = 0;
  Mark mark = Mark::kLine;
};

struct Figure {
  std::string id;     ///< names the CSV file: lower case, digits and dashes
  std::string title;  ///< its point, computed from the data
  std::string note;   ///< what is shown and how to read it
  std::vector<LegendEntry> legend;
  std::string svg;  ///< one picture, or several below each other
  Csv data;
};

struct Table {
  struct Column {
    std::string head;
    bool number = true;  ///< to the right
  };
  struct Row {
    std::vector<std::string> cells;
    bool published = false;  ///< set apart
  };
  std::string id, caption;
  std::vector<Column> columns;
  std::vector<Row> rows;
  Csv data;
};

/// A file beside the page.
struct DataFile {
  std::string name;
  std::string text;
};

class Page {
 public:
  /// @param data_folder  where the CSV files will lie, relative to the page
  Page(std::string title, std::string data_folder);

  void introduction(const std::string& text);
  void begin_section(const std::string& id, const std::string& title);
  /// One level below a section.
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  /// What is not there, and which command makes it. Words between backquotes are shown as code.
  void missing(const std::string& text);
  void table(const Table& table);
  /// A long table, shown when its caption is clicked.
  void folded_table(const Table& table);
  /// Side by side where the page is wide enough.
  void figures(const std::vector<Figure>& figures);
  /// PNG or JPEG pictures with captions, embedded. @param sources  data URIs
  void pictures(const std::vector<std::string>& sources, const std::vector<std::string>& captions);

  /// The whole document: well-formed XML, without a reference to the network.
  std::string html() const;
  const std::vector<DataFile>& data() const { return data_; }

 private:
  void end_section();
  /// Keeps the file; two of one name get different ones. @return a link to it
  std::string add_data(const std::string& id, const Csv& csv);
  std::string table_html(const Table& table);
  std::string figure_html(const Figure& figure);

  std::string title_, data_folder_, introduction_, contents_, body_;
  bool in_section_ = false;
  std::vector<DataFile> data_;
};

}  // namespace moefb::report
