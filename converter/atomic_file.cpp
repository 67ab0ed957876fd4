#include "converter/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace moefb {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  throw std::runtime_error(path + ": " + what + ": " + std::strerror(error));
}

/// An open file, closed when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  /// Some file systems report a failed write only here.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

/// Removes a file unless keep() was called.
class Cleanup {
 public:
  explicit Cleanup(std::string path) : path_(std::move(path)) {}
  ~Cleanup() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Cleanup(const Cleanup&) = delete;
  Cleanup& operator=(const Cleanup&) = delete;

  void keep() { path_.clear(); }

 private:
  std::string path_;
};

/// Where `path` really is. A device or folder is refused, for the rename would put a file in its place.
std::string resolve(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return path;
  if (!S_ISREG(info.st_mode)) throw std::runtime_error(path + ": cannot write: exists and is not a regular file");
  return std::filesystem::canonical(path).string();
}

/// Process and counter, so that neither two processes nor two threads meet.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++);
}

void write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot write", errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

/// Makes the new name last through a crash. Not every file system can, and the file is there already: no error.
void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

}  // namespace

void write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  const std::string target = resolve(path);
  const std::string temporary = temporary_name(target);
  Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (fd.get() < 0) fail(path, "cannot write", errno);
  Cleanup cleanup(temporary);
  write_all(fd.get(), bytes, path);
  if (::fsync(fd.get()) != 0) fail(path, "cannot write", errno);
  if (fd.close() != 0) fail(path, "cannot write", errno);
  if (::rename(temporary.c_str(), target.c_str()) != 0) fail(path, "cannot write", errno);
  cleanup.keep();
  sync_folder_of(target);
}

void write_file_atomically(const std::string& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

std::vector<std::byte> read_file(const std::string& path) {
  // O_NONBLOCK: opening a pipe that nobody writes to would never return.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail(path, "cannot read", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(path, "cannot read", errno);
  if (!S_ISREG(info.st_mode)) throw std::runtime_error(path + ": cannot read: not a regular file");

  std::vector<std::byte> bytes(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot read", errno);
    if (n == 0) throw std::runtime_error(path + ": cannot read: the file became shorter meanwhile");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace moefb
