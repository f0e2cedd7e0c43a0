#include <weft/data/text/document_encoder.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>

#include "data_inspect.h"
#include "data_shown.h"

namespace weft::tools {
namespace {

/// Texts of a tokenizer, counted.
class TokenCounter {
 public:
  TokenCounter(TokenReport& report, const Tokenizer& tokenizer)
      : report_(report), tokenizer_(tokenizer), met_(static_cast<size_t>(tokenizer.vocab_size())) {}

  /// The ids of a text, or of a part of one, which were made of so many bytes.
  void add(std::span<const int64_t> ids, int64_t bytes) {
    for (const int64_t id : ids) ++met_[static_cast<size_t>(id)];
    report_.tokens += std::ssize(ids);
    report_.bytes += bytes;
  }
  void end_text(NamedLengths& to, int64_t tokens) {
    to.lengths.add(tokens, report_.longest > 0 ? report_.longest : INT64_MAX);
  }
  void refuse(const std::string& where, const std::string& why) {
    if (report_.refused++ == 0) report_.first_refused = where + why;
  }
  void finish() {
    std::vector<size_t> order(met_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return met_[a] > met_[b]; });
    for (const size_t id : order) {
      if (met_[id] == 0 || report_.frequent.size() == most_frequent) break;
      report_.frequent.emplace_back(tokenizer_.decode(static_cast<int64_t>(id)), met_[id]);
    }
    report_.used = std::ranges::count_if(met_, [](int64_t n) { return n > 0; });
    if (const int64_t unknown = unknown_id(); unknown >= 0)
      report_.unknown = met_[static_cast<size_t>(unknown)];
  }

 private:
  int64_t unknown_id() const {
    const auto* const chars = dynamic_cast<const CharTokenizer*>(&unwrapped(tokenizer_));
    if (chars && chars->has_unknown()) return chars->vocab_size() - 1;
    return SpecialIds::of(tokenizer_).unknown;
  }

  TokenReport& report_;
  const Tokenizer& tokenizer_;
  std::vector<int64_t> met_;
};

void count_records(const DataFiles& files, const Tokenizer& tokenizer, TokenReport& report,
                   TokenCounter& counter, Console& console) {
  RecordOptions options = files.options;
  options.progress = shown_on(console, "tokens");
  RecordReader reader(files.paths, options);
  std::vector<size_t> columns;
  const std::vector<std::string>& names = reader.columns();
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& label = files.settings.label;
    if (names[i] == (label.empty() ? "label" : label) && names.size() > 1) continue;
    columns.push_back(i);
    report.texts.push_back({names[i], {}});
  }
  while (const auto record = reader.next())
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string& text = record->fields[columns[i]];
      try {
        const std::vector<int64_t> ids = tokenizer.encode(text);
        counter.add(ids, std::ssize(text));
        counter.end_text(report.texts[i], std::ssize(ids));
      } catch (const ValueError& error) {
        counter.refuse(str(reader.describe(record->place), ", column ", report.texts[i].name, ": "),
                       error.what());
      }
    }
}

void count_documents(const DataFiles& files, const Tokenizer& tokenizer, TokenReport& report,
                     TokenCounter& counter, Console& console) {
  DocumentReader reader({.paths = files.paths, .by_file = true},
                        {.utf8 = wants_utf8(tokenizer), .progress = shown_on(console, "tokens")});
  ChunkReader chunks(reader, tokenizer);
  report.texts.push_back({"documents", {}});
  int64_t tokens = 0;
  bool refused = false;  // a document of which a part cannot be read
  while (const auto chunk = chunks.next()) {
    try {
      const std::vector<int64_t> ids = tokenizer.encode(chunk->text);
      counter.add(ids, std::ssize(chunk->text));
      tokens += std::ssize(ids);
    } catch (const ValueError& error) {
      if (!std::exchange(refused, true))
        counter.refuse(
            str(reader.files().at(chunk->file), ": in the 64 KiB from line ", chunk->line, " on: "),
            error.what());
    }
    if (!chunk->ends) continue;
    if (!refused) counter.end_text(report.texts[0], tokens);
    tokens = 0;
    refused = false;
  }
}

}  // namespace

TokenReport count_tokens(const DataFiles& files, const Tokenizer& tokenizer, int64_t longest,
                         Console& console) {
  TokenReport report{.kind = unwrapped(tokenizer).kind(),
                     .vocab_size = tokenizer.vocab_size(),
                     .longest = files.plain ? 0 : longest};
  TokenCounter counter(report, tokenizer);
  if (files.plain)
    count_documents(files, tokenizer, report, counter, console);
  else
    count_records(files, tokenizer, report, counter, console);
  counter.finish();
  console.clear();
  return report;
}

}  // namespace weft::tools
