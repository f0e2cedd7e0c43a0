#include <weft/data/text/data_files.h>
#include <weft/data/text/foreign_file.h>
#include <weft/data/text/text.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/advice.h>

#include <algorithm>

namespace weft {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

Advice any_bytes() { return {.settings = {"tokenizer=byte"}}; }

}  // namespace

Newlines newlines_from(std::string_view name) {
  if (name == "keep") return Newlines::keep;
  if (name == "lf") return Newlines::lf;
  fail<ValueError>("newlines: must be keep or lf, not '", name, "'");
}

const char* name_of(Newlines newlines) { return newlines == Newlines::keep ? "keep" : "lf"; }

TextReader::TextReader(const std::vector<std::string>& paths, Options options)
    : options_(std::move(options)) {
  if (paths.empty()) fail<ValueError>("TextReader: no files");
  if (options_.piece_bytes < 4)
    fail<ValueError>("TextReader: piece_bytes must be at least 4, not ", options_.piece_bytes);
  for (const std::string& path : data_files(paths)) {
    files_.push_back({path, InputFile(path).identity()});
    if (files_.back().size() == 0) notes_.empty_files.push_back(path);
    file_bytes_ += files_.back().size();
  }
  if (file_bytes_ == 0) fail_empty();
}

void TextReader::fail_empty() const {
  fail<FileError>(files_[0].path, ": is empty",
                  files_.size() > 1 ? str(", as are the ", files_.size() - 1, " after it") : "",
                  "; a text needs at least one character");
}

std::string_view TextReader::next() {
  buffer_.clear();
  while (buffer_.empty()) {
    while (ended_ || files_[file_].size() == 0) {
      open_.reset();
      if (file_ + 1 == files_.size()) {
        if (done_ == 0) fail_empty();
        return {};
      }
      consumed_ += files_[file_].size();
      ++file_;
      at_ = 0;
      ended_ = false;
    }
    if (!open_) open_next();
    read_more();
    if (options_.refuse_nul) check_nul();
    const size_t whole = options_.utf8 ? whole_characters() : buffer_.size();
    rest_ = buffer_.substr(whole);
    buffer_.resize(whole);
    if (options_.newlines == Newlines::lf) std::erase(buffer_, '\r');
    if (options_.progress) options_.progress(consumed_ + open_->consumed(), file_bytes_);
  }
  return buffer_;
}

void TextReader::open_next() {
  open_.emplace(path());
  if (open_->identity() != files_[file_].identity)
    fail<FileError>(path(), ": changed while the text was read; start again when nothing writes to it");
  // What is no text, but may be read as if it were, is told; else it is what the error tells.
  if (const auto foreign = foreign_file(open_->beginning(), path()))
    notes_.foreign_files.push_back(foreign->message(path()));
}

/// Fills the buffer: what was left of a character, and the next bytes of this file.
void TextReader::read_more() {
  const size_t before = rest_.size(), wanted = static_cast<size_t>(options_.piece_bytes) - before;
  buffer_ = rest_;
  buffer_.resize(before + wanted);
  const size_t got = open_->read({reinterpret_cast<uint8_t*>(buffer_.data()) + before, wanted});
  buffer_.resize(before + got);
  ended_ = got < wanted;
  const std::span<const uint8_t> fresh(reinterpret_cast<const uint8_t*>(buffer_.data()) + before, got);
  hasher_.update(fresh);
  if (at_ == 0 && buffer_.starts_with(byte_order_mark)) ++notes_.byte_order_marks;
  notes_.carriage_returns += std::count(fresh.begin(), fresh.end(), uint8_t{'\r'});
  at_ += static_cast<int64_t>(got);
  done_ += static_cast<int64_t>(got);
}

void TextReader::check_nul() const {
  const size_t found = buffer_.find('\0');
  if (found == std::string::npos) return;
  if (const auto foreign = foreign_file(open_->beginning(), path()))
    fail_with<FileError>(foreign->advice(path()), foreign->message(path()));
  fail_with<FileError>(any_bytes(), path(), ": a NUL at byte ",
                       at_ - static_cast<int64_t>(buffer_.size() - found),
                       ", which no text has; tokenizer=byte and tokenizer=bpe take any bytes");
}

void TextReader::fail_utf8(int64_t offset) const {
  const std::string& begin = open_->beginning();
  if (const auto foreign = foreign_file(begin, path()))
    fail_with<FileError>(foreign->advice(path()), foreign->message(path()));
  const bool is_text = looks_like_text(begin);
  fail_with<FileError>(is_text ? recoding_advice("WINDOWS-1252", path()) : any_bytes(), path(),
                       ": not UTF-8 at byte ", offset, "; tokenizer=byte takes any bytes",
                       is_text ? str(", and ", recoding_line("WINDOWS-1252", path()),
                                     " makes text of it, if that is its encoding")
                               : "");
}

/// The bytes of the buffer that are whole characters; FileError when the rest is no beginning of one.
size_t TextReader::whole_characters() const {
  const std::string_view bytes = buffer_;
  size_t good = 0;
  while (good < bytes.size()) {
    if (static_cast<uint8_t>(bytes[good]) < 0x80) {
      ++good;
      continue;
    }
    const Utf8Char c = decode_utf8(bytes.substr(good));
    if (c.length == -1 && !ended_) break;
    if (c.length <= 0) fail_utf8(at_ - static_cast<int64_t>(bytes.size() - good));
    good += static_cast<size_t>(c.length);
  }
  return good;
}

}  // namespace weft
