// A run's history as TensorBoard reads it: an event file, written by hand, for LibTorch exports protobuf's symbols.
//
// The file is a function of metrics.jsonl, so that a run that was stopped, killed and resumed has every step once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace moefb::trainer {

/// Records in the framing of TensorFlow (tensorflow/core/lib/io/record_writer.h): u64 length, its masked CRC32C, the
/// data, its masked CRC32C. Each is an `Event` (tensorflow/core/util/event.proto), the first the file's version, the
/// others a line's scalars at step `epoch`: numbers under `train/loss`, `val/acc` and so on, lists under one tag an
/// element, `train/util/0` say; the test's at the epoch that was tested.
/// @param lines  of metrics.jsonl
std::string tensorboard_events(const std::vector<nlohmann::ordered_json>& lines);

/// Makes `path` hold `events`. What it begins with already stays as it is, so that TensorBoard, which may have the file
/// open, sees it grow. @throws std::runtime_error that names the file and the system's reason
void write_event_file(const std::string& path, std::string_view events);

}  // namespace moefb::trainer
