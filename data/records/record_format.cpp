#include <weft/data/records/record_format.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>

namespace weft {
namespace {

using Quotes = RecordOptions::Quotes;

RecordFormat delimited(const char* name, char delimiter, bool quotes, const char* summary) {
  return {.name = name,
          .endings = {str(".", name)},
          .summary = summary,
          .has_header = quotes,
          .open = [=](std::span<RecordSource> sources, const RecordOptions& options) {
            const bool either = options.quotes == Quotes::automatic ? quotes : options.quotes == Quotes::yes;
            return open_delimited(sources[0], options, delimiter, either);
          }};
}

void add_ours(Registry<RecordFormat>& to) {
  to.add(delimited("csv", ',', true, "columns between commas, quoted as RFC 4180 has it"));
  to.add(delimited("tsv", '\t', false, "columns between tabs; a quote is a character like others"));
  to.add({.name = "jsonl",
          .endings = {".jsonl", ".ndjson"},
          .summary = "a JSON object a line; columns are its keys, nested ones by dots",
          .may_be_json = true,
          .open = [](auto sources, const RecordOptions& options) {
            return open_json_lines(sources[0], options);
          }});
  to.add({.name = "json",
          .endings = {".json"},
          .summary = "a JSON array of objects",
          .may_be_json = true,
          .open = [](auto sources, const RecordOptions& options) {
            return open_json_array(sources[0], options);
          }});
  to.add({.name = "txt", .endings = {".txt"}, .summary = "a record a line: column text", .open = open_lines});
  to.add({.name = "pairs",
          .summary = "files a.en,a.fr whose lines go together; columns by the files' endings",
          .parallel = true,
          .open = open_lines});
}

}  // namespace

Registry<RecordFormat>& record_formats() {
  static Registry<RecordFormat> all("format");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void register_record_format(RecordFormat format) { record_formats().add(std::move(format)); }

const RecordFormat* format_by_ending(std::string_view path) {
  for (const std::string_view packed : {".gz", ".zst"})
    if (path.ends_with(packed)) {
      path.remove_suffix(packed.size());
      break;
    }
  for (const RecordFormat* const format : record_formats().entries())
    for (const std::string& ending : format->endings)
      if (path.ends_with(ending)) return format;
  return nullptr;
}

bool ends_as_records(std::string_view path) {
  const RecordFormat* const format = format_by_ending(path);
  return format != nullptr && format->name != "txt";
}

bool is_column_number(const std::string& column) {
  return !column.empty() && column.size() < 10 && column[0] != '0' &&
         std::ranges::all_of(column, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<size_t> chosen_columns(const RecordSource& source, int64_t line,
                                   const std::vector<std::string>& asked,
                                   const std::vector<std::string>& names, size_t width,
                                   std::string_view hint) {
  std::vector<size_t> places;
  for (size_t i = 0; asked.empty() && i < width; ++i) places.push_back(i);
  const std::vector<std::string> all = unique_names(names, width);
  for (const std::string& column : asked) {
    const auto found = std::ranges::find(names, column);
    if (found != names.end()) {
      const auto again = std::find(found + 1, names.end(), column);
      if (again != names.end())
        source.fail_at(line, {}, "columns ", found - names.begin() + 1, " and ", again - names.begin() + 1,
                       " are both named '", column, "'; ask for one by its number");
      places.push_back(static_cast<size_t>(found - names.begin()));
      continue;
    }
    const bool number = is_column_number(column);
    if (number && std::stoull(column) <= width) {
      places.push_back(std::stoull(column) - 1);
      continue;
    }
    const std::string near = names.empty() ? "" : nearest(column, all.data(), all.data() + all.size());
    Advice advice{.typed = {column}, .meant = {near}};
    if (near.empty()) advice = {};
    source.fail_at(std::move(advice), line, {}, "there is no column '", column, "'; there ",
                   width == 1 ? "is " : "are ",
                   names.empty() && width > 1 ? str("1 to ", width) : joined(all),
                   near.empty() ? "" : str("; did you mean '", near, "'?"),
                   near.empty() && !number ? hint : std::string_view(), format_hint(source.beginning(), {}));
  }
  return places;
}

std::vector<std::string> unique_names(const std::vector<std::string>& names, size_t width) {
  std::vector<std::string> all;
  for (size_t i = 0; i < width; ++i)
    all.push_back(i < names.size() && !names[i].empty() && std::ranges::count(names, names[i]) == 1
                      ? names[i]
                      : str(i + 1));
  return all;
}

std::string format_hint(const std::string& beginning, const std::string& format) {
  std::string_view text = beginning;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text = text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const std::string_view inside = line.substr(std::min<size_t>(1, line.size()));
  const std::string_view next = inside.substr(std::min(inside.size(), inside.find_first_not_of(" \t")));
  // A line that is cut off by the end of the beginning may be one all the same.
  const bool closes = line.ends_with('}') || line.size() == text.size();
  if (format != "jsonl" && line.starts_with('{') && next.starts_with('"') && closes)
    return "; its lines are JSON objects: format=jsonl reads them";
  const std::string_view array = text.substr(std::min<size_t>(1, text.size()));
  const std::string_view element = array.substr(std::min(array.size(), array.find_first_not_of(" \t\r\n")));
  if (format != "json" && text.starts_with('[') && (element.starts_with('{') || element.starts_with('[')))
    return "; it is a JSON array: format=json reads it";
  return {};
}

}  // namespace weft
