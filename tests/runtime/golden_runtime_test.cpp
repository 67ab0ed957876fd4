// The published code's answers, through our converter and runtime: every evaluation fixture, every dispatch, every kind
// of kernels.
//
// Limits: docs/design.md, section 6. Fixtures: tests/data/golden/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "golden_models.h"
#include "moefb/executor.h"
#include "moefb/inspect.h"

namespace moefb {
namespace {

using golden::Converted;
using golden::Fixture;
using golden::load;

const std::set<std::string> kModelKinds = {"cifar_e2e", "cifar_head", "patch_net"};

bool is_head(const Fixture& f) {
  return f.kind().starts_with("cifar");
}
bool is_uniform_phase(const Fixture& f) {
  return f.config.value("current_epoch", 10) < 10;
}
bool is_evaluation(const Fixture& f) {
  return f.has_state_dict() && f.config.value("mode", "eval") != "train";
}

std::vector<Fixture> select(bool (*wanted)(const Fixture&)) {
  std::vector<Fixture> chosen;
  for (Fixture& f : golden::all_fixtures()) {
    if (wanted(f)) chosen.push_back(std::move(f));
  }
  return chosen;
}

bool is_model(const Fixture& f) {
  return is_evaluation(f) && kModelKinds.contains(f.kind()) && !is_uniform_phase(f);
}
bool is_refused(const Fixture& f) {
  return is_evaluation(f) && (!kModelKinds.contains(f.kind()) || is_uniform_phase(f));
}

std::string parameter_name(const testing::TestParamInfo<Fixture>& info) {
  return golden::test_name(info.param);
}

/// What the fixture says should come out, with the runtime's tie rule: among equal scores the lowest index.
struct Expected {
  std::vector<float> input, logits;
  int64_t batch = 0;
  std::map<std::string, safetensors::Tensor> trace;
};

/// The stored choice among tied experts is the framework's; ours follows from scores, probabilities and every expert's
/// answer.
void settle_ties(const Fixture& f, const safetensors::File& io, Expected& e) {
  const auto scores = io.tensors.at("gate_scores").to_f32(), probs = io.tensors.at("probs").to_f32();
  const auto answers = io.tensors.at("expert_logits").to_f32();
  const int64_t E = io.tensors.at("probs").shape[1], C = int64_t(e.logits.size()) / e.batch, K = f.config.at("k");
  std::vector<int64_t> chosen;
  for (int64_t b = 0; b < e.batch; ++b) {
    std::vector<int64_t> order(static_cast<size_t>(E));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t x, int64_t y) { return scores[size_t(b * E + x)] > scores[size_t(b * E + y)]; });
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) {
        const int64_t at = b * E + order[size_t(k)];
        sum += double(probs[size_t(at)]) * double(answers[size_t(at * C + c)]);
      }
      e.logits[size_t(b * C + c)] = float(sum);
    }
    chosen.insert(chosen.end(), order.begin(), order.begin() + K);
  }
  e.trace["topk_idx"] = safetensors::Tensor::from_i64({e.batch, K}, chosen);
}

Expected expected(const Fixture& f) {
  static const std::set<std::string> kTraced = {
      "topk_idx",      "assigned_expert", "slot",        "kept",   "tokens_per_expert",
      "capacity",      "gate_logits",     "gate_scores", "probs",  "merged",
      "scaled_logits", "combine_weight",  "features",    "layer1", "layer2",
      "layer3",        "layer4",          "out",         "stem",   "pooled"};
  const safetensors::File io = f.io();
  Expected e;
  e.input = io.tensors.at("input").to_f32();
  e.logits = io.tensors.at("logits").to_f32();
  e.batch = io.tensors.at("input").shape[0];
  for (const auto& [name, tensor] : io.tensors) {
    const size_t dot = name.rfind('.');
    const std::string leaf = dot == std::string::npos ? name : name.substr(dot + 1);
    const bool layered = dot == std::string::npos || name.starts_with("layer");
    if (layered && kTraced.contains(leaf)) e.trace.emplace(name, tensor);
  }
  if (f.config.value("identity_stem", false)) e.trace.erase("stem");
  if (f.config.contains("tied_experts")) settle_ties(f, io, e);
  return e;
}

