// Picture mode of moe-infer: forms of the answer, bad pictures among good ones.
#include <gtest/gtest.h>

#include <filesystem>

#include "apps/fixture_model.h"
#include "apps/process.h"

namespace moefb::testing {
namespace {

using nlohmann::json;

const json kNames = {{"class_names", {"ring", "disc", "k\xc3\xb6nig", "say \"hi\"", "e", "f", "g", "h", "i", "j"}}};

/// Every line of `text` as JSON; a line that is none fails the test by its exception.
std::vector<json> json_lines(const std::string& text) {
  std::vector<json> all;
  for (const std::string& line : lines(text)) all.push_back(json::parse(line));
  return all;
}

double probability_sum(const json& answer) {
  double sum = 0;
  for (const json& entry : answer["top"]) sum += entry["probability"].get<double>();
  return sum;
}

TEST(MoeInferPictures, TextStartsEachPictureWithItsPath) {
  const FixtureModel model(kPictureFixture, kNames);
  const std::string a = model.write_picture("a.bmp", 40, 30), b = model.write_picture("b.bmp", 32, 32, 2);
  const Outcome outcome = run({MOEFB_INFER, a, b, "--model", model.file(), "--top", "3"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const std::vector<std::string> text = lines(outcome.out);
  ASSERT_EQ(text.size(), 8u) << outcome.out;
  EXPECT_EQ(text[0], a);
  EXPECT_EQ(text[4], b);
  for (int i : {1, 2, 3, 5, 6, 7}) {
    EXPECT_EQ(text[size_t(i)].substr(0, 2), "  ") << text[size_t(i)];
    EXPECT_TRUE(text[size_t(i)].ends_with(" %")) << text[size_t(i)];
  }
}

TEST(MoeInferPictures, JsonIsOneObjectPerPictureBestFirst) {
  const FixtureModel model(kPictureFixture, kNames);
  const std::string a = model.write_picture("a.bmp", 40, 30), b = model.write_picture("b.bmp", 7, 90, 2);
  const Outcome outcome = run({MOEFB_INFER, a, b, "--model", model.file(), "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::vector<json> answers = json_lines(outcome.out);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]["image"], a);
  EXPECT_EQ(answers[1]["image"], b);
  for (const json& answer : answers) {
    EXPECT_EQ(answer.size(), 2u) << answer;
    ASSERT_EQ(answer["top"].size(), 5u);
    for (size_t i = 1; i < 5; ++i) EXPECT_GE(answer["top"][i - 1]["probability"], answer["top"][i]["probability"]);
  }
}

TEST(MoeInferPictures, ProbabilitiesHaveSixDigits) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome =
      run({MOEFB_INFER, model.write_picture("a.bmp", 32, 32), "--model", model.file(), "--json", "--top", "10"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string key = "\"probability\": ";
  int seen = 0;
  for (size_t at = outcome.out.find(key); at != std::string::npos; at = outcome.out.find(key, at + 1), ++seen) {
    const std::string number = outcome.out.substr(at + key.size(), outcome.out.find('}', at) - at - key.size());
    EXPECT_EQ(number.size(), 8u) << number;
    EXPECT_EQ(number[1], '.') << number;
  }
  EXPECT_EQ(seen, 10);
  EXPECT_NEAR(probability_sum(json::parse(outcome.out)), 1.0, 1e-5);
}

TEST(MoeInferPictures, TopIsCutToTheClasses) {
  const FixtureModel model(kPictureFixture);
  const Outcome outcome =
      run({MOEFB_INFER, model.write_picture("a.bmp", 32, 32), "--model", model.file(), "--json", "--top", "1000"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["top"].size(), 10u);
}

TEST(MoeInferPictures, ClassesAreNamedByTheFileElseByNumber) {
  const FixtureModel named(kPictureFixture, kNames), nameless(kPictureFixture);
  const std::string picture = named.write_picture("a.bmp", 32, 32);
  const Outcome with = run({MOEFB_INFER, picture, "--model", named.file(), "--json", "--top", "10"});
  const Outcome without = run({MOEFB_INFER, picture, "--model", nameless.file(), "--json", "--top", "10"});
  const json a = json::parse(with.out)["top"], b = json::parse(without.out)["top"];
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const std::string numbered = b[i]["class"];
    ASSERT_EQ(numbered.substr(0, 6), "class ");
    EXPECT_EQ(a[i]["class"], kNames["class_names"][std::stoul(numbered.substr(6))]);
  }
}

TEST(MoeInferPictures, BadPictureIsReportedAndTheNextAnswered) {
  const FixtureModel model(kPictureFixture);
  const std::string good = model.write_picture("good.bmp", 32, 32), last = model.write_picture("last.bmp", 32, 32, 2);
  const std::string text = model.write_text("text.png", "this is no picture"),
                    empty = model.write_text("empty.png", "");
  const std::string absent = model.path("absent.png"), folder = model.path("");
  const Outcome outcome =
      run({MOEFB_INFER, good, text, empty, absent, folder, last, "--model", model.file(), "--json"});
  EXPECT_EQ(outcome.exit_code, 1);
  const std::vector<json> answers = json_lines(outcome.out);
  ASSERT_EQ(answers.size(), 2u) << outcome.out;
  EXPECT_EQ(answers[0]["image"], good);
  EXPECT_EQ(answers[1]["image"], last);
  const std::vector<std::string> complaints = lines(outcome.err);
  ASSERT_EQ(complaints.size(), 4u) << outcome.err;
  const std::string bad[] = {text, empty, absent, folder};
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(complaints[i].starts_with("moe-infer: " + bad[i] + ": ")) << complaints[i];
}

TEST(MoeInferPictures, AnswerDoesNotDependOnTheOtherPictures) {
  const FixtureModel model(kPatchFixture);  // its capacity counts over the batch, so a shared batch would show
  const std::string a = model.write_picture("a.bmp", 80, 70), b = model.write_picture("b.bmp", 64, 64, 2);
  const Outcome both = run({MOEFB_INFER, a, b, "--model", model.file(), "--json", "--routing"});
  const Outcome alone = run({MOEFB_INFER, b, "--model", model.file(), "--json", "--routing"});
  ASSERT_EQ(both.exit_code, 0) << both.err;
  EXPECT_EQ(lines(both.out).at(1) + "\n", alone.out);
}

TEST(MoeInferPictures, PathThatIsNotUtf8StaysValidJson) {
  const FixtureModel model(kPictureFixture);
  const std::string picture = model.write_picture("caf\xe9.bmp", 32, 32);
  const Outcome outcome = run({MOEFB_INFER, picture, "--model", model.file(), "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["image"], model.path("caf\xef\xbf\xbd.bmp"));
}

TEST(MoeInferPictures, ModelWithoutStemSaysWhatItTakes) {
  const FixtureModel head(kFeatureFixture), layer(kMapFixture);
  const std::string picture = head.write_picture("a.bmp", 32, 32);
  const Outcome features = run({MOEFB_INFER, picture, "--model", head.file()});
  EXPECT_EQ(features.exit_code, 1);
  EXPECT_TRUE(contains(features.err, head.file() + ": takes features (48), not pictures: use --input"));
  const Outcome maps = run({MOEFB_INFER, picture, "--model", layer.file()});
  EXPECT_EQ(maps.exit_code, 1);
  EXPECT_TRUE(contains(maps.err, layer.file() + ": takes maps (8, 16, 16), not pictures: use --input"));
}

TEST(MoeInferPictures, LostStandardOutputIsAFailureNotASignal) {
  const FixtureModel model(kPictureFixture);
  const std::vector<std::string> command = {MOEFB_INFER, model.write_picture("a.bmp", 32, 32), "--model", model.file()};
  for (const Outcome& outcome : {run(command, "/dev/full"), run_into_closed_pipe(command)}) {
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(contains(outcome.err, "standard output: "));
  }
}

TEST(MoeInferPictures, DefaultModelLiesBesideTheInstalledProgram) {
  namespace fs = std::filesystem;
  const FixtureModel model(kPictureFixture);
  const std::string program = model.path("bin/moe-infer"), models = model.path("share/moefb/models");
  fs::create_directories(model.path("bin"));
  fs::create_directories(models);
  fs::copy_file(MOEFB_INFER, program);
  fs::copy_file(model.file(), models + "/mine.moefb");
  model.write_text("share/moefb/models/default", "mine.moefb\n");
  const std::string picture = model.write_picture("a.bmp", 32, 32);
  const Outcome by_default = run({program, picture, "--json"});
  ASSERT_EQ(by_default.exit_code, 0) << by_default.err;
  EXPECT_EQ(by_default.out, run({MOEFB_INFER, picture, "--json", "--model", model.file()}).out);

  model.write_text("share/moefb/models/default", "gone.moefb\n");
  const Outcome gone = run({program, picture});
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_TRUE(contains(gone.err, "gone.moefb"));
}

}  // namespace
}  // namespace moefb::testing
