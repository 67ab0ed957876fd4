#include "trainer/train/sweep_results.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "trainer/train/metrics_log.h"

namespace moefb::trainer {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

const std::vector<std::string> kStatus = {"open", "finished", "failed"};

void add_line(const Json& line, SweepRun& run) {
  if (line.contains("epoch")) {
    ++run.epochs;
    run.best_val_acc = std::max(run.best_val_acc.value_or(0), line.at("val_acc").get<double>());
    run.seconds += line.value("seconds", 0.0);
  } else if (line.contains("test_acc")) {
    run.test_acc = line.at("test_acc").get<double>();
    run.status = RunStatus::kFinished;
  }
}

std::string format(const char* pattern, double value) {
  char text[48];
  std::snprintf(text, sizeof(text), pattern, value);
  return text;
}

std::string per_cent(const std::optional<double>& share) {
  return share ? format("%.2f", 100 * *share) : "-";
}

std::string plain(const std::optional<double>& value) {
  return value ? format("%.6g", *value) : "";
}

Row header(const std::vector<SweepRun>& runs) {
  Row row;
  if (!runs.empty()) {
    for (const auto& [key, value] : runs[0].point.parameters) row.push_back(key);
  }
  return row;
}

Row values_of(const SweepRun& run) {
  Row row;
  for (const auto& [key, value] : run.point.parameters) row.push_back(value);
  return row;
}

void append(Row& row, const Row& more) {
  row.insert(row.end(), more.begin(), more.end());
}

/// Each column as wide as its widest cell, two blanks between columns.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += row[i] + std::string(last ? 0 : widths[i] - row[i].size() + 2, ' ');
    }
    text += "\n";
  }
  return text;
}

/// RFC 4180: in quotes where it has a comma, a quote or a line end.
std::string csv_cell(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_line(const Row& row) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : ",") + csv_cell(row[i]);
  return line + "\n";
}

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

std::optional<double> optional_number(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

}  // namespace

void read_results(const std::string& run_folder, SweepRun& run) {
  const std::string path = run_folder + "/metrics.jsonl";
  if (!std::filesystem::exists(path)) return;
  SweepRun found{run.point, RunStatus::kOpen, 0, {}, {}, 0, run.error};
  for (const Json& line : read_metrics(path)) add_line(line, found);
  if (found.status == RunStatus::kOpen) found.status = run.status;
  run = found;
}

std::vector<SweepRun> sorted(std::vector<SweepRun> runs) {
  std::stable_sort(runs.begin(), runs.end(), [](const SweepRun& a, const SweepRun& b) {
    return a.best_val_acc.value_or(-1) > b.best_val_acc.value_or(-1);
  });
  return runs;
}

std::string results_table(const std::vector<SweepRun>& runs) {
  std::vector<Row> rows = {header(runs)};
  append(rows[0], {"val acc %", "test acc %", "epochs", "seconds", "status"});
  for (const SweepRun& run : runs) {
    rows.push_back(values_of(run));
    append(rows.back(), {per_cent(run.best_val_acc), per_cent(run.test_acc), std::to_string(run.epochs),
                         format("%.1f", run.seconds), kStatus[size_t(run.status)]});
  }
  return aligned(rows);
}

std::string results_csv(const std::vector<SweepRun>& runs) {
  Row names = {"run"};
  append(names, header(runs));
  append(names, {"best_val_acc", "test_acc", "epochs", "seconds", "status", "error"});
  std::string text = csv_line(names);
  for (const SweepRun& run : runs) {
    Row row = {run.point.name};
    append(row, values_of(run));
    append(row, {plain(run.best_val_acc), plain(run.test_acc), std::to_string(run.epochs), format("%.3f", run.seconds),
                 kStatus[size_t(run.status)], run.error});
    text += csv_line(row);
  }
  return text;
}

Json results_json(const std::vector<SweepRun>& runs) {
  Json json = Json::array();
  for (const SweepRun& run : runs) {
    Json parameters = Json::object();
    for (const auto& [key, value] : run.point.parameters) parameters[key] = value;
    json.push_back({{"run", run.point.name},
                    {"parameters", parameters},
                    {"status", kStatus[size_t(run.status)]},
                    {"epochs", run.epochs},
                    {"best_val_acc", number_or_null(run.best_val_acc)},
                    {"test_acc", number_or_null(run.test_acc)},
                    {"seconds", run.seconds},
                    {"error", run.error}});
  }
  return json;
}

std::vector<SweepRun> runs_of_json(const Json& json) {
  std::vector<SweepRun> runs;
  for (const Json& entry : json) {
    SweepRun run;
    run.point.name = entry.at("run").get<std::string>();
    for (const auto& [key, value] : entry.at("parameters").items())
      run.point.parameters.emplace_back(key, value.get<std::string>());
    const auto status = std::find(kStatus.begin(), kStatus.end(), entry.at("status").get<std::string>());
    run.status = status == kStatus.end() ? RunStatus::kOpen : RunStatus(status - kStatus.begin());
    run.epochs = entry.at("epochs").get<int64_t>();
    run.best_val_acc = optional_number(entry.at("best_val_acc"));
    run.test_acc = optional_number(entry.at("test_acc"));
    run.seconds = entry.at("seconds").get<double>();
    run.error = entry.at("error").get<std::string>();
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace moefb::trainer
