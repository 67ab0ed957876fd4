// The page as a whole.
#include "trainer/report/report.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "trainer/report/analysis_files.h"
#include "trainer/report/run_folders.h"
#include "trainer/report/xml_check.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::message_of;

::testing::AssertionResult lacks(const std::string& text, const std::string& part) {
  if (text.find(part) == std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "found \"" << part << "\"";
}

class Report : public ::testing::Test {
 protected:
  /// The page on these runs.
  std::string page(const std::vector<std::string>& runs) {
    const std::string out = folders_.path("page.html");
    EXPECT_EQ(report({runs, out}), 0);
    const std::string text = text_of(out);
    EXPECT_EQ(XmlCheck::problem(text), "");
    EXPECT_TRUE(lacks(text, "http:") || contains(text, "http://www.w3.org/2000/svg"));
    for (const char* loads : {"src=\"http", "href=\"http", "url(", "<script", "<link", "@import"})
      EXPECT_TRUE(lacks(text, loads));
    EXPECT_TRUE(lacks(text, "nan"));
    return text;
  }

  /// A sparse head with all analyses and a picture.
  std::string analysed_head(const std::string& name, int seed) {
    const std::string run = folders_.add_head(name, "sparse", seed, 0.6 + 0.01 * seed);
    write_analysis(run, "hessian.json", hessian_json());
    write_analysis(run, "routing.json", head_routing_json());
    write_analysis(run, "efficiency.json", efficiency_json());
    write_text(run + "/analysis/examples/e1.png", "\x89PNG\r\n\x1a\n and so on");
    return run;
  }

  RunFolders folders_;
};

TEST_F(Report, OfOneRunWithoutAnalysesNamesTheCommandThatMakesThem) {
  const std::string text = page({folders_.add_head("a", "dense", 1, 0.6)});
  EXPECT_TRUE(contains(text, "Dense reaches 60.0\u00a0% of the test pictures (one seed)"));
  for (const char* name : {"hessian", "routing", "efficiency"}) {
    EXPECT_EQ(text.find("<code>trainer analyze RUN " + std::string(name)) != text.npos, std::string(name) != "routing")
        << name;
  }
  EXPECT_TRUE(contains(text, "None of these networks has a router."));
  EXPECT_TRUE(contains(text, "published (width 64, 50 epochs, GPU)"));
  EXPECT_TRUE(contains(text, "ours (width 8, 2 epochs, one seed)"));
}

TEST_F(Report, GroupsSeedsAndSaysWhoLeads) {
  std::vector<std::string> runs;
  for (const int seed : {1, 2}) {
    runs.push_back(folders_.add_head("dense" + std::to_string(seed), "dense", seed, 0.50 + 0.002 * seed));
    runs.push_back(folders_.add_head("soft" + std::to_string(seed), "soft", seed, 0.60 + 0.002 * seed));
  }
  const std::string text = page(runs);
  EXPECT_TRUE(contains(text, "Soft reaches 60.3\u00a0% of the test pictures, 10.0 points above dense (2 seeds each)"));
  EXPECT_TRUE(contains(text, "60.30\u00a0±\u00a00.14"));
}

TEST_F(Report, CallsDifferencesWithinTheSpreadLevel) {
  std::vector<std::string> runs;
  for (const int seed : {1, 2}) {
    runs.push_back(folders_.add_head("dense" + std::to_string(seed), "dense", seed, 0.50 + 0.1 * seed));
    runs.push_back(folders_.add_head("soft" + std::to_string(seed), "soft", seed, 0.51 + 0.1 * seed));
  }
  EXPECT_TRUE(contains(page(runs), "are level on the test pictures (2 seeds each)"));
}

TEST_F(Report, DrawsEveryAnalysis) {
  const std::string text = page({analysed_head("a", 1), analysed_head("b", 2)});
  for (const char* part :
       {"The expert tells 0.40 bits of the class", "The largest eigenvalue on training pictures lies at 20.0",
        "The trace on test pictures", "Spectrum on training pictures", "At the ends of eigenvector 1",
        "step along eigenvector 2", "LibTorch takes 2.0 times as long as the runtime", "are the commonest pair",
        "80 % of the choices stay the same", "data:image/png;base64,iVBORw0KGgo"}) {
    EXPECT_TRUE(contains(text, part));
  }
  EXPECT_TRUE(lacks(text, "trainer analyze"));
}

// LibTorch's row on the GPU counted as one of a thread, so that it was compared with the runtime's on the CPU.
TEST_F(Report, ComparesTheRuntimeWithLibTorchOnTheCpuAlone) {
  const std::string run = folders_.add_head("a", "sparse", 1, 0.6);
  Json json = efficiency_json();
  json["machine"]["gpu"] = "Some GPU";
  Json there = json["rows"][0];
  there["device"] = "cuda";
  there["mean_ms"] = 1.0;
  json["rows"].push_back(there);
  write_analysis(run, "efficiency.json", json);
  const std::string text = page({run});
  EXPECT_TRUE(contains(text, "LibTorch takes 2.0 times as long as the runtime"));
  EXPECT_TRUE(contains(text, "libtorch grouped, cuda"));
  EXPECT_TRUE(contains(text, "Some CPU, 2 cores, AVX2; Some GPU"));
}

TEST_F(Report, ShowsNamesOfClassesAsText) {
  const std::string text = page({analysed_head("a", 1)});
  EXPECT_TRUE(contains(text, "&lt;b&gt;&amp;&quot;dog&quot;&#39;"));
  EXPECT_TRUE(lacks(text, "<b>&"));
}

TEST_F(Report, MixesBothFamilies) {
  const std::string patches = folders_.add_patches("p", 2, 1, 0.5);
  write_analysis(patches, "routing.json", patch_routing_json());
  const std::string text = page({analysed_head("a", 1), patches});
  EXPECT_TRUE(contains(text, "Heads on CIFAR-10 and patch networks on flowers (2 classes)"));
  EXPECT_TRUE(contains(text, "the place in the picture tells 1.00 of 1.00 bits of the expert"));
  EXPECT_TRUE(contains(text, "MoE-16"));  // of the published table
  EXPECT_TRUE(contains(text, "go on to expert 0"));
}

TEST_F(Report, GoesOnWhereNumbersAreMissing) {
  std::vector<Json> lines = {epoch_line(1, 0.3), epoch_line(2, 0.4)};
  for (const char* key : {"train_loss", "val_loss", "val_acc"}) lines[1][key] = nullptr;
  page({folders_.add("a", head_config("dense", 1), lines)});
}

TEST_F(Report, OfAnImportedRunHasNoCurves) {
  EXPECT_TRUE(contains(page({folders_.add("a", head_config("soft", 1), {})}), "<code>metrics.jsonl</code>"));
}

TEST_F(Report, StandsInTheFirstRunUnlessToldOtherwise) {
  const std::string run = folders_.add_head("a", "dense", 1, 0.6);
  EXPECT_EQ(report({{run}, ""}), 0);
  EXPECT_TRUE(fs::exists(run + "/report.html"));
  EXPECT_TRUE(fs::exists(run + "/report-data/validation-accuracy.csv"));
}

TEST_F(Report, EveryLinkLeadsToADataFile) {
  const std::string text = page({analysed_head("a", 1)});
  size_t links = 0;
  for (size_t at = text.find("href=\"page-data/"); at != std::string::npos;
       at = text.find("href=\"page-data/", at + 1)) {
    const size_t begin = at + 6, end = text.find('"', begin);
    EXPECT_TRUE(fs::exists(folders_.path(text.substr(begin, end - begin)))) << text.substr(begin, end - begin);
    ++links;
  }
  EXPECT_GE(links, 15u);
}

TEST_F(Report, DataHasTheNumbersOfTheFigure) {
  page({folders_.add_head("a", "dense", 1, 0.6)});
  const std::string csv = text_of(folders_.path("page-data/validation-accuracy.csv"));
  EXPECT_TRUE(contains(csv, "series,run,epoch,\"validation accuracy, %\"\n"));
  EXPECT_TRUE(contains(csv, "dense,a,2,60\n"));
}

TEST_F(Report, IsTheSameEachTime) {
  const std::string run = analysed_head("a", 1);
  EXPECT_EQ(page({run}), page({run}));
}

TEST_F(Report, RefusesARunGivenTwice) {
  const std::string run = folders_.add_head("a", "dense", 1, 0.6);
  EXPECT_TRUE(contains(message_of([&] { report({{run, run + "/."}, folders_.path("page.html")}); }), "is given twice"));
}

TEST_F(Report, LeavesTheOldPageWhereARunCannotBeRead) {
  const std::string run = folders_.add_head("a", "dense", 1, 0.6), out = folders_.path("page.html");
  page({run});
  const std::string before = text_of(out);
  write_text(run + "/metrics.jsonl", "{}\n");
  EXPECT_TRUE(contains(message_of([&] {
                         report({{run}, out});
                       }),
                       "metrics.jsonl:1: test_loss: expected a number, found no such key"));
  EXPECT_EQ(text_of(out), before);
}

TEST_F(Report, LeavesOutPicturesThatAreTooLarge) {
  const std::string run = analysed_head("a", 1);
  write_text(run + "/analysis/examples/e1.png", "\x89PNG" + std::string(700'000, 'x'));
  const std::string text = page({run});
  EXPECT_TRUE(lacks(text, "data:image"));
  EXPECT_TRUE(contains(text, "One sheet left out"));
}

}  // namespace
}  // namespace moefb::report
