// Reading one object of a configuration (config.json, a TOML file): values are checked where they are read, and a key
// that nobody read is an error.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

namespace moefb::trainer {

/// A view of a JSON object, which must outlive it. Every reader throws std::runtime_error that names the file, the key,
/// what was expected and what was found.
class Settings {
 public:
  /// @param source  the file, for messages
  /// @param prefix  "" at top level, "train." for the object `train`
  Settings(const nlohmann::json& object, std::string source, std::string prefix = "");

  /// Counts as reading the key.
  bool has(const std::string& key);

  bool boolean(const std::string& key, bool fallback);
  int64_t integer(const std::string& key, int64_t fallback, int64_t min, int64_t max);
  double number(const std::string& key, double fallback, double min, double max);
  std::string text(const std::string& key, const std::string& fallback);
  /// One of `names`. @return its index
  size_t choice(const std::string& key, size_t fallback, const std::vector<std::string>& names);
  std::vector<int64_t> integers(const std::string& key, const std::vector<int64_t>& fallback);
  /// One whole number or a list of at least one, each from min to max.
  std::vector<int64_t> one_or_more(const std::string& key, const std::vector<int64_t>& fallback, int64_t min,
                                   int64_t max);
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback);
  std::vector<std::string> texts(const std::string& key);

  /// The object under `key`; an empty one where it is absent.
  Settings object(const std::string& key);

  /// Refuses keys that were not read, with a list of those that could have been.
  void finish() const;

  /// @throws std::runtime_error "FILE: train.epochs: MESSAGE"
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  const nlohmann::json* find(const std::string& key);

  const nlohmann::json* object_;
  std::string source_;
  std::string prefix_;
  std::set<std::string> read_;
};

}  // namespace moefb::trainer
