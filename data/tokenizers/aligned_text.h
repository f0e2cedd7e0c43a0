// A text that is rewritten, and where in the first text each of its bytes came from.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/data/text/utf8.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class AlignedText {
 public:
  using Span = Encoding::Span;

  AlignedText() = default;
  /// Of the bytes from `begin` on in the first text. What is not aligned has spans of nothing.
  AlignedText(std::string_view text, size_t begin, bool aligned);

  const std::string& text() const { return text_; }
  bool aligned() const { return aligned_; }
  /// Of the first text, what the bytes [begin, end) of this one came from.
  Span origin(size_t begin, size_t end) const;
  /// A part of it.
  AlignedText part(size_t begin, size_t end) const;

 private:
  friend class Rewriting;
  std::string text_;
  std::vector<Span> origins_;  ///< a span a byte
  Span whole_{0, 0};           ///< what it came from, if it has become empty
  bool aligned_ = false;
};

/// Goes through a text once, and puts the new one in its place at the end:
///   Rewriting to(text);
///   to.keep(3);            // the next three bytes stay
///   to.replace(2, "x");    // of the next two comes an x
///   to.finish();           // the rest stays
class Rewriting {
 public:
  explicit Rewriting(AlignedText& text) : text_(&text) { to_.reserve(text.text_.size()); }

  size_t at() const { return at_; }
  bool ended() const { return at_ == text_->text_.size(); }
  std::string_view rest() const { return std::string_view(text_->text_).substr(at_); }
  /// The next character of a text in UTF-8; of other bytes, one.
  Utf8Char next() const;
  void keep(size_t bytes);
  void replace(size_t bytes, std::string_view by);
  void finish();

 private:
  AlignedText* text_;
  size_t at_ = 0;
  std::string to_;
  std::vector<AlignedText::Span> origins_;
};

}  // namespace weft
