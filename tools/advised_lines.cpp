#include "advised_lines.h"

#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace weft::tools {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Where `part` stands in a word by itself.
size_t place_in(const std::string& word, const std::string& part) {
  for (size_t at = word.find(part); at != std::string::npos; at = word.find(part, at + 1)) {
    const size_t end = at + part.size();
    const bool begins = at == 0 || !is_of_name(word[at - 1]) || !is_of_name(part.front());
    if (begins && (end == word.size() || !is_of_name(word[end]) || !is_of_name(part.back()))) return at;
  }
  return std::string::npos;
}

/// The words with what was meant in them; none where nothing of it was typed.
std::optional<Words> corrected(const Advice& advice, Words words) {
  if (advice.typed.empty()) return words;
  if (const auto whole = std::ranges::search(words, advice.typed); !whole.empty()) {
    const auto at = words.erase(whole.begin(), whole.end());
    words.insert(at, advice.meant.begin(), advice.meant.end());
    return words;
  }
  if (advice.typed.size() > 1 || advice.meant.size() != 1 || advice.typed[0].empty()) return {};
  // A path is told from the root.
  const std::string &typed = advice.typed[0], &meant = advice.meant[0];
  for (std::string& word : words)
    if (typed.starts_with('/') && fs::absolute(word).lexically_normal() == typed) {
      word = meant.starts_with(typed) ? word + meant.substr(typed.size()) : meant;
      return words;
    }
  for (std::string& word : words)
    if (const size_t at = place_in(word, typed); at != std::string::npos) {
      word.replace(at, typed.size(), meant);
      return words;
    }
  return {};
}

/// An option that was typed already gets its new value.
void add_options(const Words& more, Words& words) {
  const auto typed = more.size() == 2 ? std::ranges::find(words, more[0]) : words.end();
  if (typed != words.end() && typed + 1 != words.end())
    *(typed + 1) = more[1];
  else
    words.insert(words.end(), more.begin(), more.end());
}

/// Likewise a setting.
void add_settings(const Words& settings, Words& words) {
  bool behind_set = false;
  for (const std::string& setting : settings) {
    const std::string key = setting.substr(0, setting.find('=') + 1);
    // Of several the last counts.
    const auto typed =
        std::find_if(words.rbegin(), words.rend(), [&](const auto& w) { return w.starts_with(key); });
    if (typed != words.rend()) {
      *typed = setting;
      continue;
    }
    if (!behind_set) words.push_back("--set");
    behind_set = true;
    words.push_back(setting);
  }
}

}  // namespace

std::string line_of(const Words& words) { return str(program_name(), " ", joined(words, " ", quoted)); }

std::string advised_lines(const Advice& advice, const Words& words) {
  Words lines = advice.lines;
  const bool changes = !advice.typed.empty() || !advice.more.empty() || !advice.settings.empty();
  if (std::optional<Words> right = changes ? corrected(advice, words) : std::nullopt) {
    add_options(advice.more, *right);
    add_settings(advice.settings, *right);
    lines.push_back(line_of(*right));
  }
  std::string text;
  for (const std::string& line : lines) text += str("\n  ", line);
  return text;
}

}  // namespace weft::tools
