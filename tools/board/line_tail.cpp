#include "line_tail.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/lines.h>

#include <algorithm>

namespace weft::tools {
namespace {

constexpr uint64_t remembered = 256;

std::string bytes_before(const InputFile& file, uint64_t offset) {
  std::string bytes(std::min(remembered, offset), '\0');
  file.read(offset - bytes.size(), {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

}  // namespace

bool LineTail::is_as_it_was(const InputFile& file) const {
  const FileIdentity& now = file.identity();
  return now.device == identity_.device && now.inode == identity_.inode && now.size >= offset_ &&
         bytes_before(file, offset_) == last_bytes_;
}

void LineTail::remember_end(const InputFile& file) {
  identity_ = file.identity();
  last_bytes_ = bytes_before(file, offset_);
}

bool LineTail::read(const std::function<void()>& anew, const std::function<void(const Line&)>& take,
                    uint64_t most) {
  error_.clear();
  bool changed = false;
  try {
    there_ = weft::is_there(path_);
    if (!there_) return false;
    LineReader lines(path_, longest_, offset_);
    if (offset_ > 0 && !is_as_it_was(lines.file())) {
      anew();
      offset_ = 0;
      inside_line_ = false;
      changed = true;
      lines = LineReader(path_, longest_);
    }
    const uint64_t begin = offset_;
    at_end_ = true;
    while (const auto line = lines.next()) {
      if (!lines.had_newline() && !lines.was_too_long()) break;
      if (!inside_line_) take({*line, offset_, lines.was_too_long()});
      changed = changed || !inside_line_;
      inside_line_ = !lines.had_newline();
      offset_ = lines.offset();
      if (offset_ - begin < most) continue;
      at_end_ = offset_ >= lines.file().size();
      break;
    }
    unfinished_ = at_end_ ? lines.file().size() - offset_ : 0;
    remember_end(lines.file());
  } catch (const Error& error) {
    error_ = error.what();
  }
  return changed;
}

}  // namespace weft::tools
