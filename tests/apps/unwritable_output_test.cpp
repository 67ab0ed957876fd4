// Outputs that cannot be written, a full disk among them: exit 1, a message that names the file, and what was there
// before stays as it was: no half-written file, no temporary one.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "apps/fixture_model.h"
#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/full_disk.h"

namespace moefb::testing {
namespace {

constexpr rlim_t kDiskBytes = 2000;  // enough for what the programs print

/// A program and how it is told where to write; every output is larger than kDiskBytes.
struct Writer {
  const char* name;
  std::vector<std::string> (*command)(const FixtureModel& model, const std::string& output);
};

std::vector<std::string> convert_command(const FixtureModel& model, const std::string& output) {
  const std::string source = std::string(MOEFB_TEST_DATA "/golden/") + kFeatureFixture;
  return {MOEFB_CONVERT, source + "/state_dict.safetensors", "--config", model.path("config.json"), "-o", output};
}

std::vector<std::string> c_array_command(const FixtureModel& model, const std::string& output) {
  return {MOEFB_CONVERT, model.file(), "--c-array", "my_model", "-o", output};
}

std::vector<std::string> infer_command(const FixtureModel& model, const std::string& output) {
  const std::vector<float> values(64 * 48, 0.5f);
  const std::string input = model.write_input(safetensors::Tensor::from_f32({64, 48}, values));
  return {MOEFB_INFER, "--model", model.file(), "--input", input, "--trace", "--output", output};
}

class UnwritableOutput : public ::testing::TestWithParam<Writer> {
 protected:
  void expect_refused(const std::string& output, const std::string& cause, rlim_t disk_bytes = RLIM_INFINITY) {
    const size_t files = folder_.file_count();
    const std::vector<std::string> command = GetParam().command(model_, output);
    const FullDisk full(disk_bytes);
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(contains(outcome.err, output + ": cannot write: " + cause));
    EXPECT_EQ(folder_.file_count(), files);
  }

  const FixtureModel model_{kFeatureFixture};
  const TemporaryFolder folder_;
};

TEST_P(UnwritableOutput, FullDiskLeavesNothing) {
  expect_refused(folder_ / "out", "File too large", kDiskBytes);
}

TEST_P(UnwritableOutput, FullDiskLeavesTheOlderFile) {
  write_file_atomically(folder_ / "out", "older");
  expect_refused(folder_ / "out", "File too large", kDiskBytes);
  const std::vector<std::byte> bytes = read_file(folder_ / "out");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "older");
}

TEST_P(UnwritableOutput, FolderThatIsNone) {
  write_file_atomically(folder_ / "file", "x");
  expect_refused(folder_ / "file/out", "Not a directory");
  expect_refused(folder_ / "absent/out", "No such file or directory");
}

TEST_P(UnwritableOutput, FolderInPlaceOfTheFile) {
  expect_refused(folder_.path(), "exists and is not a regular file");
}

// A rename would put a file in the device's place.
TEST_P(UnwritableOutput, Device) {
  expect_refused("/dev/full", "exists and is not a regular file");
}

TEST_P(UnwritableOutput, ReadOnlyFolder) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind root; FolderThatIsNone takes the same path";
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
  expect_refused(folder_ / "out", "Permission denied");
  ::chmod(folder_.path().c_str(), 0755);
}

INSTANTIATE_TEST_SUITE_P(Program, UnwritableOutput,
                         ::testing::Values(Writer{"convert", convert_command},
                                           Writer{"convert_c_array", c_array_command},
                                           Writer{"moe_infer", infer_command}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace moefb::testing
