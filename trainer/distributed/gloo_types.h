// What c10d's ProcessGroupGloo.hpp needs of Gloo's headers, which LibTorch's packages leave out: it names Gloo's types
// by pointer only, and its one class derived from them is made inside LibTorch, never by us. Copied under the names of
// the five headers (CMakeLists.txt), hence the guard instead of a pragma. Nothing here may be instantiated.
#ifndef MOEFB_TRAINER_DISTRIBUTED_GLOO_TYPES_H
#define MOEFB_TRAINER_DISTRIBUTED_GLOO_TYPES_H

#include <chrono>
#include <string>
#include <vector>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace transport {
class Device;
class UnboundBuffer;
}  // namespace transport

namespace rendezvous {
class Store {
 public:
  virtual ~Store() = default;
  virtual void set(const std::string& key, const std::vector<char>& value) = 0;
  virtual std::vector<char> get(const std::string& key) = 0;
  virtual void wait(const std::vector<std::string>& keys) = 0;
  virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout) = 0;
};
}  // namespace rendezvous

}  // namespace gloo

#endif
