#include "trainer/models/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

TEST(Settings, ReadsWhatIsThereAndFallsBackElsewhere) {
  const auto json = nlohmann::json::parse(R"({"a": 3, "b": 0.5, "c": "x", "d": true, "e": [1, 2]})");
  Settings settings(json, "f.toml");
  EXPECT_EQ(settings.integer("a", 0, 0, 10), 3);
  EXPECT_EQ(settings.number("b", 0, 0, 1), 0.5);
  EXPECT_EQ(settings.number("a", 0, 0, 10), 3.0);  // a whole number is a number
  EXPECT_EQ(settings.text("c", ""), "x");
  EXPECT_TRUE(settings.boolean("d", false));
  EXPECT_EQ(settings.integers("e", {}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(settings.integer("absent", 7, 0, 10), 7);
  settings.finish();
}

TEST(Settings, UnknownKeyIsNamedWithItsTable) {
  const auto json = nlohmann::json::parse(R"({"train": {"epoch": 3}})");
  Settings settings(json, "f.toml");
  Settings train = settings.object("train");
  train.integer("epochs", 1, 1, 10);
  const std::string message = message_of([&] { train.finish(); });
  EXPECT_TRUE(contains(message, "f.toml: train.epoch: unknown key"));
  EXPECT_TRUE(contains(message, "epochs"));
}

TEST(Settings, WrongTypesAndRangesSayWhatWasFound) {
  const auto json = nlohmann::json::parse(R"({"a": "three", "b": -1, "c": 18446744073709551614, "d": 1.5})");
  Settings settings(json, "f.toml");
  EXPECT_TRUE(contains(message_of([&] { settings.integer("a", 0, 0, 9); }), "found \"three\""));
  EXPECT_TRUE(contains(message_of([&] { settings.integer("b", 0, 0, 9); }), "from 0 to 9, found -1"));
  // Read as signed it would be -2, and below the upper bound.
  EXPECT_TRUE(contains(message_of([&] { settings.integer("c", 0, -9, 9); }), "found 18446744073709551614"));
  EXPECT_TRUE(contains(message_of([&] { settings.integer("d", 0, 0, 9); }), "found 1.5"));
  EXPECT_TRUE(contains(message_of([&] { settings.boolean("b", true); }), "expected true or false"));
  EXPECT_TRUE(contains(message_of([&] { settings.object("a"); }), "expected an object"));
}

TEST(Settings, ChoiceListsTheNames) {
  const auto json = nlohmann::json::parse(R"({"head": "dens"})");
  Settings settings(json, "f.toml");
  const std::string message = message_of([&] { settings.choice("head", 0, {"dense", "soft"}); });
  EXPECT_TRUE(contains(message, "expected one of dense, soft, found \"dens\""));
}

}  // namespace
}  // namespace moefb::trainer