double largest(const std::vector<float>& values) {
  double m = 0;
  for (float v : values) m = std::max(m, std::fabs(double(v)));
  return m;
}

void expect_close(const std::vector<float>& got, const std::vector<float>& want, double bound,
                  const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  size_t worst = 0;
  double error = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double d = std::fabs(double(got[i]) - double(want[i]));
    if (!(d <= error)) error = d, worst = i;
  }
  EXPECT_LE(error, bound) << what << ": element " << worst << " is " << got[worst] << ", expected " << want[worst];
}

std::vector<float> run(Executor& executor, const std::vector<float>& input, size_t logits) {
  std::vector<float> out(logits);
  const Status status = executor.run(input, out);
  char text[200];
  EXPECT_TRUE(status.ok()) << status.describe(text, sizeof text);
  return out;
}

/// The first `batch` rows of `rows`, repeated cyclically.
std::vector<float> cycle(const std::vector<float>& rows, int64_t count, int64_t batch) {
  const size_t row = rows.size() / size_t(count);
  std::vector<float> out;
  for (int64_t b = 0; b < batch; ++b) {
    const auto first = rows.begin() + std::ptrdiff_t(size_t(b % count) * row);
    out.insert(out.end(), first, first + std::ptrdiff_t(row));
  }
  return out;
}

std::vector<std::byte> read_trace(const Executor& executor, const std::string& name, TraceInfo& info) {
  for (int i = 0; i < executor.trace_count(); ++i) {
    info = executor.trace_info(i);
    if (name != info.name) continue;
    std::vector<std::byte> bytes(size_t(info.shape.elements()) * dtype_bytes(info.dtype));
    EXPECT_TRUE(executor.read_trace(i, bytes).ok());
    return bytes;
  }
  ADD_FAILURE() << name << " is not in the trace";
  return {};
}

void expect_trace(const Executor& executor, const Expected& e, double map_limit, const std::string& what) {
  static const std::set<std::string> kScores = {"gate_logits", "gate_scores", "scaled_logits", "probs",
                                                "combine_weight"};
  for (const auto& [name, want] : e.trace) {
    TraceInfo info;
    const std::vector<std::byte> bytes = read_trace(executor, name, info);
    ASSERT_EQ(info.shape.elements(), want.elements()) << what << " " << name;
    if (info.dtype == Dtype::kF32) {
      std::vector<float> got(bytes.size() / sizeof(float));
      std::memcpy(got.data(), bytes.data(), bytes.size());
      const std::vector<float> reference = want.to_f32();
      const bool score = kScores.contains(name.substr(name.rfind('.') + 1));
      expect_close(got, reference, score ? 1e-5 * std::max(1.0, largest(reference)) : map_limit * largest(reference),
                   what + " " + name);
    } else {
      safetensors::Tensor got;
      got.dtype = info.dtype == Dtype::kU8 ? "U8" : "I64";
      got.data = bytes;
      EXPECT_EQ(got.to_i64(), want.to_i64()) << what << " " << name;
    }
  }
}

constexpr std::pair<Dispatch, const char*> kDispatches[] = {
    {Dispatch::kGrouped, "grouped"}, {Dispatch::kNaive, "naive"}, {Dispatch::kAll, "all"}};
constexpr std::pair<Kernels, const char*> kKernels[] = {{Kernels::kReference, "reference"}, {Kernels::kAuto, "auto"}};

class EvaluationFixture : public testing::TestWithParam<Fixture> {};

TEST_P(EvaluationFixture, AgreesWithPublishedCode) {
  const Fixture& f = GetParam();
  const Converted file(f);
  const Expected e = expected(f);
  const double limit = is_head(f) ? 2e-5 : 5e-5;
  for (const auto& [kernels, kernels_name] : kKernels) {
    const Model model = load(file.path(), kernels, int(e.batch));
    for (const auto& [dispatch, dispatch_name] : kDispatches) {
      for (int threads : {1, 2}) {
        const std::string what =
            std::string(kernels_name) + " " + dispatch_name + " " + std::to_string(threads) + " threads";
        ExecutorOptions options;
        options.dispatch = dispatch;
        options.threads = threads;
        options.trace = Trace::kAll;
        auto executor = Executor::create(model, options);
        ASSERT_TRUE(executor.ok()) << what;
        expect_close(run(*executor, e.input, e.logits.size()), e.logits, limit * largest(e.logits), what);
        expect_trace(*executor, e, limit, what);
      }
    }
  }
}

