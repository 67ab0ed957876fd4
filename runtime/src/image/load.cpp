// Pictures from files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "image/formats.h"
#include "moefb/image.h"

namespace moefb {
namespace {

// An open file, closed at the end of its scope.
class File {
 public:
  explicit File(const char* path) noexcept : fd_(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const noexcept { return fd_ >= 0; }

  /// The size of a regular file that may be read whole.
  Status measure(int64_t* size) const noexcept {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return Status(Code::kIo, "picture: cannot read the file's size");
    if (S_ISDIR(info.st_mode)) return Status(Code::kIo, "picture: is a folder, not a file");
    if (!S_ISREG(info.st_mode)) return Status(Code::kIo, "picture: not a regular file");
    *size = info.st_size;
    if (*size <= int64_t(image::kMaxFileBytes)) return Status();
    return Status(Code::kUnsupported, "picture: file is too large").values(*size, image::kMaxFileBytes);
  }

  Status read(std::span<std::byte> bytes) const noexcept {
    while (!bytes.empty()) {
      const ssize_t got = ::read(fd_, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Status(Code::kIo, "picture: reading the file failed");
      if (got == 0) return Status(Code::kIo, "picture: file became shorter while it was read");
      bytes = bytes.subspan(size_t(got));
    }
    return Status();
  }

 private:
  int fd_;
};

Status cannot_open() noexcept {
  if (errno == ENOENT || errno == ENOTDIR) return Status(Code::kNotFound, "picture: no such file");
  return Status(Code::kIo,
                errno == EACCES ? "picture: no permission to read the file" : "picture: cannot open the file");
}

}  // namespace

Result<Image> load_image(const char* path) noexcept {
  if (!path) return Status(Code::kInvalidArgument, "picture: no path");
  const File file(path);
  if (!file.is_open()) return cannot_open();
  int64_t size = 0;
  MOEFB_TRY(file.measure(&size));
  const std::unique_ptr<std::byte[]> bytes(new (std::nothrow) std::byte[size_t(size)]);
  if (!bytes) return Status(Code::kOutOfMemory, "picture: no memory for the file");
  MOEFB_TRY(file.read({bytes.get(), size_t(size)}));
  return decode_image({bytes.get(), size_t(size)});
}

}  // namespace moefb
