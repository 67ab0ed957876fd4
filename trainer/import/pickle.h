// Python's pickle as torch.save writes it (protocol 2), read as data. A pickle is a program: ours knows the
// instructions that build containers, numbers, texts and tensors, and refuses every other one by name. Nothing is
// imported or called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moefb::trainer::pickle {

enum class Kind : uint8_t { kNone, kBool, kInt, kFloat, kText, kTuple, kList, kDict, kGlobal, kStorage, kTensor };

/// One Python object. Which members mean something depends on `kind`.
struct Object {
  Kind kind = Kind::kNone;
  int64_t integer = 0;         ///< kBool, kInt; kStorage: its elements; kTensor: its offset in elements
  double number = 0;           ///< kFloat
  std::string text;            ///< kText; kGlobal: "module name"; kStorage: its key, the name of its file
  std::string dtype;           ///< kStorage: "Float" of torch.FloatStorage
  std::vector<Object*> items;  ///< kTuple, kList; kDict: key, value, key, value; kTensor: storage, shape, strides

  /// Of a dict, by a text key: the last that was set. Null if there is none.
  const Object* find(std::string_view key) const;
};

/// "int", "dict", ...: for messages.
const char* kind_name(Kind kind);

/// The objects of one pickle. They may refer to each other in circles: walk no deeper than you expect to.
class Pickle {
 public:
  /// @param name  stands for the file in messages
  /// @throws std::runtime_error that names file, position and instruction: cut short, an instruction or a global that
  /// torch.save does not use for tensors, operands of another kind than expected
  Pickle(std::span<const std::byte> bytes, const std::string& name);

  const Object& root() const { return *root_; }

 private:
  std::deque<Object> objects_;  ///< a deque: its elements stay where they are
  const Object* root_ = nullptr;
};

}  // namespace moefb::trainer::pickle
