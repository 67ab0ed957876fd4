// Pictures that analyses left: what each expert gets.
#include <algorithm>
#include <filesystem>

#include "converter/atomic_file.h"
#include "trainer/report/number_text.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;

// A page should still open on a phone: what does not fit is named, not embedded.
constexpr size_t kMostBytesOfOne = 600'000;
constexpr size_t kMostBytes = 6'000'000;

std::string base64(const std::vector<std::byte>& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t j) { return j < bytes.size() ? uint32_t(bytes[j]) : 0; };
    const uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) text += kDigits[three >> shift & 63];
  }
  const size_t padding = (3 - bytes.size() % 3) % 3;
  return text.replace(text.size() - padding, padding, padding, '=');
}

/// "" for files that are neither PNG nor JPEG.
std::string media_type(const std::vector<std::byte>& bytes) {
  const auto begins = [&](std::initializer_list<int> expected) {
    return bytes.size() >= expected.size() && std::equal(expected.begin(), expected.end(), bytes.begin(),
                                                         [](int a, std::byte b) { return std::byte(a) == b; });
  };
  if (begins({0x89, 'P', 'N', 'G'})) return "image/png";
  return begins({0xFF, 0xD8, 0xFF}) ? "image/jpeg" : "";
}

struct Sheets {
  std::vector<std::string> sources, captions;
  size_t bytes = 0, left_out = 0;

  void add(const ExampleSheet& sheet, const std::string& caption) {
    std::error_code error;
    const size_t size = fs::file_size(sheet.file, error);
    if (error || size > kMostBytesOfOne || bytes + size > kMostBytes) {
      ++left_out;
      return;
    }
    const std::vector<std::byte> content = read_file(sheet.file);
    const std::string type = media_type(content);
    if (type.empty()) {
      ++left_out;
      return;
    }
    bytes += size;
    sources.push_back("data:" + type + ";base64," + base64(content));
    captions.push_back(caption);
  }
};

std::string caption_of(const Group& group, const ExampleSheet& sheet) {
  return group.name + (sheet.layer < 0 ? "" : ", layer " + std::to_string(sheet.layer)) + ", expert " +
         std::to_string(sheet.expert);
}

}  // namespace

void add_examples(const Comparison& comparison, Page& page) {
  if (!comparison.any([](const Run& run) { return run.setup.routed(); })) return;
  page.begin_section("examples", "What each expert gets");
  Sheets sheets;
  for (const Panel& panel : comparison.panels) {
    for (const Group& group : panel.groups) {
      const auto has = [](const Run* run) { return run->routing && !run->routing->examples.empty(); };
      const auto run = std::find_if(group.runs.begin(), group.runs.end(), has);
      if (run == group.runs.end()) continue;
      for (const ExampleSheet& sheet : (*run)->routing->examples)
        sheets.add(sheet, capitalised(caption_of(group, sheet)));
    }
  }
  if (sheets.sources.empty() && sheets.left_out == 0) {
    page.missing("There are no example sheets: `trainer analyze RUN routing` writes them for networks with a router.");
    return;
  }
  page.paragraph("Pictures that the first run of each model sends to an expert.");
  page.pictures(sheets.sources, sheets.captions);
  if (sheets.left_out > 0) {
    page.missing(capitalised(counted(sheets.left_out, "sheet")) +
                 " left out: too large for this page, or not to be read. The runs' `analysis` folders have them.");
  }
}

}  // namespace moefb::report
