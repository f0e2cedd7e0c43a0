#include <weft/data/tokenizers/aligned_text.h>

#include <algorithm>

namespace weft {

AlignedText::AlignedText(std::string_view text, size_t begin, bool aligned)
    : text_(text), whole_{begin, begin + text.size()}, aligned_(aligned) {
  if (!aligned) return;
  origins_.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) origins_.push_back({begin + i, begin + i + 1});
}

AlignedText::Span AlignedText::origin(size_t begin, size_t end) const {
  if (!aligned_) return {0, 0};
  if (origins_.empty()) return whole_;
  if (begin >= end) {
    const size_t at = begin < origins_.size() ? origins_[begin].begin : origins_.back().end;
    return {at, at};
  }
  Span all = origins_[begin];
  for (size_t i = begin + 1; i < std::min(end, origins_.size()); ++i) {
    const Span one = origins_[i];
    if (one.begin == one.end) continue;
    if (all.begin == all.end) all = one;
    all = {std::min(all.begin, one.begin), std::max(all.end, one.end)};
  }
  return all;
}

AlignedText AlignedText::part(size_t begin, size_t end) const {
  AlignedText part;
  part.text_ = text_.substr(begin, end - begin);
  part.aligned_ = aligned_;
  part.whole_ = origin(begin, end);
  if (aligned_)
    part.origins_.assign(origins_.begin() + static_cast<std::ptrdiff_t>(begin),
                         origins_.begin() + static_cast<std::ptrdiff_t>(end));
  return part;
}

Utf8Char Rewriting::next() const {
  const Utf8Char c = decode_utf8(rest().substr(0, 4));
  return c.length > 0 ? c : Utf8Char{0xfffd, 1};
}

void Rewriting::keep(size_t bytes) {
  to_.append(text_->text_, at_, bytes);
  if (text_->aligned_)
    origins_.insert(origins_.end(), text_->origins_.begin() + static_cast<std::ptrdiff_t>(at_),
                    text_->origins_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes));
  at_ += bytes;
}

void Rewriting::replace(size_t bytes, std::string_view by) {
  to_ += by;
  if (text_->aligned_) origins_.insert(origins_.end(), by.size(), text_->origin(at_, at_ + bytes));
  at_ += bytes;
}

void Rewriting::finish() {
  keep(text_->text_.size() - at_);
  text_->text_ = std::move(to_);
  text_->origins_ = std::move(origins_);
}

}  // namespace weft
