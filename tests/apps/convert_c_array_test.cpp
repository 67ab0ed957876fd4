// A model as C source: what is written, that a C compiler takes it as C99, and that the compiled array is the file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Outcome make_array(const FixtureModel& model, const std::string& name, const std::string& output) {
  return run({MOEFB_CONVERT, model.file(), "--c-array", name, "-o", output});
}

// Writes the array to standard output, and fails if it does not start at a multiple of 64.
constexpr const char* kDump = R"(#include <stdint.h>
#include <stdio.h>
extern const uint64_t my_model[];
extern const size_t my_model_size;
int main(void) {
  if ((uintptr_t)my_model % 64 != 0) return 2;
  return fwrite(my_model, 1, my_model_size, stdout) == my_model_size ? 0 : 1;
}
)";

/// The array as a program that was compiled with it has it.
std::string compiled_array(const FixtureModel& model, const std::string& source) {
  const std::string dump = model.write_text("dump.c", kDump), program = model.path("dump");
  const Outcome compiled =
      run({MOEFB_C_COMPILER, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", source, dump, "-o", program});
  EXPECT_EQ(compiled.exit_code, 0) << compiled.err;
  const Outcome dumped = run({program});
  EXPECT_EQ(dumped.exit_code, 0);
  return dumped.out;
}

TEST(ConvertCArray, CompilesAsC99ToTheBytesOfTheFile) {
  const FixtureModel model(kFeatureFixture);
  const Outcome made = make_array(model, "my_model", model.path("model.c"));
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(contains(made.out, "wrote    " + model.path("model.c")));
  EXPECT_EQ(compiled_array(model, model.path("model.c")), content_of(model.file()));
}

TEST(ConvertCArray, ConvertsWeightsToTheSameArrayAsTheirFile) {
  const FixtureModel model(kFeatureFixture);
  const std::string golden = std::string(MOEFB_SOURCE_DIR "/tests/data/golden/") + kFeatureFixture;
  ASSERT_EQ(make_array(model, "m", model.path("of_file.c")).exit_code, 0);
  const Outcome made = run({MOEFB_CONVERT, golden + "/state_dict.safetensors", "--config", golden + "/config.json",
                            "--c-array", "m", "-o", model.path("of_weights.c")});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(contains(made.out, "checked  golden vector 0"));
  EXPECT_EQ(content_of(model.path("of_weights.c")), content_of(model.path("of_file.c")));
}

TEST(ConvertCArray, RefusesWhatIsNoNameInC) {
  const FixtureModel model(kFeatureFixture);
  for (const char* name : {"9lives", "a-b", "a b", "*", "\xc3\xa4"}) {
    const Outcome refused = make_array(model, name, model.path("model.c"));
    EXPECT_EQ(refused.exit_code, 1) << name;
    EXPECT_TRUE(contains(refused.err, std::string("--c-array: \"") + name + "\" is no name in C"));
    EXPECT_FALSE(fs::exists(model.path("model.c")));
  }
}

TEST(ConvertCArray, WritesNothingForADamagedModel) {
  const FixtureModel model(kFeatureFixture);
  std::string bytes = content_of(model.file());
  bytes[bytes.size() / 2] ^= 1;
  const std::string damaged = model.write_text("damaged.moefb", bytes);
  const Outcome refused = run({MOEFB_CONVERT, damaged, "--c-array", "m", "-o", model.path("model.c")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(contains(refused.err, damaged + ": corrupt file: "));
  EXPECT_FALSE(fs::exists(model.path("model.c")));
}

TEST(ConvertCArray, IsTheOnlyThingToDoWithAModel) {
  const FixtureModel model(kFeatureFixture);
  const Outcome again = run({MOEFB_CONVERT, model.file(), "-o", model.path("again.moefb")});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_TRUE(contains(again.err, "is a model already; --c-array NAME makes C source of it"));
  const Outcome dtype =
      run({MOEFB_CONVERT, model.file(), "--c-array", "m", "--dtype", "bf16", "-o", model.path("m.c")});
  EXPECT_EQ(dtype.exit_code, 1);
  EXPECT_TRUE(contains(dtype.err, "--dtype and --config do not apply"));
}

TEST(ConvertCArray, DoesNotOverwriteTheModel) {
  const FixtureModel model(kFeatureFixture);
  const std::string before = content_of(model.file());
  const Outcome refused = make_array(model, "m", model.file());
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(contains(refused.err, "the output is the input"));
  EXPECT_EQ(content_of(model.file()), before);
}

}  // namespace
}  // namespace moefb::testing
