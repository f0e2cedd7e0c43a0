#include <weft/lib/base/lines.h>

#include <algorithm>

namespace weft {

std::optional<std::string_view> LineReader::next() {
  too_long_ = newline_ = false;
  for (size_t searched = begin_;;) {
    const size_t found = buffer_.find('\n', searched);
    newline_ = found != std::string::npos;
    const size_t end = newline_ ? found : buffer_.size();
    const bool too_much = end - begin_ > most_;
    too_long_ = too_long_ || too_much;
    if (!newline_ && too_much) {
      begin_ = buffer_.size();
      at_ = file_.data_from(at_);
    }
    searched = buffer_.size() - begin_;
    if (!newline_ && read_more()) continue;
    const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
    if (line.empty() && !newline_ && !too_long_) return std::nullopt;
    begin_ = newline_ ? end + 1 : buffer_.size();
    return too_long_ ? std::string_view() : line;
  }
}

bool LineReader::read_more() {
  constexpr uint64_t piece = uint64_t{1} << 18;
  if (at_ >= file_.size()) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t kept = buffer_.size(), more = std::min(piece, file_.size() - at_);
  buffer_.resize(kept + more);
  file_.read(at_, {reinterpret_cast<uint8_t*>(buffer_.data()) + kept, more});
  at_ += more;
  return true;
}

}  // namespace weft
