#include <weft/data/text/streaming_decoder.h>
#include <weft/data/text/utf8.h>

#include <algorithm>

namespace weft {
namespace {

/// Bytes of the longest beginning of a character at the front of bytes that are none: at least one.
size_t broken_length(std::string_view bytes) {
  size_t length = 1;
  while (length < bytes.size() && decode_utf8(bytes.substr(0, length + 1)).length == -1) ++length;
  return length;
}

/// The beginning of a character that a text ends with.
std::string_view unfinished_end(std::string_view text) {
  constexpr size_t most = 3;
  for (size_t length = std::min(text.size(), most); length > 0; --length)
    if (const std::string_view end = text.substr(text.size() - length); decode_utf8(end).length == -1)
      return end;
  return {};
}

}  // namespace

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, Options options)
    : tokenizer_(&tokenizer),
      begins_(options.begins),
      display_(options.display),
      held_(unfinished_end(options.before)),
      written_(held_.size()) {}

std::string StreamingDecoder::next(int64_t id) {
  const std::string piece = begins_ ? tokenizer_->decode(std::span(&id, 1)) : tokenizer_->decode(id);
  begins_ = begins_ && tokenizer_->leaves_beginning(id);
  bytes_ += piece;
  held_ += piece;
  std::string text;
  size_t at = 0;
  while (at < held_.size()) {
    const std::string_view rest = std::string_view(held_).substr(at);
    const int length = decode_utf8(rest).length;
    if (length == -1) break;
    const size_t taken = length > 0 ? static_cast<size_t>(length) : broken_length(rest);
    if (length > 0 || !display_)
      text += rest.substr(written_, taken - written_);
    else if (taken > written_)
      text += encode_utf8(U'\uFFFD');
    bytes_are_text_ = bytes_are_text_ && length > 0;
    written_ = 0;
    at += taken;
  }
  held_.erase(0, at);
  return text;
}

std::string decode_whole(const Tokenizer& tokenizer, std::span<const int64_t> ids,
                         StreamingDecoder::Options options) {
  StreamingDecoder decoder(tokenizer, options);
  std::string text;
  for (const int64_t id : ids) text += decoder.next(id);
  return text + decoder.rest();
}

}  // namespace weft
