#include "trainer/import/pickle.h"

#include <bit>
#include <cstring>
#include <map>
#include <stdexcept>

namespace moefb::trainer::pickle {
namespace {

/// Instructions of protocol 2 that torch.save writes, by the names of Python's pickletools.
enum Op : uint8_t {
  kProto = 0x80,
  kStop = '.',
  kMark = '(',
  kNone = 'N',
  kTrue = 0x88,
  kFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kEmptyTuple = ')',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTuple = 't',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBuild = 'b',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
};

/// The instructions' bytes. Knows where it is, so it also makes the messages.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  [[noreturn]] void fail(const std::string& message) const {
    throw std::runtime_error(name_ + ": pickle, byte " + std::to_string(instruction_) + ": " + message);
  }

  uint8_t next_instruction() {
    instruction_ = at_;
    return uint8_t(take(1)[0]);
  }

  std::span<const std::byte> take(uint64_t count) {
    if (count > bytes_.size() - at_) fail("cut short");
    const auto taken = bytes_.subspan(at_, size_t(count));
    at_ += size_t(count);
    return taken;
  }

  uint64_t little_endian(int count) {
    uint64_t value = 0;
    const auto bytes = take(uint64_t(count));
    for (int i = 0; i < count; ++i) value |= uint64_t(bytes[size_t(i)]) << (8 * i);
    return value;
  }

  double big_endian_double() {
    uint64_t bits = 0;
    for (const std::byte b : take(8)) bits = bits << 8 | uint64_t(b);
    return std::bit_cast<double>(bits);
  }

