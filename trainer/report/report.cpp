#include "trainer/report/report.h"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "trainer/report/number_text.h"
#include "trainer/report/read_run.h"
#include "trainer/report/sections/section.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;

std::vector<Run> read_runs(const std::vector<std::string>& paths) {
  std::vector<Run> runs;
  std::set<fs::path> seen;
  for (const std::string& path : paths) {
    runs.push_back(read_run(path));
    if (!seen.insert(fs::canonical(path)).second) throw std::runtime_error(path + " is given twice");
  }
  return runs;
}

std::string title_of(const Comparison& comparison) {
  std::vector<std::string> titles;
  for (const Panel& panel : comparison.panels) {
    titles.push_back(panel.title);
    if (titles.size() > 1) titles.back()[0] = char(std::tolower(titles.back()[0]));
  }
  return listed(titles);
}

std::string introduction(const Comparison& comparison) {
  size_t groups = 0;
  for (const Panel& panel : comparison.panels) groups += panel.groups.size();
  return counted(comparison.runs.size(), "run") + " of " + counted(groups, "model") +
         ". The title of a figure says what it shows; the link below it leads to its numbers.";
}

Page make_page(const Comparison& comparison, const std::string& data_folder) {
  Page page(title_of(comparison), data_folder);
  for (const Panel& panel : comparison.panels) {
    const std::string finding = test_accuracy_title(panel);
    if (!finding.empty()) page.introduction((comparison.panels.size() > 1 ? panel.title + ": " : "") + finding + ".");
  }
  page.introduction(introduction(comparison));
  for (const auto add :
       {add_compared, add_curves, add_published, add_routing, add_curvature, add_efficiency, add_examples}) {
    add(comparison, page);
  }
  return page;
}

void write_data(const Page& page, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder))
    throw std::runtime_error(folder.string() + ": cannot be made a folder: " + error.message());
  for (const DataFile& file : page.data())
    write_file_atomically((folder / file.name).string(), std::string_view(file.text));
}

}  // namespace

int report(const ReportCommand& command) {
  const Comparison comparison = compare(read_runs(command.runs));
  const fs::path out = command.out.empty() ? fs::path(command.runs.front()) / "report.html" : fs::path(command.out);
  const std::string data_folder = out.stem().string() + "-data";
  const Page page = make_page(comparison, data_folder);
  write_data(page, out.parent_path() / data_folder);
  write_file_atomically(out.string(), std::string_view(page.html()));
  std::printf("%s: %s, %zu tables of data in %s\n", out.c_str(), counted(comparison.runs.size(), "run").c_str(),
              page.data().size(), (out.parent_path() / data_folder).c_str());
  return 0;
}

}  // namespace moefb::report
