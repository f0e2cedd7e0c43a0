#include <weft/data/text/document_encoder.h>
#include <weft/data/text/text_origin.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {

TextOrigin::TextOrigin(TextFiles files, std::vector<bool> validates, TextPart part, const TokenizedText& text)
    : files_(std::move(files)),
      validates_(std::move(validates)),
      part_(part),
      tokenizer_(text.tokenizer),
      documents_(text.documents),
      end_id_(text.end_id) {}

std::vector<int64_t> TextOrigin::holding(const std::vector<int64_t>& tokens) const {
  std::vector<int64_t> numbers;
  for (const int64_t token : tokens) {
    const int64_t number = documents_.at(token);
    if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
  }
  if (part_ == TextPart::all) return numbers;
  // Of the part's documents to those of the files.
  std::vector<int64_t> in_files;
  int64_t of_part = 0;
  for (size_t i = 0; i < validates_.size() && in_files.size() < numbers.size(); ++i) {
    if (validates_[i] != (part_ == TextPart::validation)) continue;
    if (of_part++ == numbers[in_files.size()]) in_files.push_back(static_cast<int64_t>(i));
  }
  return in_files;
}

std::vector<TokenPlace> TextOrigin::places(std::span<const int64_t> tokens) const {
  std::vector<int64_t> sorted(tokens.begin(), tokens.end());
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const std::vector<int64_t> holders = holding(sorted);
  DocumentReader reader(files_, {.utf8 = wants_utf8(*tokenizer_), .wanted = [&](int64_t document) {
                                   return std::ranges::binary_search(holders, document);
                                 }});
  ChunkReader chunks(reader, *tokenizer_);
  std::vector<TokenPlace> found;
  const auto next = [&] { return sorted[found.size()]; };
  int64_t at = 0;  // the number of the chunk's first token
  for (auto chunk = chunks.next(); chunk && found.size() < sorted.size(); chunk = chunks.next()) {
    if (chunk->begins) at = documents_[documents_.at(next())].begin;
    const std::string_view text = chunk->text;
    const auto place = [&](size_t byte) {
      const bool in_record = reader.of_records();
      const int64_t lines =
          in_record ? 0 : std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
      found.push_back({reader.files().at(chunk->file), chunk->line + lines,
                       in_record ? -1 : chunk->byte + static_cast<int64_t>(byte)});
    };
    const Encoding encoded = tokenizer_->encode_with_spans(text);
    const int64_t end = at + std::ssize(encoded.ids);
    while (found.size() < sorted.size() && next() < end)
      place(encoded.spans.at(static_cast<size_t>(next() - at)).begin);
    at = end;
    if (!chunk->ends || end_id_ < 0) continue;
    if (found.size() < sorted.size() && next() == at) place(text.size());
    ++at;
  }
  if (found.size() < sorted.size())
    fail<FileError>(files_.paths.at(0), ": the files hold fewer tokens than they did; they have changed");
  std::vector<TokenPlace> all;
  for (const int64_t token : tokens)
    all.push_back(found[static_cast<size_t>(std::ranges::lower_bound(sorted, token) - sorted.begin())]);
  return all;
}

}  // namespace weft
