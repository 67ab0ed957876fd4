#include "trainer/report/page/html.h"

#include <gtest/gtest.h>

#include "trainer/report/xml_check.h"

namespace moefb::report {
namespace {

TEST(Escape, LeavesNoCharacterThatHtmlWouldRead) {
  EXPECT_EQ(escape("<b>\"a\" & 'b'</b>"), "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;");
}

TEST(Escape, KeepsLettersOfAllScripts) {
  EXPECT_EQ(escape("Ä 猫 🐈"), "Ä 猫 🐈");
}

TEST(Escape, ReplacesWhatIsNoUtf8AndWhatXmlForbids) {
  const std::string replacement = "\uFFFD";
  EXPECT_EQ(escape("a\xFFz"), "a" + replacement + "z");
  EXPECT_EQ(escape("\xC3"), replacement);                       // cut
  EXPECT_EQ(escape("\xC0\xAF"), replacement + replacement);     // overlong /
  EXPECT_EQ(escape("\xED\xA0\x80").substr(0, 3), replacement);  // half of a surrogate pair
  EXPECT_EQ(escape(std::string_view("a\0b\x1B", 4)), "a" + replacement + "b" + replacement);
}

TEST(XmlCheck, FindsWhatIsWrong) {
  EXPECT_EQ(XmlCheck::problem("<p class=\"a\">x &amp; y<br/></p>"), "");
  EXPECT_NE(XmlCheck::problem("<p><b></p></b>"), "");
  EXPECT_NE(XmlCheck::problem("<p>"), "");
  EXPECT_NE(XmlCheck::problem("<p>a & b</p>"), "");
  EXPECT_NE(XmlCheck::problem("<p>a < b</p>"), "");
  EXPECT_NE(XmlCheck::problem("<p class=a></p>"), "");
  EXPECT_NE(XmlCheck::problem("<p title=\"a<b\"></p>"), "");
}

}  // namespace
}  // namespace moefb::report
