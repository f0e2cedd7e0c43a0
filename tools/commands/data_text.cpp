#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>

#include "data_inspect.h"
#include "data_shown.h"

namespace weft::tools {
namespace {

/// In quotes, in one line, cut.
std::string shown(const std::string& field) {
  constexpr size_t most = 72;
  size_t end = std::min(field.size(), most);
  while (end < field.size() && (static_cast<uint8_t>(field[end]) & 0xc0) == 0x80) --end;
  return nlohmann::ordered_json(field.substr(0, end))
             .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
         (end < field.size() ? "..." : "");
}

std::string percent(double part) { return str(fixed(100 * part, 1), " %"); }

std::string share(int64_t part, int64_t all) {
  return str(grouped(part), " (", percent(all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0),
             ")");
}

std::string padded(const std::string& text, size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

/// "4 to 5 characters, 4.7 on average; 0 empty", and a bar for each length that there is.
std::string text_of(const Lengths& lengths, const char* of, const std::string& more) {
  if (lengths.count == 0) return str("none", more, "\n");
  std::string text =
      str(grouped(lengths.least), " to ", grouped(lengths.most), " ", of, ", ", fixed(lengths.mean(), 1),
          " on average; ", grouped(lengths.empty), " empty", more, "\n");
  const int64_t highest = *std::ranges::max_element(lengths.buckets);
  constexpr int64_t width = 40;
  for (size_t i = 0; i < lengths.buckets.size(); ++i) {
    if (longest_of(i) < lengths.least || shortest_of(i) > lengths.most) continue;
    const int64_t n = lengths.buckets[i];
    const std::string from = grouped(shortest_of(i)), to = grouped(longest_of(i));
    text += str(padded(from == to ? from : from + "-" + to, 18), padded(grouped(n), 12), n > 0 ? "  " : "",
                std::string(static_cast<size_t>((n * width + highest - 1) / highest), '#'), "\n");
  }
  return text;
}

std::string frequent_of(const std::vector<std::pair<std::string, int64_t>>& frequent, int64_t all) {
  return joined(frequent, ", ", [&](const std::pair<std::string, int64_t>& one) {
    return str(shown(one.first), " ", share(one.second, all));
  });
}

std::string text_of(const char* what, const Counts& counts, int64_t all, size_t most) {
  return str("\n", grouped(static_cast<int64_t>(counts.distinct())), counts.beyond() > 0 ? " or more " : " ",
             what, ": ", frequent_of(counts.frequent(most), all), counts.distinct() > most ? ", ..." : "",
             "\n");
}

std::string text_of(const RecordNotes& notes) {
  std::string text;
  for (const std::string& line : notes.lines()) text += line + "\n";
  return text;
}

std::string head_of(const FieldReport& report) {
  const size_t files = report.files.size();
  std::string text =
      str(report.files[0], files > 1 ? str(" and ", files - 1, " more") : "", ": ", report.format);
  if (report.format == "csv" || report.format == "tsv")
    text += report.header ? ", the first row names the columns (header=no: it is a record)"
                          : ", without a header (header=yes: the first row names the columns)";
  const bool lines = report.format == "txt";
  return text + str("\n", grouped(report.records), lines ? " lines, " : " records, ", grouped(report.bytes),
                    " bytes, ", lines ? str(grouped(report.columns[0].lengths.sum), " characters, ") : "",
                    grouped(report.duplicates), report.duplicates == 1 ? " duplicate" : " duplicates", "\n");
}

std::string overlong_of(const Lengths& lengths, int64_t limit) {
  return str(", ", grouped(lengths.overlong), " of more than ", grouped(limit));
}

/// "1 2 3 ...".
std::string shown(const std::vector<int64_t>& ids) {
  constexpr size_t most = 24;
  std::string text;
  for (size_t i = 0; i < std::min(ids.size(), most); ++i) text += str(i == 0 ? "" : " ", ids[i]);
  return ids.size() > most ? text + " ..." : text;
}

std::string text_of(const ShownBatch& batch, size_t number) {
  constexpr size_t rows = 2;
  std::string text = str("\nbatch ", number, ": ", batch.rows, " rows of ", batch.width,
                         batch.target_width > 0 ? str(" and ", batch.target_width) : "", " tokens, ",
                         percent(batch.padding), " padding\n");
  for (size_t i = 0; i < std::min(rows, batch.shown.size()); ++i) {
    const ShownRow& row = batch.shown[i];
    text += str("  ", shown(row.ids), "\n  ", shown(row.text), "\n");
    if (!row.target_ids.empty())
      text += str("    -> ", shown(row.target_ids), "\n    -> ", shown(row.target), "\n");
  }
  return text;
}

}  // namespace

std::string text_of(const FieldReport& report, int64_t overlong) {
  std::string text = head_of(report) + text_of(report.notes);
  for (const NamedLengths& column : report.columns)
    text += str("\ncolumn ", column.name, ": ",
                text_of(column.lengths, "characters", overlong_of(column.lengths, overlong)));
  if (!report.label.empty()) text += text_of("labels", report.labels, report.records, most_labels);
  if (report.format == "txt") {
    text += text_of("characters", report.characters, report.characters.sum(), most_frequent);
    text += text_of("words", report.words, report.words.sum(), most_frequent);
  }
  for (const auto& [place, fields] : report.first) {
    text += str("\n", place, "\n");
    for (size_t i = 0; i < fields.size(); ++i)
      text += str("  ", report.columns[i].name, ": ", shown(fields[i]), "\n");
  }
  return text;
}

std::string text_of(const DocumentReport& report, int64_t overlong) {
  const Lengths& lengths = report.lengths;
  std::string text = str("\n", grouped(lengths.count), lengths.count == 1 ? " document: " : " documents: ",
                         text_of(lengths, "characters", overlong_of(lengths, overlong)));
  if (report.duplicates > 0) text += str(grouped(report.duplicates), " are equal to one before\n");
  const TextNotes& notes = report.notes;
  if (notes.carriage_returns > 0)
    text += str(grouped(notes.carriage_returns), " carriage returns; newlines=lf drops them\n");
  if (!notes.empty_files.empty()) text += str("empty: ", joined(notes.empty_files), "\n");
  for (const std::string& foreign : notes.foreign_files) text += str("no text: ", foreign, "\n");
  return text;
}

std::string text_of(const TokenReport& report) {
  const double bytes = static_cast<double>(report.bytes);
  std::string text = str("\ntokens of ", report.kind, ", ", grouped(report.vocab_size),
                         " in the vocabulary: ", grouped(report.tokens));
  if (report.tokens > 0)
    text += str(", ", fixed(bytes / static_cast<double>(report.tokens), 2), " bytes each");
  text += str("; ", share(report.used, report.vocab_size), " of the vocabulary are used, ",
              share(report.unknown, report.tokens), " of the tokens stand for what it does not know\n");
  if (report.refused > 0)
    text += str(grouped(report.refused), report.refused == 1 ? " text" : " texts",
                " cannot be read by it and are not counted; the first: ", report.first_refused, "\n");
  for (const NamedLengths& one : report.texts)
    text += str(
        "\n", one.name, ": ",
        text_of(one.lengths, "tokens", report.longest > 0 ? overlong_of(one.lengths, report.longest) : ""));
  if (!report.frequent.empty())
    text += str("\nmost frequent tokens: ", frequent_of(report.frequent, report.tokens), "\n");
  return text;
}

std::string text_of(const TaskReport& report) {
  if (report.task == "none") return {};
  std::string text = str("\na run on it: --task ", report.task, " --model ", report.model, "\n");
  if (!report.refused.empty()) text += str("is refused: ", report.refused, "\n");
  if (!report.summary.empty()) text += report.summary + "\n";
  for (const std::string& note : report.notes) text += note + "\n";
  if (report.inputs.count > 0) text += str("\nsamples, input: ", text_of(report.inputs, report.unit, ""));
  if (report.targets.count > 0) text += str("\nsamples, target: ", text_of(report.targets, "tokens", ""));
  if (report.padding_by_length && report.padding_in_order)
    text += str("padding: ", percent(*report.padding_by_length), " of the tokens with batching=length, ",
                percent(*report.padding_in_order), " with batching=order\n");
  if (report.memory) text += describe(*report.memory) + "\n";
  if (!report.memory_refused.empty()) text += str("memory: ", report.memory_refused, "\n");
  for (size_t i = 0; i < report.batches.size(); ++i) text += text_of(report.batches[i], i + 1);
  return text;
}

}  // namespace weft::tools
