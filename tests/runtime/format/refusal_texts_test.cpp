// Nobody adds a check without a test: every text with which format/ and graph/ refuse a file is expected by some test.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace moefb::format {
namespace {

namespace fs = std::filesystem;

/// No crafted file brings these about: the machine does, or the compiler.
const std::set<std::string> kOthers = {"no memory for the flatbuffer", "no memory for the graph",
                                       "schema and graph number their enumerators alike",
                                       "the verifier's constructor asserts this"};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// All C++ files below `folder`, one behind the other.
std::string code_of(const std::string& folder) {
  std::string code;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(MOEFB_SOURCE_DIR) / folder)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".h") code += content_of(entry.path()) + '\n';
  }
  return code;
}

/// The literals of `code` that hold a space: sentences, not paths or names. In comments and out of them.
std::set<std::string> sentences(const std::string& code) {
  std::set<std::string> found;
  for (size_t begin = code.find('"'); begin != std::string::npos;) {
    const size_t end = code.find_first_of("\"\n", begin + 1);
    if (end == std::string::npos) break;
    const std::string literal = code.substr(begin + 1, end - begin - 1);
    if (code[end] == '"' && literal.find(' ') != std::string::npos) found.insert(literal);
    begin = code.find('"', end + 1);
  }
  return found;
}

TEST(RefusalTexts, EachIsExpectedByATest) {
  const std::string tests = code_of("tests/runtime/format") + code_of("tests/runtime/graph");
  const std::set<std::string> texts = sentences(code_of("runtime/src/format") + code_of("runtime/src/graph"));
  EXPECT_GT(texts.size(), 100u);
  for (const std::string& text : texts) {
    if (kOthers.contains(text)) continue;
    EXPECT_NE(tests.find('"' + text + '"'), std::string::npos) << "no test expects \"" << text << '"';
  }
}

}  // namespace
}  // namespace moefb::format
