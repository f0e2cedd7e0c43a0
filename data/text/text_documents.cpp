#include <weft/data/text/text_documents.h>
#include <weft/lib/base/error.h>

#include <array>
#include <vector>

namespace weft {

TextDocuments::TextDocuments(std::shared_ptr<const Tokens> numbers, int64_t tokens)
    : numbers_(std::move(numbers)), tokens_(tokens) {
  if (!numbers_ || numbers_->size() == 0 || numbers_->size() % 3 != 0)
    fail<ValueError>("TextDocuments: ", numbers_ ? numbers_->size() : 0, " numbers are no rows of three");
}

TextDocuments::Row TextDocuments::operator[](int64_t index) const {
  if (index < 0 || index >= size()) fail<ValueError>("TextDocuments: no number ", index, " among ", size());
  if (!numbers_) return {};
  std::array<int64_t, 3> row{};
  numbers_->read(3 * index, row);
  return {row[0], row[1], row[2]};
}

void TextDocuments::begins(int64_t first, std::span<int64_t> out) const {
  const auto count = std::ssize(out);
  if (first < 0 || count > size() + 1 - first)
    fail<ValueError>("TextDocuments: ", count, " from number ", first, " on are not among ", size());
  const int64_t rows = std::min(count, size() - first);
  std::vector<int64_t> numbers(static_cast<size_t>(3 * rows), 0);
  if (numbers_) numbers_->read(3 * first, numbers);
  for (int64_t i = 0; i < rows; ++i) out[static_cast<size_t>(i)] = numbers[static_cast<size_t>(3 * i)];
  if (rows < count) out.back() = tokens_;
}

int64_t TextDocuments::from(int64_t token) const {
  int64_t low = 0, high = size();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if ((*this)[middle].begin < token)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int64_t TextDocuments::at(int64_t token) const {
  if (token < 0 || token >= tokens_) fail<ValueError>("TextDocuments: no token ", token, " among ", tokens_);
  return from(token + 1) - 1;
}

}  // namespace weft
