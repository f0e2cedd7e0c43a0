#include <weft/tools/writing/written_text.h>

#include <algorithm>
#include <utility>

namespace weft::tools {

WrittenText::WrittenText(const Tokenizer& tokenizer, Options options)
    : options_(std::move(options)), decoder_(tokenizer, options_.decoding) {}

std::string WrittenText::next(int64_t id) {
  if (stops_ || std::ranges::count(options_.silent, id) > 0) return "";
  const size_t before = text_.size();
  text_ += decoder_.next(id);
  size_t end = std::string::npos;
  for (const std::string& stop : options_.stop) {
    const size_t from = before < stop.size() ? 0 : before - stop.size() + 1;
    end = std::min(end, text_.find(stop, from));
  }
  stops_ = end != std::string::npos;
  if (stops_ && options_.without_stop) text_.resize(end);
  const size_t from = std::exchange(written_, stops_ ? text_.size() : text_.size() - held_back());
  return text_.substr(from, written_ - from);
}

std::string WrittenText::rest() {
  if (!stops_) text_ += decoder_.rest();
  return text_.substr(std::exchange(written_, text_.size()));
}

/// Bytes at the end that begin a stop.
size_t WrittenText::held_back() const {
  size_t most = 0;
  for (const std::string& stop : options_.stop)
    for (size_t size = std::min(stop.size() - 1, text_.size()); options_.without_stop && size > most; --size)
      if (text_.ends_with(std::string_view(stop).substr(0, size))) most = size;
  return most;
}

}  // namespace weft::tools
