#include "apps/moe-infer/drawing/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moefb::drawing {
namespace {

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> codes;
  while (!text.empty()) codes.push_back(next_code_point(text));
  return codes;
}

TEST(Utf8, ReadsSequencesOfEveryLength) {
  const std::vector<uint32_t> expected = {'a', 0xe9, 0x20ac, 0x1f600};
  EXPECT_EQ(code_points("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), expected);
}

TEST(Utf8, EachByteThatIsNotUtf8IsOneMark) {
  const std::vector<uint32_t> one = {kNotUtf8}, two = {kNotUtf8, kNotUtf8};
  EXPECT_EQ(code_points("\xff"), one);
  EXPECT_EQ(code_points("\x80"), one);
  EXPECT_EQ(code_points("\xe2\x82"), two);                                         // cut short
  EXPECT_EQ(code_points("\xc0\xaf"), two);                                         // a longer form than needed
  EXPECT_EQ(code_points("\xed\xa0\x80"), std::vector<uint32_t>(3, kNotUtf8));      // half of a surrogate pair
  EXPECT_EQ(code_points("\xf4\x90\x80\x80"), std::vector<uint32_t>(4, kNotUtf8));  // beyond Unicode
}

TEST(Utf8, GoesOnAfterAMark) {
  const std::vector<uint32_t> expected = {kNotUtf8, 'x'};
  EXPECT_EQ(code_points("\xc3x"), expected);
}

}  // namespace
}  // namespace moefb::drawing
