#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace moefb {
namespace {

/// An open file, closed at the end of its scope.
class File {
 public:
  // O_NONBLOCK: opening a pipe that nobody writes to would never return.
  explicit File(const char* path) noexcept : fd_(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool is_open() const noexcept { return fd_ >= 0; }

  /// The size of a regular file.
  Status measure(int64_t& size) const noexcept {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return Status(Code::kIo, "cannot read the file's size").at(errno);
    if (S_ISDIR(info.st_mode)) return Status(Code::kIo, "is a folder, not a file");
    if (!S_ISREG(info.st_mode)) return Status(Code::kIo, "not a regular file");
    size = info.st_size;
    return {};
  }

  Status read(std::span<std::byte> dst) const noexcept {
    for (size_t done = 0; done < dst.size();) {
      const ssize_t got = ::read(fd_, dst.data() + done, dst.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Status(Code::kIo, "reading the file failed").at(errno);
      if (got == 0) {
        return Status(Code::kIo, "the file became shorter while it was read")
            .values(int64_t(done), int64_t(dst.size()));
      }
      done += size_t(got);
    }
    return {};
  }

 private:
  int fd_;
};

Status cannot_open() noexcept {
  if (errno == ENOENT || errno == ENOTDIR) return Status(Code::kNotFound, "no such file");
  return Status(Code::kIo, errno == EACCES ? "no permission to read the file" : "cannot open the file").at(errno);
}

}  // namespace

Result<FileBytes> read_whole_file(const char* path, int64_t max_bytes) noexcept {
  if (path == nullptr) return Status(Code::kInvalidArgument, "no path");
  const File file(path);
  if (!file.is_open()) return cannot_open();
  int64_t size = 0;
  MOEFB_TRY(file.measure(size));
  if (size > max_bytes) return Status(Code::kUnsupported, "the file is too large").values(size, max_bytes);
  FileBytes content{allocate<std::byte>(size), size_t(size)};
  if (content.memory == nullptr) return Status(Code::kOutOfMemory, "no memory for the file").at(size);
  MOEFB_TRY(file.read({content.memory.get(), content.size}));
  return content;
}

}  // namespace moefb
