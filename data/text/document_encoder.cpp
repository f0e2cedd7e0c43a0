#include <weft/data/text/document_encoder.h>
#include <weft/data/text/tokens.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace weft {
namespace {

/// Bytes of text that are read before threads share them.
constexpr size_t at_once = size_t{2} << 20;

[[noreturn]] void fail_unknown(const DocumentReader& reader, const TextChunk& chunk, size_t at,
                               int64_t position, bool of_records, const Tokenizer& tokenizer) {
  const std::string& path = reader.files().at(chunk.file);
  const char32_t found = decode_utf8(std::string_view(chunk.text).substr(at)).code_point;
  fail<UnknownText>(path, of_records ? str(": line ", chunk.line) : "", ": character ",
                    describe_character(found), " at position ", position, of_records ? " of its text" : "",
                    " is not among the ", tokenizer.vocab_size(), " of the vocabulary");
}

}  // namespace

std::optional<TextChunk> ChunkReader::next() {
  while (ready_.empty() && !ended_) read();
  if (ready_.empty()) return {};
  TextChunk chunk = std::move(ready_.front());
  ready_.pop_front();
  return chunk;
}

void ChunkReader::read() {
  const auto piece = reader_.next();
  if (!piece || piece->begins || piece->file != file_) {
    const bool ends = !piece || piece->begins;
    if (open_ && (ends || !rest_.empty())) put(std::exchange(rest_, {}), ends);
    window_ = first_window;
    ended_ = !piece;
    if (ended_) return;
    if (piece->begins) open_ = begins_ = true;
    file_ = piece->file;
    line_ = piece->line;
    byte_ = piece->byte;
  }
  rest_ += piece->text;
  cut();
}

void ChunkReader::cut() {
  size_t at = 0;
  while (rest_.size() - at > window_) {
    const std::string_view text = std::string_view(rest_).substr(at, window_);
    size_t bytes = window_;
    if (tokenizer_.reads_pieces()) {
      while (bytes > 0 && (static_cast<uint8_t>(rest_[at + bytes]) & 0xc0) == 0x80) --bytes;
      if (bytes == 0) bytes = window_;
    } else {
      bytes = tokenizer_.safe_cut(text);
    }
    if (bytes == 0) {
      window_ *= 2;
      continue;
    }
    put(std::string(text.substr(0, bytes)), false);
    at += bytes;
    window_ = first_window;
  }
  rest_.erase(0, at);
}

void ChunkReader::put(std::string text, bool ends) {
  const int64_t lines = reader_.of_records() ? 0 : std::count(text.begin(), text.end(), '\n');
  const int64_t bytes = std::ssize(text);
  ready_.push_back({std::move(text), begins_, ends, file_, line_, byte_});
  line_ += lines;
  byte_ += bytes;
  begins_ = false;
  if (ends) open_ = false;
}

void encode_documents(DocumentReader& reader, const Tokenizer& tokenizer, int64_t end_id,
                      const EncodedSink& sink) {
  const int width = id_width(tokenizer.vocab_size());
  ChunkReader chunks(reader, tokenizer);
  struct Encoded {
    std::string packed;
    size_t known = 0;
    int64_t ids = 0;
  };
  std::vector<TextChunk> texts;
  std::vector<Encoded> encoded;
  int64_t count = 0, in_file = 0;
  size_t file = SIZE_MAX;
  const bool of_records = reader.of_records();
  for (bool more = true; more;) {
    texts.clear();
    for (size_t bytes = 0; bytes < at_once;) {
      auto chunk = chunks.next();
      more = chunk.has_value();
      if (!more) break;
      bytes += chunk->text.size() + sizeof(TextChunk);
      texts.push_back(std::move(*chunk));
    }
    encoded.assign(texts.size(), {});
    // Short documents share a tile.
    constexpr int64_t in_tile = 4;
    parallel_for(static_cast<int64_t>(texts.size()), in_tile, [&](int64_t begin, int64_t end) {
      std::vector<int64_t> ids;
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        ids.clear();
        encoded[i].known = tokenizer.append_ids(texts[i].text, ids);
        encoded[i].ids = std::ssize(ids);
        if (texts[i].ends && end_id >= 0) ids.push_back(end_id);
        pack_ids(ids, width, encoded[i].packed);
      }
    });
    for (size_t i = 0; i < texts.size(); ++i) {
      const TextChunk& text = texts[i];
      if (text.file != file || (of_records && text.begins)) in_file = 0;
      file = text.file;
      in_file += encoded[i].ids;
      if (encoded[i].known < text.text.size())
        fail_unknown(reader, text, encoded[i].known, in_file, of_records, tokenizer);
      if (text.begins && sink.document) sink.document(count, text.file, text.line);
      sink.ids(encoded[i].packed);
      count += static_cast<int64_t>(encoded[i].packed.size()) / width;
    }
  }
}

int64_t end_of_text_id(const Tokenizer& tokenizer) {
  const SpecialIds ids = SpecialIds::of(tokenizer);
  return ids.end >= 0 ? ids.end : ids.sep;
}

}  // namespace weft
