#include "trainer/report/fields.h"

#include <limits>
#include <stdexcept>

#include "converter/strict_json.h"

namespace moefb::report {
namespace {

using Json = nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_number(const Json& value) {
  return value.is_number() || value.is_null();
}

double as_number(const Json& value) {
  return value.is_null() ? kNaN : value.get<double>();
}

bool are_numbers(const Json& value) {
  if (!value.is_array()) return false;
  for (const Json& one : value) {
    if (!is_number(one)) return false;
  }
  return true;
}

std::vector<double> as_numbers(const Json& value) {
  std::vector<double> numbers;
  for (const Json& one : value) numbers.push_back(as_number(one));
  return numbers;
}

bool is_matrix(const Json& value) {
  if (!value.is_array()) return false;
  for (const Json& row : value) {
    if (!are_numbers(row) || row.size() != value[0].size()) return false;
  }
  return true;
}

}  // namespace

Fields::Fields(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) throw std::runtime_error(where_ + ": expected an object, found " + shown(object));
}

bool Fields::has(const std::string& key) const {
  const auto found = object_->find(key);
  return found != object_->end() && !found->is_null();
}

void Fields::fail(const std::string& key, const std::string& expected) const {
  const auto found = object_->find(key);
  throw std::runtime_error(where_ + ": " + key + ": expected " + expected + ", found " +
                           (found == object_->end() ? "no such key" : shown(*found)));
}

const Json& Fields::at(const std::string& key) const {
  static const Json kAbsent;
  const auto found = object_->find(key);
  return found == object_->end() ? kAbsent : *found;
}

double Fields::number(const std::string& key) const {
  if (!object_->contains(key)) fail(key, "a number");
  return number_if_any(key);
}

double Fields::number_if_any(const std::string& key) const {
  if (!is_number(at(key))) fail(key, "a number");
  return as_number(at(key));
}

int64_t Fields::integer(const std::string& key) const {
  // is_number_integer() also holds for what only fits into 64 bits without a sign.
  const Json& value = at(key);
  const bool fits = !value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t(INT64_MAX);
  if (!value.is_number_integer() || !fits) fail(key, "an integer");
  return value.get<int64_t>();
}

int64_t Fields::integer_if_any(const std::string& key, int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

std::string Fields::text(const std::string& key) const {
  if (!at(key).is_string()) fail(key, "text");
  return at(key).get<std::string>();
}

std::string Fields::text_if_any(const std::string& key) const {
  return has(key) ? text(key) : "";
}

std::vector<double> Fields::numbers(const std::string& key) const {
  if (!are_numbers(at(key))) fail(key, "a list of numbers");
  return as_numbers(at(key));
}

std::vector<double> Fields::numbers_if_any(const std::string& key) const {
  return has(key) ? numbers(key) : std::vector<double>();
}

std::vector<std::string> Fields::texts_if_any(const std::string& key) const {
  std::vector<std::string> texts;
  if (!has(key)) return texts;
  if (!at(key).is_array()) fail(key, "a list of texts");
  for (const Json& one : at(key)) {
    if (!one.is_string()) fail(key, "a list of texts");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

Matrix Fields::matrix(const std::string& key) const {
  const Json& value = at(key);
  if (!is_matrix(value)) fail(key, "a list of rows of numbers, all of one length");
  Matrix matrix{value.size(), value.empty() ? 0 : value[0].size(), {}};
  for (const Json& row : value) {
    for (const Json& one : row) matrix.values.push_back(as_number(one));
  }
  return matrix;
}

Matrix Fields::matrix_if_any(const std::string& key) const {
  return has(key) ? matrix(key) : Matrix();
}

Fields Fields::object(const std::string& key) const {
  if (!at(key).is_object()) fail(key, "an object");
  return Fields(at(key), where_ + ": " + key);
}

std::vector<Fields> Fields::objects_if_any(const std::string& key) const {
  std::vector<Fields> objects;
  if (!has(key)) return objects;
  const Json& list = at(key);
  if (!list.is_array()) fail(key, "a list of objects");
  for (size_t i = 0; i < list.size(); ++i)
    objects.emplace_back(list[i], where_ + ": " + key + "[" + std::to_string(i) + "]");
  return objects;
}

void Fields::each_number(const std::function<void(const std::string&, double)>& visit) const {
  for (const auto& [key, value] : object_->items()) {
    if (is_number(value)) visit(key, as_number(value));
  }
}

}  // namespace moefb::report
