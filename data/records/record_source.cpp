#include <weft/data/records/record_source.h>
#include <weft/data/text/foreign_file.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/values.h>

#include <algorithm>

namespace weft {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf", replacement = "\xef\xbf\xbd";

/// Bytes of whole characters, none of them NUL, that `text` begins with.
size_t good_bytes(std::string_view text) {
  size_t good = 0;
  while (good < text.size()) {
    if (const auto byte = static_cast<uint8_t>(text[good]); byte < 0x80) {
      if (byte == 0) break;
      ++good;
      continue;
    }
    const Utf8Char c = decode_utf8(text.substr(good));
    if (c.length <= 0) break;
    good += static_cast<size_t>(c.length);
  }
  return good;
}

}  // namespace

RecordSource::RecordSource(const std::string& path, const RecordOptions& options)
    : path_(path),
      stream_(path),
      invalid_(options.invalid),
      piece_bytes_(static_cast<size_t>(options.piece_bytes)),
      most_bytes_(static_cast<size_t>(options.most_bytes)) {
  if (options.piece_bytes < 4 || options.most_bytes < 1)
    fail<ValueError>("RecordOptions: piece_bytes must be at least 4 and most_bytes at least 1, not ",
                     options.piece_bytes, " and ", options.most_bytes);
}

std::string_view RecordSource::ahead() {
  while (begin_ == buffer_.size()) {
    if (bad_ >= 0) fail_bad();
    if (ended_) return {};
    read_more();
  }
  return std::string_view(buffer_).substr(begin_);
}

void RecordSource::take(size_t bytes) {
  const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
  line_ += std::count(from, from + static_cast<std::ptrdiff_t>(bytes), '\n');
  begin_ += bytes;
  taken_ += static_cast<int64_t>(bytes);
}

bool RecordSource::line(std::string& to) {
  to.clear();
  const int64_t begun = line_;
  for (std::string_view some = ahead(); !some.empty(); some = ahead()) {
    const size_t end = some.find('\n');
    to += some.substr(0, end);
    take(end == some.npos ? some.size() : end + 1);
    check_size(to.size() - to.ends_with('\r'), begun);
    if (end == some.npos) continue;
    if (to.ends_with('\r')) to.pop_back();
    return true;
  }
  return !to.empty();
}

void RecordSource::check_size(size_t bytes, int64_t begun, std::string_view hint) const {
  if (bytes > most_bytes_)
    fail_at(begun, {}, "the record that begins here has more than ",
            grouped(static_cast<int64_t>(most_bytes_)), " bytes, the most one may have", hint);
}

void RecordSource::read_more() {
  const size_t before = rest_.size();
  rest_.resize(before + piece_bytes_);
  const std::span<uint8_t> fresh(reinterpret_cast<uint8_t*>(rest_.data()) + before, piece_bytes_);
  const size_t got = stream_.read(fresh);
  rest_.resize(before + got);
  hasher_.update(fresh.first(got));
  read_ += static_cast<int64_t>(got);
  ended_ = got < piece_bytes_;
  check();
}

/// Moves what is good from the rest to the buffer.
void RecordSource::check() {
  buffer_.clear();
  begin_ = 0;
  size_t at = 0;
  while (at < rest_.size()) {
    const std::string_view left = std::string_view(rest_).substr(at);
    const size_t good = good_bytes(left);
    buffer_ += left.substr(0, good);
    at += good;
    if (good == left.size()) break;
    const std::string_view odd = left.substr(good);
    bad_is_nul_ = odd[0] == '\0';
    if (!bad_is_nul_ && decode_utf8(odd).length == -1 && !ended_) break;
    if (bad_is_nul_ || invalid_ == RecordOptions::Invalid::refuse) {
      bad_ = read_ - static_cast<int64_t>(odd.size());
      break;
    }
    buffer_ += replacement;
    ++replaced_;
    ++at;
  }
  rest_.erase(0, at);
  if (first_ && !buffer_.empty()) {
    first_ = false;
    mark_ = buffer_.starts_with(byte_order_mark);
    if (mark_) buffer_.erase(0, byte_order_mark.size());
  }
}

void RecordSource::fail_bad() const {
  if (const auto foreign = foreign_file(beginning(), path_))
    fail_with<FileError>(foreign->advice(path_), foreign->message(path_));
  const std::string column = column_ > 0 ? str(column_) : "";
  if (bad_is_nul_) fail_at(line_, column, "a NUL at byte ", bad_, " of the file; a text has none");
  const bool is_text = looks_like_text(beginning());
  fail_at(is_text ? recoding_advice("WINDOWS-1252", path_) : Advice{.settings = {"invalid=replace"}}, line_,
          column, "not UTF-8 at byte ", bad_, " of the file; invalid=replace takes U+FFFD for it",
          is_text ? str(", and ", recoding_line("WINDOWS-1252", path_),
                        " makes text of it, if that is its encoding")
                  : "");
}

}  // namespace weft
