#include "converter/strict_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/temporary_folder.h"

namespace moefb {
namespace {

using testing::contains;
using testing::message_of;

std::string refusal(const std::string& text) {
  return message_of([&] { parse_json_object(text, "c.json"); });
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(StrictJson, ReadsAnObject) {
  const nlohmann::json object = parse_json_object(R"({"a": [1, {"a": "\u00e9"}], "b": {"a": null}})", "c.json");
  EXPECT_EQ(object["a"][1]["a"], "\xc3\xa9");
  EXPECT_TRUE(object["b"]["a"].is_null());
}

TEST(StrictJson, RefusesAKeyThatAppearsTwiceAtAnyDepth) {
  EXPECT_EQ(refusal(R"({"k": 1, "kind": "a", "k": 1})"), "c.json: key \"k\" appears twice");
  EXPECT_EQ(refusal(R"({"train": [{"x": {"seed": 1, "seed": 2}}]})"), "c.json: key \"seed\" appears twice");
  EXPECT_EQ(refusal(R"({"a": 1, "\u0061": 2})"), "c.json: key \"a\" appears twice");
  EXPECT_EQ(refusal(R"({"a": {"b": 1}, "c": {"b": 1}, "b": 1})"), "");  // one each
}

// A parser that recurses, or a destructor or printer that does, runs out of stack here.
TEST(StrictJson, RefusesDeepNestingBeforeAnyStackIsFull) {
  for (const std::string& text :
       {repeated("[", 100'000), "{\"k\": " + repeated("[", 100'000) + repeated("]", 100'000) + "}",
        repeated("{\"a\":", 100'000), repeated("[{\"a\":", 100'000)}) {
    EXPECT_EQ(refusal(text), "c.json: nested deeper than 32 levels");
  }
}

TEST(StrictJson, TakesTheDeepestNestingThatIsAllowed) {
  // The object is level 1.
  const auto nested = [](int lists) { return "{\"k\": " + repeated("[", lists) + repeated("]", lists) + "}"; };
  EXPECT_EQ(refusal(nested(kMaxJsonDepth - 1)), "");
  EXPECT_NE(refusal(nested(kMaxJsonDepth + 1)), "");
}

TEST(StrictJson, RefusesWhatIsNoJson) {
  for (const char* text :
       {"", " ", "{", "{}}", "{} x", "{a: 1}", "{'a': 1}", "{\"a\": 01}", "{\"a\": NaN}", "{\"a\": 1e999}",
        "{\"a\": tru}", "{\"a\" 1}", "{\"a\": 1,}", "// {}", "{\"\xff\": 1}", "{\"a\": \"\xc3\"}",
        "{\"a\": \"\xed\xa0\x80\"}", "{\"a\": \"\\ud800\"}", "{\"a\": \"\n\"}"}) {
    EXPECT_TRUE(contains(refusal(text), "c.json: not valid JSON: ")) << text;
  }
  EXPECT_EQ(refusal(std::string("{}\0 x", 5)), "c.json: not valid JSON: holds a zero byte");
}

TEST(StrictJson, RefusesWhatIsNoObjectAndShowsIt) {
  EXPECT_EQ(refusal("[1]"), "c.json: expected a JSON object, found [1]");
  EXPECT_EQ(refusal("null"), "c.json: expected a JSON object, found null");
  EXPECT_EQ(refusal("\"x\""), "c.json: expected a JSON object, found \"x\"");
}

TEST(Shown, IsShortWhateverTheValue) {
  EXPECT_EQ(shown(nlohmann::json::parse(R"([1, "a"])")), R"([1,"a"])");
  const std::string text = shown(std::string(1'000'000, 'x'));
  EXPECT_LT(text.size(), 200u);
  EXPECT_TRUE(text.ends_with("..."));
  // Not cut inside a character: 119 bytes, then one of 2.
  EXPECT_EQ(shown(std::string(118, 'x') + "\xc3\xa9\xc3\xa9"), "\"" + std::string(118, 'x') + "...");
}

TEST(Shown, NamesNumbersThatJsonLacks) {
  EXPECT_EQ(shown(std::nan("")), "nan");
  EXPECT_EQ(shown(INFINITY), "inf");
  EXPECT_EQ(shown(-INFINITY), "-inf");
  EXPECT_EQ(shown("\xff"), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace moefb
