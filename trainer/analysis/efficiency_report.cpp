#include "trainer/analysis/efficiency_report.h"

#include "trainer/analysis/machine.h"
#include "trainer/analysis/time_summary.h"
#include "trainer/train/counted.h"

namespace moefb::trainer {
namespace {

using nlohmann::ordered_json;

constexpr double kMebibyte = 1 << 20;

/// 12.3 M, 4.56 k, 789
std::string short_count(int64_t count) {
  const auto scaled = [count](double unit, const char* name) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g %s", double(count) / unit, name);
    return std::string(text);
  };
  if (count >= 1'000'000) return scaled(1e6, "M");
  return count >= 1'000 ? scaled(1e3, "k") : std::to_string(count);
}

ordered_json row_json(const Contestant& row, const Protocol& protocol) {
  const TimeSummary time = summarise(row.milliseconds);
  ordered_json json = {{"engine", row.name.engine},   {"dispatch", row.name.dispatch},
                       {"kernels", row.name.kernels}, {"device", row.name.device},
                       {"threads", row.name.threads}, {"batch", protocol.batch},
                       {"warmup", protocol.warmup},   {"batches", row.milliseconds.size()},
                       {"mean_ms", time.mean},        {"std_ms", time.deviation},
                       {"median_ms", time.median},    {"images_per_s", 1000 * double(protocol.batch) / time.mean},
                       {"peak_mib", nullptr}};
  if (row.peak_bytes) json["peak_mib"] = double(*row.peak_bytes) / kMebibyte;
  return json;
}

ordered_json rows_json(const Efficiency& part) {
  ordered_json list = ordered_json::array();
  for (const TimedRows& timed : part.timed) {
    for (const Contestant& row : timed.rows) list.push_back(row_json(row, timed.protocol));
  }
  return list;
}

template <typename... Values>
std::string format(const char* text, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), text, values...);
  return line;
}

/// "2 threads"; "cuda"
std::string place(const EngineName& name) {
  if (name.device != "cpu") return name.device;
  return counted(name.threads, "thread");
}

std::string line(const Contestant& row, int64_t batch) {
  const TimeSummary time = summarise(row.milliseconds);
  const std::string text = format("  %-8s  %-8s  %-10s %5ld  %9.3f  %8.3f  %9.3f  %9.0f  ", row.name.engine.c_str(),
                                  row.name.dispatch.c_str(), place(row.name).c_str(), long(batch), time.mean,
                                  time.deviation, time.median, 1000 * double(batch) / time.mean);
  return text + (row.peak_bytes ? format("%8.1f\n", double(*row.peak_bytes) / kMebibyte) : " unknown\n");
}

std::string table(const Efficiency& part) {
  std::string text = "  engine    dispatch  on         batch    mean ms    std ms  median ms   images/s  peak MiB\n";
  for (const TimedRows& timed : part.timed) {
    for (const Contestant& row : timed.rows) text += line(row, timed.protocol.batch);
  }
  return text;
}

std::string describe(const char* name, const FileInfo& info) {
  return format("%s: %s parameters, %s active, %s multiply-adds a picture\n", name,
                short_count(info.parameters).c_str(), short_count(info.active_parameters).c_str(),
                short_count(info.multiply_adds).c_str());
}

}  // namespace

ordered_json to_json(const EfficiencyReport& report) {
  const FileInfo& info = report.network.info;
  ordered_json json = {{"format", 1},
                       {"machine", describe_machine()},
                       {"protocol", report.network.timed.front().protocol.name},
                       {"parameters", info.parameters},
                       {"active_parameters", info.active_parameters},
                       {"multiply_adds", info.multiply_adds},
                       {"f32_mib", 4 * double(info.parameters) / kMebibyte},
                       {"pictures", report.pictures},
                       {"accuracy", report.accuracy},
                       {"rows", rows_json(report.network)}};
  const bool on_gpu = report.network.timed.size() > 1;
  if (on_gpu) json["machine"]["gpu"] = gpu_model();
  if (!report.head) return json;
  json["head"] = {{"parameters", report.head->info.parameters},
                  {"active_parameters", report.head->info.active_parameters},
                  {"multiply_adds", report.head->info.multiply_adds},
                  {"rows", rows_json(*report.head)}};
  return json;
}

std::string describe(const EfficiencyReport& report) {
  std::string text = describe("network", report.network.info) + table(report.network);
  if (report.head) text += describe("head alone", report.head->info) + table(*report.head);
  return text;
}

}  // namespace moefb::trainer
