#include "apps/common/text.h"

#include <gtest/gtest.h>

#include "apps/common/json_text.h"
#include "apps/common/table.h"

namespace moefb::apps {
namespace {

TEST(Text, NumbersHaveCommasFromFourDigitsOn) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(109664261), "109,664,261");
}

TEST(Text, FloatsAreShownAsTheyWereWritten) {
  EXPECT_EQ(short_number(0.85f), "0.85");
  EXPECT_EQ(short_number(1.0f), "1");
}

TEST(Text, FormatGrowsWithItsArguments) {
  const std::string name(1000, 'x');
  EXPECT_EQ(format("<%s>", name.c_str()), "<" + name + ">");
}

TEST(Text, ShapesLookLikePythons) {
  EXPECT_EQ(shape_text(Shape{3, {3, 32, 32, 0}}), "(3, 32, 32)");
  EXPECT_EQ(shape_text(Shape{}), "()");
}

TEST(Text, CountsAreSingularForOneOnly) {
  EXPECT_EQ(count_text(1, "expert"), "1 expert");
  EXPECT_EQ(count_text(0, "expert"), "0 experts");
}

TEST(Text, ControlCharactersNeverReachATerminal) {
  EXPECT_EQ(printable("a\x1b[2J\nb"), "a?[2J?b");
}

TEST(Table, ColumnsLineUpAndRowsEndWithoutBlanks) {
  Table table("lr", 2);
  table.add({"ring", "9"});
  table.add({"k\xc3\xb6nig", "10"});  // two bytes, one column
  table.add({"x"});
  EXPECT_EQ(table.text(), "  ring    9\n  k\xc3\xb6nig  10\n  x\n");
}

TEST(JsonString, EscapesAndReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_string("a\"b\n"), "\"a\\\"b\\n\"");
  EXPECT_EQ(json_string("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
  EXPECT_EQ(json_string("caf\xe9.png"), "\"caf\xef\xbf\xbd.png\"");
}

}  // namespace
}  // namespace moefb::apps
