// Typed access to the JSON of run folders. A value of another type is an error that names file, key, what was found and
// what was expected; null stands for a number that is not finite.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/report/matrix.h"

namespace moefb::report {

/// A view: the JSON has to outlive it. The functions that end in `_if_any` take an absent key for nothing.
class Fields {
 public:
  /// @param where  stands for the object in messages: file, line and the keys that lead there
  Fields(const nlohmann::json& object, std::string where);

  bool has(const std::string& key) const;  ///< present, and not null

  double number(const std::string& key) const;         ///< NaN for null
  double number_if_any(const std::string& key) const;  ///< NaN for null and for an absent key
  int64_t integer(const std::string& key) const;
  int64_t integer_if_any(const std::string& key, int64_t otherwise) const;
  std::string text(const std::string& key) const;
  std::string text_if_any(const std::string& key) const;
  std::vector<double> numbers(const std::string& key) const;
  std::vector<double> numbers_if_any(const std::string& key) const;
  std::vector<std::string> texts_if_any(const std::string& key) const;
  Matrix matrix(const std::string& key) const;  ///< a list of rows of one length
  Matrix matrix_if_any(const std::string& key) const;
  Fields object(const std::string& key) const;
  std::vector<Fields> objects_if_any(const std::string& key) const;  ///< a list of objects

  /// Calls `visit` for every key that holds a number or null.
  void each_number(const std::function<void(const std::string& key, double value)>& visit) const;

  const nlohmann::json& json() const { return *object_; }
  /// @throws std::runtime_error always: what `key` should have been
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  const nlohmann::json& at(const std::string& key) const;

  const nlohmann::json* object_;
  std::string where_;
};

}  // namespace moefb::report
