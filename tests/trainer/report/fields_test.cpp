#include "trainer/report/fields.h"

#include <gtest/gtest.h>

#include <cmath>

#include "converter/temporary_folder.h"

namespace moefb::report {
namespace {

using testing::contains;
using testing::message_of;

const nlohmann::json kObject = nlohmann::json::parse(R"({"x": 1.5, "nothing": null, "word": "a", "list": [1, null, 2],
  "square": [[1, 2], [3, 4]], "ragged": [[1, 2], [3]], "inner": {"y": 2}, "whole": 7, "several": [{"z": 1}, {"z": "b"}]})");

TEST(Fields, TakeNullForANumberThatIsNotFinite) {
  const Fields fields(kObject, "file");
  EXPECT_EQ(fields.number("x"), 1.5);
  EXPECT_TRUE(std::isnan(fields.number("nothing")));
  EXPECT_TRUE(std::isnan(fields.numbers("list")[1]));
  EXPECT_FALSE(fields.has("nothing"));
}

TEST(Fields, TakeAnAbsentKeyForNothingWhereThatIsAllowed) {
  const Fields fields(kObject, "file");
  EXPECT_TRUE(std::isnan(fields.number_if_any("absent")));
  EXPECT_TRUE(fields.numbers_if_any("absent").empty());
  EXPECT_TRUE(fields.matrix_if_any("absent").empty());
  EXPECT_EQ(fields.text_if_any("absent"), "");
  EXPECT_EQ(fields.integer_if_any("absent", 3), 3);
  EXPECT_TRUE(contains(message_of([&] { (void)fields.number("absent"); }),
                       "file: absent: expected a number, found no such key"));
}

TEST(Fields, NameFileKeyAndWhatWasFound) {
  const Fields fields(kObject, "runs/a/metrics.jsonl:3");
  EXPECT_TRUE(contains(message_of([&] { (void)fields.number("word"); }),
                       "runs/a/metrics.jsonl:3: word: expected a number, found \"a\""));
  EXPECT_TRUE(contains(message_of([&] { (void)fields.integer("x"); }), "x: expected an integer, found 1.5"));
  EXPECT_TRUE(contains(message_of([&] { (void)fields.matrix("ragged"); }), "ragged: expected a list of rows"));
  EXPECT_TRUE(contains(message_of([&] { (void)fields.object("word"); }), "word: expected an object"));
  EXPECT_TRUE(contains(message_of([&] { (void)fields.objects_if_any("several")[1].number("z"); }),
                       "several[1]: z: expected a number"));
}

TEST(Fields, ReadMatricesRowByRow) {
  const Matrix matrix = Fields(kObject, "file").matrix("square");
  EXPECT_EQ(matrix.rows, 2u);
  EXPECT_EQ(matrix.columns, 2u);
  EXPECT_EQ(matrix.at(1, 0), 3);
}

TEST(Fields, VisitNumbersOnly) {
  std::vector<std::string> keys;
  Fields(kObject, "file").each_number([&](const std::string& key, double) { keys.push_back(key); });
  EXPECT_EQ(keys, (std::vector<std::string>{"nothing", "whole", "x"}));
}

}  // namespace
}  // namespace moefb::report
