#include "trainer/analysis/efficiency_report.h"

#include "trainer/analysis/machine.h"
#include "trainer/analysis/time_summary.h"

namespace moefb::trainer {
namespace {

using nlohmann::ordered_json;

constexpr double kMebibyte = 1 << 20;

ordered_json row_json(const Contestant& row, const Protocol& protocol) {
  const TimeSummary time = summarise(row.milliseconds);
  ordered_json json = {{"engine", row.name.engine},   {"dispatch", row.name.dispatch},
                       {"kernels", row.name.kernels}, {"device", "cpu"},
                       {"threads", row.name.threads}, {"batch", protocol.batch},
                       {"warmup", protocol.warmup},   {"batches", row.milliseconds.size()},
                       {"mean_ms", time.mean},        {"std_ms", time.deviation},
                       {"median_ms", time.median},    {"images_per_s", 1000 * double(protocol.batch) / time.mean},
                       {"peak_mib", nullptr}};
  if (row.peak_bytes) json["peak_mib"] = double(*row.peak_bytes) / kMebibyte;
  return json;
}

ordered_json rows_json(const std::vector<Contestant>& rows, const Protocol& protocol) {
  ordered_json list = ordered_json::array();
  for (const Contestant& row : rows) list.push_back(row_json(row, protocol));
  return list;
}

template <typename... Values>
std::string format(const char* text, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), text, values...);
  return line;
}

std::string table(const std::vector<Contestant>& rows, const Protocol& protocol) {
  std::string text = "engine    dispatch  threads  mean ms  (std)    median ms  images/s  peak MiB\n";
  for (const Contestant& row : rows) {
    const TimeSummary time = summarise(row.milliseconds);
    text +=
        format("%-8s  %-8s  %7d  %7.3f  (%5.3f)  %9.3f  %8.0f  ", row.name.engine.c_str(), row.name.dispatch.c_str(),
               row.name.threads, time.mean, time.deviation, time.median, 1000 * double(protocol.batch) / time.mean);
    text += row.peak_bytes ? format("%8.1f\n", double(*row.peak_bytes) / kMebibyte) : "unknown\n";
  }
  return text;
}

}  // namespace

ordered_json to_json(const EfficiencyReport& report) {
  ordered_json json = {{"format", 1},
                       {"machine", describe_machine()},
                       {"protocol", report.protocol.name},
                       {"parameters", report.info.parameters},
                       {"active_parameters", report.info.active_parameters},
                       {"multiply_adds", report.info.multiply_adds},
                       {"f32_mib", 4 * double(report.info.parameters) / kMebibyte},
                       {"pictures", report.pictures},
                       {"accuracy", report.accuracy},
                       {"rows", rows_json(report.rows, report.protocol)}};
  if (!report.head) return json;
  json["head"] = {{"parameters", report.head->info.parameters},
                  {"active_parameters", report.head->info.active_parameters},
                  {"multiply_adds", report.head->info.multiply_adds},
                  {"rows", rows_json(report.head->rows, report.protocol)}};
  return json;
}

std::string describe(const EfficiencyReport& report) {
  const FileInfo& info = report.info;
  std::string text = format("%.3g M parameters, %.3g M on the path of a token, %.3g M multiply-adds; batch %ld\n",
                            double(info.parameters) / 1e6, double(info.active_parameters) / 1e6,
                            double(info.multiply_adds) / 1e6, long(report.protocol.batch));
  text += table(report.rows, report.protocol);
  if (!report.head) return text;
  text += format("the head alone, %.3g M multiply-adds\n", double(report.head->info.multiply_adds) / 1e6);
  return text + table(report.head->rows, report.protocol);
}

}  // namespace moefb::trainer