TEST_P(EvaluationFixture, HeadsAnswerEachRowWhateverItsBatch) {
  const Fixture& f = GetParam();
  if (!is_head(f)) return;  // a patch network's capacity spans the batch, as published
  const Converted file(f);
  const Expected e = expected(f);
  for (const auto& [kernels, kernels_name] : kKernels) {
    const Model model = load(file.path(), kernels, 32);
    for (const auto& [dispatch, dispatch_name] : kDispatches) {
      ExecutorOptions options;
      options.dispatch = dispatch;
      auto executor = Executor::create(model, options);
      ASSERT_TRUE(executor.ok());
      for (int64_t batch : {1, 2, 7, 32}) {
        const std::vector<float> want = cycle(e.logits, e.batch, batch);
        const std::string what = std::string(kernels_name) + " " + dispatch_name + " batch " + std::to_string(batch);
        expect_close(run(*executor, cycle(e.input, e.batch, batch), want.size()), want, 2e-5 * largest(e.logits), what);
      }
    }
  }
}

TEST_P(EvaluationFixture, GroupedAndNaiveComputeRoutedRowsOnly) {
  const Fixture& f = GetParam();
  const Converted file(f);
  const Expected e = expected(f);
  const Model model = load(file.path(), Kernels::kReference, int(e.batch));
  for (const auto& [dispatch, dispatch_name] : kDispatches) {
    ExecutorOptions options;
    options.dispatch = dispatch;
    options.trace = Trace::kRouting;
    auto executor = Executor::create(model, options);
    ASSERT_TRUE(executor.ok());
    run(*executor, e.input, e.logits.size());
    std::vector<int32_t> routes(size_t(route_count(model, int(e.batch))));
    ASSERT_TRUE(executor->read_routes(routes).ok());
    const auto dropped = std::count(routes.begin(), routes.end(), -1);
    int64_t computed = 0, all_rows = 0;
    for (int layer = 0, stage = 0; stage < stage_count(model); ++stage) {
      const StageInfo info = stage_info(model, stage);
      if (!info.is_moe) continue;
      for (int64_t rows : executor->expert_rows(layer).rows) computed += rows;
      all_rows += info.router.experts * info.router.tokens_per_image * e.batch;
      ++layer;
    }
    const bool soft = f.config.value("head", "") == "soft";
    const int64_t routed = soft ? all_rows : int64_t(routes.size()) - dropped;
    EXPECT_EQ(computed, dispatch == Dispatch::kAll ? all_rows : routed) << dispatch_name;
  }
}

TEST_P(EvaluationFixture, StoredGoldenVectorsHold) {
  const Converted file(GetParam());
  for (const auto& [kernels, kernels_name] : kKernels) {
    const Model model = load(file.path(), kernels, 4);
    ASSERT_GE(model.golden_count(), 1);
    auto report = check_golden(model, 0);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->passed()) << kernels_name << ": off by " << report->max_error << " (limit " << report->limit
                                  << "), " << report->routes_differ << " routes differ";
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, EvaluationFixture, testing::ValuesIn(select(is_model)), parameter_name);

class OtherFixture : public testing::TestWithParam<Fixture> {};

TEST_P(OtherFixture, IsRefusedByTheConverter) {
  const Fixture& f = GetParam();
  try {
    const Converted file(f);
    FAIL() << "was converted";
  } catch (const std::runtime_error& error) {
    const std::string wanted = kModelKinds.contains(f.kind()) ? "current_epoch" : f.kind();
    EXPECT_NE(std::string(error.what()).find(wanted), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, OtherFixture, testing::ValuesIn(select(is_refused)), parameter_name);

}  // namespace
}  // namespace moefb