  std::string text(uint64_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::string line() {
    const auto rest = bytes_.subspan(at_);
    size_t length = 0;
    while (length < rest.size() && char(rest[length]) != '\n') ++length;
    const std::string found = text(length);
    take(1);
    return found;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
  size_t at_ = 0;
  size_t instruction_ = 0;
};

class Machine {
 public:
  Machine(Reader reader, std::deque<Object>& objects) : reader_(reader), objects_(objects) {}

  const Object* run() {
    if (reader_.next_instruction() != kProto || reader_.little_endian(1) != 2) reader_.fail("expected protocol 2");
    for (;;) {
      const uint8_t op = reader_.next_instruction();
      if (op == kStop) return pop();
      if (!step_scalar(op) && !step_container(op) && !step_memo(op) && !step_object(op)) {
        reader_.fail("instruction " + std::to_string(op) + " is not one that torch.save writes for tensors");
      }
    }
  }

 private:
  bool step_scalar(uint8_t op) {
    switch (op) {
      case kNone:
        push(Kind::kNone);
        return true;
      case kTrue:
      case kFalse:
        push(Kind::kBool).integer = op == kTrue;
        return true;
      case kBinInt:
        push(Kind::kInt).integer = int32_t(reader_.little_endian(4));
        return true;
      case kBinInt1:
        push(Kind::kInt).integer = int64_t(reader_.little_endian(1));
        return true;
      case kBinInt2:
        push(Kind::kInt).integer = int64_t(reader_.little_endian(2));
        return true;
      case kLong1:
        push(Kind::kInt).integer = read_long();
        return true;
      case kBinFloat:
        push(Kind::kFloat).number = reader_.big_endian_double();
        return true;
      case kBinUnicode:
        push(Kind::kText).text = reader_.text(reader_.little_endian(4));
        return true;
      default:
        return false;
    }
  }

  bool step_container(uint8_t op) {
    switch (op) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kEmptyTuple:
        push(Kind::kTuple);
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push_tuple(pop_last(size_t(op - kTuple1 + 1)));
        return true;
      case kTuple:
        push_tuple(pop_to_mark());
        return true;
      case kEmptyList:
        push(Kind::kList);
        return true;
      case kAppend:
        extend(Kind::kList, pop_last(1));
        return true;
      case kAppends:
        extend(Kind::kList, pop_to_mark());
        return true;
      case kEmptyDict:
        push(Kind::kDict);
        return true;
      case kSetItem:
        extend(Kind::kDict, pop_last(2));
        return true;
      case kSetItems:
        extend(Kind::kDict, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool step_memo(uint8_t op) {
    switch (op) {
      case kBinPut:
        memo_[reader_.little_endian(1)] = top();
        return true;
      case kLongBinPut:
        memo_[reader_.little_endian(4)] = top();
        return true;
      case kBinGet:
        recall(reader_.little_endian(1));
        return true;
      case kLongBinGet:
        recall(reader_.little_endian(4));
        return true;
      default:
        return false;
    }
  }

  bool step_object(uint8_t op) {
    switch (op) {
      case kGlobal: {
        const std::string module = reader_.line();
        push(Kind::kGlobal).text = module + " " + reader_.line();
        return true;
      }
      case kBinPersId:
        push_storage(*pop(Kind::kTuple));
        return true;
      case kReduce: {
        const Object& arguments = *pop(Kind::kTuple);
        const Object& callable = *pop(Kind::kGlobal);
        reduce(callable.text, arguments);
        return true;
      }
      case kBuild:  // attributes of an OrderedDict: torch stores format versions there
        pop(Kind::kDict);
        expect(*top(), Kind::kDict);
        return true;
      default:
        return false;
    }
  }

  /// ("storage", torch.FloatStorage, key, device, elements)
  void push_storage(const Object& id) {
    constexpr std::string_view kModule = "torch ";
    constexpr std::string_view kSuffix = "Storage";
    if (id.items.size() != 5) reader_.fail("expected a storage of 5 items, found " + std::to_string(id.items.size()));
    if (expect(*id.items[0], Kind::kText).text != "storage") reader_.fail("expected a storage");
    const std::string& type = expect(*id.items[1], Kind::kGlobal).text;
    if (!type.starts_with(kModule) || !type.ends_with(kSuffix) || type.size() <= kModule.size() + kSuffix.size()) {
      reader_.fail("expected a storage type of torch, found " + type);
    }
    Object& storage = push(Kind::kStorage);
    storage.dtype = type.substr(kModule.size(), type.size() - kModule.size() - kSuffix.size());
    storage.text = expect(*id.items[2], Kind::kText).text;
    storage.integer = expect(*id.items[4], Kind::kInt).integer;
  }

  /// What a call would return, for the three that torch.save writes.
  void reduce(const std::string& callable, const Object& arguments) {
    if (callable == "collections OrderedDict" && arguments.items.empty()) {
      push(Kind::kDict);
    } else if (callable == "torch._utils _rebuild_tensor_v2" && arguments.items.size() >= 4) {
      push_tensor(arguments);
    } else if (callable == "torch._utils _rebuild_parameter" && !arguments.items.empty()) {
      stack_.push_back(&expect(*arguments.items[0], Kind::kTensor));
    } else {
      reader_.fail("refuses to call " + callable + " with " + std::to_string(arguments.items.size()) + " arguments");
    }
  }

  /// (storage, offset, shape, strides, ...): the rest concerns gradients
  void push_tensor(const Object& arguments) {
    Object& storage = expect(*arguments.items[0], Kind::kStorage);
    const int64_t offset = expect(*arguments.items[1], Kind::kInt).integer;
    Object& shape = expect(*arguments.items[2], Kind::kTuple);
    Object& strides = expect(*arguments.items[3], Kind::kTuple);
    for (const Object* list : {&shape, &strides}) {
      for (Object* item : list->items) expect(*item, Kind::kInt);
    }
    Object& tensor = push(Kind::kTensor);
    tensor.integer = offset;
    tensor.items = {&storage, &shape, &strides};
  }

  /// Two's complement of any length; none of ours needs more than 8 bytes.
  int64_t read_long() {
    const uint64_t length = reader_.little_endian(1);
    if (length > 8) reader_.fail("expected a whole number of at most 8 bytes, found " + std::to_string(length));
    const uint64_t value = reader_.little_endian(int(length));
    const int unused = int(64 - 8 * length);
    return length == 0 ? 0 : int64_t(value << unused) >> unused;
  }

  Object& push(Kind kind) {
    objects_.emplace_back().kind = kind;
    stack_.push_back(&objects_.back());
    return objects_.back();
  }

  void push_tuple(std::vector<Object*> items) { push(Kind::kTuple).items = std::move(items); }

  void extend(Kind kind, const std::vector<Object*>& items) {
    if (kind == Kind::kDict && items.size() % 2 != 0) reader_.fail("a dict gets a key without a value");
    std::vector<Object*>& all = expect(*top(), kind).items;
    all.insert(all.end(), items.begin(), items.end());
  }

  void recall(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) reader_.fail("nothing was stored under " + std::to_string(key));
    stack_.push_back(found->second);
  }

  /// What lies on the stack above the last mark.
  size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Object* top() {
    if (available() == 0) reader_.fail("the stack is empty");
    return stack_.back();
  }

  std::vector<Object*> pop_last(size_t count) {
    if (available() < count) reader_.fail("the stack is empty");
    const std::vector<Object*> items(stack_.end() - std::ptrdiff_t(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  std::vector<Object*> pop_to_mark() {
    if (marks_.empty()) reader_.fail("there is no mark");
    std::vector<Object*> items = pop_last(available());
    marks_.pop_back();
    return items;
  }

  Object* pop() { return pop_last(1)[0]; }
  Object* pop(Kind kind) { return &expect(*pop(), kind); }

  Object& expect(Object& object, Kind kind) const {
    if (object.kind == kind) return object;
    reader_.fail(std::string("expected a ") + kind_name(kind) + ", found a " + kind_name(object.kind));
  }

  Reader reader_;
  std::deque<Object>& objects_;
  std::vector<Object*> stack_;
  std::vector<size_t> marks_;
  std::map<uint64_t, Object*> memo_;
};

}  // namespace

const Object* Object::find(std::string_view key) const {
  for (size_t i = items.size(); kind == Kind::kDict && i >= 2; i -= 2) {
    const Object& candidate = *items[i - 2];
    if (candidate.kind == Kind::kText && candidate.text == key) return items[i - 1];
  }
  return nullptr;
}

const char* kind_name(Kind kind) {
  constexpr const char* kNames[] = {"None", "bool", "int",    "float",   "text",  "tuple",
                                    "list", "dict", "global", "storage", "tensor"};
  return kNames[size_t(kind)];
}

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& name)
    : root_(Machine(Reader(bytes, name), objects_).run()) {}

}  // namespace moefb::trainer::pickle
