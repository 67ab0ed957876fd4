// The store through which processes find each other, served by whoever starts them.
#pragma once

#include <cstdint>
#include <memory>

namespace moefb::trainer {

/// A key-value store on a free port of this machine, while it lives.
class StoreServer {
 public:
  StoreServer();
  ~StoreServer();
  StoreServer(const StoreServer&) = delete;
  StoreServer& operator=(const StoreServer&) = delete;

  int64_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moefb::trainer
