// TOML files and --set arguments that are damaged or made to harm.
#include "trainer/train/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/train/run_config.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

class ConfigFile : public ::testing::Test {
 protected:
  nlohmann::json read(const std::string& text, const std::vector<std::string>& sets = {}) {
    write_file_atomically(path_, text);
    return read_toml(path_, sets);
  }
  std::string refusal(const std::string& text, const std::vector<std::string>& sets = {}) {
    return message_of([&] { read(text, sets); });
  }
  /// Of the whole configuration, values included.
  std::string config_refusal(const std::string& text, const std::vector<std::string>& sets = {}) {
    write_file_atomically(path_, text);
    return message_of([&] { load_toml_config(path_, sets); });
  }
  std::string run_refusal(const std::string& json) {
    write_file_atomically(path_, json);
    return message_of([&] { load_run_config(path_); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "c.toml";
};

TEST_F(ConfigFile, RefusesWhatIsNoToml) {
  for (const char* text : {"{\"k\": 2}", "k", "k = ", "= 2", "k = 2 3", "k = \"open", "[train", "k = 01",
                           "\x89PNG\r\n\x1a\n", "k = \"\xff\"", "k = 99999999999999999999", "k = 'a\nb'"}) {
    EXPECT_TRUE(contains(refusal(text), path_ + ": ")) << text;
  }
  EXPECT_TRUE(contains(refusal(std::string("k = 2\0", 6)), path_ + ": "));
}

TEST_F(ConfigFile, RefusesAKeyThatAppearsTwice) {
  EXPECT_TRUE(contains(refusal("k = 1\nk = 2\n"), path_ + ": "));
  EXPECT_TRUE(contains(refusal("[train]\nseed = 1\n[train]\nseed = 2\n"), path_ + ": "));
  EXPECT_TRUE(contains(refusal("train.seed = 1\ntrain = 2\n"), path_ + ": "));
}

// toml++ frees and we walk tables by recursion: each of these once filled the stack, or would.
TEST_F(ConfigFile, RefusesNestingWithoutEnd) {
  for (const std::string& text :
       {"x = " + repeated("[", 100'000), "x = " + repeated("{a = ", 100'000), repeated("a.", 100'000) + "a = 1\n",
        "[" + repeated("a.", 100'000) + "a]\n", "x = [" + repeated("{a.a.a.a = [", 50'000)}) {
    EXPECT_TRUE(contains(refusal(text), path_ + ": ")) << text.substr(0, 20);
  }
  EXPECT_TRUE(contains(refusal(repeated("a.", 5000) + "a = 1\n"), path_ + ": expected at most 4096 dots, found 5000"));
  EXPECT_TRUE(contains(refusal("", {repeated("a.", 50'000) + "a=1"}), ": expected at most 8 dots, found 50000"));
  EXPECT_TRUE(contains(refusal("", {"x={" + repeated("a.", 50'000) + "a=1}"}), "--set x: expected at most 4096 dots"));
  EXPECT_EQ(refusal("", {"x=" + repeated("[", 100'000)}), "");  // no TOML value, so a text
}

TEST_F(ConfigFile, TakesTheDeepestTablesThatAreAllowed) {
  EXPECT_EQ(refusal(repeated("a.", 4096) + "a = 1\n"), "");
}

TEST_F(ConfigFile, RefusesDatesNamingTheFileOrTheArgument) {
  EXPECT_EQ(refusal("k = 2\nhead = 2024-01-01\n"), path_ + ": dates and times are not used here, found one in line 2");
  EXPECT_TRUE(contains(refusal("", {"head=12:00:00"}), "--set head: dates and times are not used here"));
}

TEST_F(ConfigFile, RefusesAnArgumentThatIsNotUtf8) {
  EXPECT_EQ(refusal("", {"data.path=caf\xe9"}), "--set data.path: the value is not UTF-8");
}

TEST_F(ConfigFile, RefusesAFolderAPipeAndNothing) {
  EXPECT_TRUE(contains(message_of([&] { read_toml(folder_.path(), {}); }), "cannot read: not a regular file"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of([&] { read_toml(folder_ / "pipe", {}); }), "cannot read: not a regular file"));
  EXPECT_TRUE(contains(message_of([&] { read_toml(folder_ / "absent", {}); }), "absent: cannot read"));
}

struct Wrong {
  const char* text;
  const char* message;
};

class ConfigValue : public ConfigFile, public ::testing::WithParamInterface<Wrong> {};

TEST_P(ConfigValue, OfAWrongTypeOrRangeIsShown) {
  const std::string message = config_refusal(GetParam().text);
  EXPECT_TRUE(message.starts_with(path_ + ": ")) << message;
  EXPECT_TRUE(contains(message, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    , ConfigValue,
    ::testing::Values(
        Wrong{"width0 = \"8\"", "width0: expected a whole number from 1 to 1024, found \"8\""},
        Wrong{"width0 = 8.0", "found 8.0"}, Wrong{"width0 = nan", "found nan"}, Wrong{"width0 = [8]", "found [8]"},
        Wrong{"width0 = 9223372036854775807", "found 9223372036854775807"}, Wrong{"width0 = -1", "found -1"},
        Wrong{"temperature = nan", "temperature: expected a number from 1e-06 to 1e+06, found nan"},
        Wrong{"temperature = inf", "found inf"}, Wrong{"temperature = true", "found true"},
        Wrong{"temperature = 1e300", "found 1e+300"}, Wrong{"head = 3", "head: expected a text, found 3"},
        Wrong{"head = \"\"", "expected one of dense, soft, sparse, hard, found \"\""},
        Wrong{"mean = [0.1, nan, 0.3]", "mean: expected a list of finite numbers, found"},
        Wrong{"mean = 0.1", "mean: expected a list of finite numbers, found 0.1"},
        Wrong{"std = [\"a\"]", "std: expected a list of finite numbers"},
        Wrong{"class_names = [1, 2]", "class_names: expected a list of texts, found [1,2]"},
        Wrong{"train = 3", "train: expected an object, found 3"},
        Wrong{"data = [[1]]", "data: expected an object, found [[1]]"},
        Wrong{"[train]\nepochs = true", "train.epochs: expected a whole number from 1"},
        Wrong{"[train]\nflip = 1", "train.flip: expected true or false, found 1"},
        Wrong{"[train]\nlearning_rate = -inf", "train.learning_rate: expected a number from 0 to 1000, found -inf"},
        Wrong{"[train]\nmilestones = [1.5]", "train.milestones: expected a list of whole numbers, found [1.5]"},
        Wrong{"[data]\nname = \"mnist\"\npath = 3", "data.path: expected a text, found 3"}));

// ---- config.json of a run ----------------------------------------------------------------------------------------

TEST_F(ConfigFile, RunConfigurationThatIsNoJson) {
  for (const char* text : {"", "[1, 2", "{\"k\": 2,}", "k = 2", "{\"head\": \"\xff\"}"}) {
    EXPECT_TRUE(contains(run_refusal(text), path_ + ": not valid JSON")) << text;
  }
  EXPECT_TRUE(contains(run_refusal("[1, 2]"), path_ + ": expected a JSON object, found [1,2]"));
}

TEST_F(ConfigFile, RunConfigurationWithAKeyTwiceOrDeepNesting) {
  EXPECT_TRUE(contains(run_refusal(R"({"train": {"seed": 1, "seed": 2}})"), path_ + ": key \"seed\" appears twice"));
  EXPECT_TRUE(contains(run_refusal("{\"k\": " + repeated("[", 100'000)), path_ + ": nested deeper than 32 levels"));
}

TEST_F(ConfigFile, RunConfigurationWithNumbersThatWouldWrap) {
  EXPECT_TRUE(contains(run_refusal(R"({"train": {"milestones": [18446744073709551614]}})"),
                       "train.milestones: expected a list of whole numbers, found [18446744073709551614]"));
  EXPECT_TRUE(contains(run_refusal(R"({"train": {"seed": 18446744073709551615}})"), "found 18446744073709551615"));
}

}  // namespace
}  // namespace moefb::trainer
