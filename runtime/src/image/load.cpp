// Pictures from files.
#include "file.h"
#include "image/formats.h"
#include "moefb/image.h"

namespace moefb {

Result<Image> load_image(const char* path) noexcept {
  const Result<FileBytes> file = read_whole_file(path, image::kMaxFileBytes);
  if (!file.ok()) return file.status();
  return decode_image(file->bytes());
}

}  // namespace moefb
