// One row per check of the reader: a change to a valid model, and the refusal that must follow.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "format/reader.h"
#include "runtime/format/tiny_model.h"

namespace moefb::testing {

struct Refusal {
  const char* name;                 ///< of the test, a sentence
  TinyModel (*base)();              ///< a model that is accepted
  void (*change)(TinyModel& tiny);  ///< what makes it wrong
  const char* text;                 ///< the refusal's text
  Code code = Code::kCorruptFile;
};

inline void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

inline std::string refusal_name(const ::testing::TestParamInfo<Refusal>& info) {
  return info.param.name;
}

/// Expects `file` to be refused with exactly this code and text.
inline void expect_refused(const FileBytes& file, Code code, const char* text) {
  const auto graph = format::read_graph(file.span(), true);
  ASSERT_FALSE(graph.ok()) << "accepted";
  EXPECT_STREQ(graph.status().text(), text);
  EXPECT_EQ(graph.status().code(), code) << code_name(graph.status().code());
}

inline void expect_accepted(const FileBytes& file) {
  const auto graph = format::read_graph(file.span(), true);
  EXPECT_TRUE(graph.ok()) << graph.status().text();
}

/// The change alone is what is refused: without it the same model is read.
inline void check_refusal(const Refusal& refusal) {
  TinyModel tiny = refusal.base();
  expect_accepted(finish(tiny));
  refusal.change(tiny);
  expect_refused(finish(tiny), refusal.code, refusal.text);
}

}  // namespace moefb::testing

/// Makes a suite of the rows of `table`.
#define MOEFB_REFUSALS(suite, table)                                           \
  class suite : public ::testing::TestWithParam<::moefb::testing::Refusal> {}; \
  TEST_P(suite, IsRefused) {                                                   \
    ::moefb::testing::check_refusal(GetParam());                               \
  }                                                                            \
  INSTANTIATE_TEST_SUITE_P(Model, suite, ::testing::ValuesIn(table), ::moefb::testing::refusal_name)
