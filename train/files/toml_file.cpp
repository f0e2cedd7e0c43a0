#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/train/files/toml_file.h>

#include <algorithm>
#include <cstdio>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace weft {
namespace {

std::vector<std::string> texts_of(const toml::array& list, const std::string& where, const std::string& key) {
  std::vector<std::string> texts;
  for (const toml::node& element : list) {
    const auto text = element.value_exact<std::string>();
    if (!text) fail<ValueError>(where, key, " must be a list of texts in quotes");
    texts.push_back(*text);
  }
  return texts;
}

TomlEntry entry_of(const std::string& path, const std::string& key, const toml::node& node) {
  TomlEntry entry{.key = key, .line = static_cast<int64_t>(node.source().begin.line), .text = {}};
  const std::string where = str(path, ":", entry.line, ": ");
  if (const auto* list = node.as_array()) {
    entry.is_list = true;
    entry.text = "a list";
    entry.list = texts_of(*list, where, key);
  } else if (const auto truth = node.value_exact<bool>()) {
    entry.value = *truth;
    entry.text = str(*truth);
  } else if (const auto whole = node.value_exact<int64_t>()) {
    entry.value = *whole;
    entry.text = str(*whole);
  } else if (const auto number = node.value_exact<double>()) {
    entry.value = *number;
    entry.text = str(*number);
  } else if (const auto text = node.value_exact<std::string>()) {
    entry.value = *text;
    entry.text = "'" + *text + "'";
  } else if (node.is_table()) {
    fail<ValueError>(where, "a table [", key, "]; the keys of a run stand outside tables");
  } else {
    fail<ValueError>(where, key, " is a date or time; no key takes one");
  }
  return entry;
}

}  // namespace

std::vector<TomlEntry> read_toml(const std::string& path) {
  const std::string text = read_text(path, most_toml_bytes);
  std::vector<TomlEntry> entries;
  try {
    const toml::table table = toml::parse(text, path);
    for (const auto& [key, node] : table) entries.push_back(entry_of(path, std::string(key.str()), node));
  } catch (const toml::parse_error& error) {
    fail<ValueError>(path, ":", error.source().begin.line, ": is not TOML: ", error.description());
  }
  std::ranges::stable_sort(entries, {}, &TomlEntry::line);
  return entries;
}

std::string toml_string(const std::string& text) {
  std::string result = "\"";
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(std::string_view(text).substr(at));
    if (c.length <= 0)
      fail<ValueError>("'", text, "' is not UTF-8, so that config.toml cannot hold it; rename the file");
    const auto length = static_cast<size_t>(c.length);
    if (c.code_point < 0x20 || c.code_point == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c.code_point));
      result += escape;
    } else {
      if (c.code_point == '"' || c.code_point == '\\') result += '\\';
      result.append(text, at, length);
    }
    at += length;
  }
  return result + "\"";
}

}  // namespace weft
