#include <weft/data/tasks/open_internal.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <string_view>
#include <utility>

namespace weft {
namespace {

constexpr std::ptrdiff_t named_files = 3;

/// The first few.
std::string some_of(const std::vector<std::string>& all, std::string_view between) {
  return str(joined(all | std::views::take(named_files), between),
             std::ssize(all) > named_files ? str(between, "...") : "");
}

void add_notes_of_reading(const TokenizedText& text, size_t files, bool keeps_returns,
                          std::vector<std::string>& notes) {
  if (const std::vector<std::string>& empty = text.notes.empty_files; !empty.empty())
    notes.push_back(str("warning: ", empty.size(), " of the ", files, " files ",
                        empty.size() == 1 ? "is" : "are", " empty and passed over: ", some_of(empty, ", ")));
  if (const std::vector<std::string>& foreign = text.notes.foreign_files; !foreign.empty())
    notes.push_back(str("warning: taken as it is: ", some_of(foreign, "\n  ")));
  if (const int64_t marks = text.notes.byte_order_marks; marks > 0)
    notes.push_back(str("warning: ", marks, " of the files ", marks == 1 ? "begins" : "begin",
                        " with a byte-order mark; it is read as a character of the text"));
  if (const int64_t returns = text.notes.carriage_returns; returns > 0)
    notes.push_back(keeps_returns ? str("warning: the text holds ", grouped(returns),
                                        " carriage returns, which are kept; --set newlines=lf drops them")
                                  : str(grouped(returns), " carriage returns are dropped (newlines=lf)"));
  const RecordNotes records{.replaced = text.notes.replaced, .skipped = text.notes.skipped};
  std::ranges::move(records.lines(), std::back_inserter(notes));
  if (!text.rebuilt.empty()) notes.push_back(str("made again: ", text.rebuilt));
}

/// Of a text that is read with the vocabulary of another: how much of it that does not know. Empty for next to nothing.
std::string unknown_share(const TokenizedText& text) {
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&unwrapped(*text.tokenizer));
  if (!chars || !chars->has_unknown()) return "";
  const int64_t unknown = chars->vocab_size() - 1, size = text.tokens->size();
  int64_t count = 0;
  std::vector<int64_t> ids;
  for (int64_t at = 0; at < size; at += std::ssize(ids)) {
    ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, size - at)));
    text.tokens->read(at, ids);
    count += std::ranges::count(ids, unknown);
  }
  const double share = 100.0 * static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, size));
  if (share < 0.1) return "";
  return str("warning: ", fixed(share, 1),
             " % of the text are characters that the vocabulary does not have, all of them one token");
}

}  // namespace

std::vector<std::string> notes_of_text(const TokenizedText& text, size_t files, const TaskRequest& request) {
  std::vector<std::string> notes;
  add_notes_of_reading(text, files, request.newlines == Newlines::keep, notes);
  if (!request.tokenizer) return notes;
  if (std::string unknown = unknown_share(text); !unknown.empty()) notes.push_back(std::move(unknown));
  return notes;
}

std::vector<std::string> notes_of_labels(const std::vector<int64_t>& classes,
                                         const std::vector<std::string>& names) {
  std::vector<int64_t> counts(names.size());
  for (const int64_t one : classes) ++counts[static_cast<size_t>(one)];
  std::string text = "labels: ";
  constexpr size_t most = 12;
  for (size_t i = 0; i < std::min(names.size(), most); ++i)
    text += str(i == 0 ? "" : ", ", names[i], " ", grouped(counts[i]));
  std::vector<std::string> notes{names.size() > most ? text + ", ..." : text};
  for (size_t i = 0; i < names.size() && notes.size() <= most; ++i)
    if (counts[i] == 0) notes.push_back(str("warning: nothing that trains has the label '", names[i], "'"));
  return notes;
}

}  // namespace weft
