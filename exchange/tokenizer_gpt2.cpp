#include <weft/data/text/byte_level.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <set>
#include <unordered_map>

#include "json_internal.h"
#include "tokenizer_files_internal.h"

namespace weft {
namespace {

using Pair = std::pair<std::string, std::string>;

/// "h e" a line, behind a first line "#version: 0.2" if there is one.
std::vector<Pair> merges_of(const std::string& text, const std::string& path) {
  std::vector<Pair> merges;
  int64_t line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string one = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (one.ends_with('\r')) one.pop_back();
    if (one.empty() || (line == 1 && one.starts_with("#version"))) continue;
    const size_t space = one.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == one.size() ||
        one.find(' ', space + 1) != std::string::npos)
      fail<FileError>(path, ": line ", line, " is '", one, "', not two tokens with a space between");
    merges.emplace_back(one.substr(0, space), one.substr(space + 1));
  }
  return merges;
}

}  // namespace

std::vector<std::string> vocabulary_tokens(const nlohmann::json& vocabulary, const std::string& path) {
  const auto size = static_cast<int64_t>(vocabulary.size());
  std::vector<std::string> tokens(vocabulary.size());
  std::vector<bool> given(vocabulary.size());
  for (const auto& [token, value] : vocabulary.items()) {
    if (!value.is_number_integer()) fail<FileError>(path, ": the id of '", token, "' is ", shown(value));
    const auto id = value.get<int64_t>();
    if (id < 0) fail<FileError>(path, ": the id of '", token, "' is ", id);
    if (id >= size)
      fail<FileError>(path, ": the id of '", token, "' is ", id, ", but there are ", size,
                      " tokens; ids must be 0 to ", size - 1, ", each once");
    const auto place = static_cast<size_t>(id);
    if (given[place])
      fail<FileError>(path, ": the id ", id, " is that of '", tokens[place], "' and of '", token, "'");
    given[place] = true;
    tokens[place] = token;
  }
  return tokens;
}

BpeTokenizer::Parts byte_level_parts(const std::vector<std::string>& tokens, std::span<const Pair> merges,
                                     const std::map<int64_t, std::string>& names, const std::string& path) {
  BpeTokenizer::Parts parts{.tokens = {}, .merges = {}};
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const auto name = names.find(static_cast<int64_t>(id));
    if (name != names.end()) {
      parts.tokens.push_back(name->second);
      parts.special[name->second] = static_cast<int64_t>(id);
      continue;
    }
    const auto bytes = from_byte_level(tokens[id]);
    if (!bytes)
      fail<FileError>(path, ": token ", id, ", '", tokens[id], "', is not in the alphabet of byte-level BPE");
    ids.emplace(tokens[id], static_cast<int32_t>(id));
    parts.tokens.push_back(*bytes);
  }
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto id_of = [&](const std::string& token) {
      const auto found = ids.find(token);
      if (found == ids.end())
        fail<FileError>(path, ": merge ", rank, " ('", merges[rank].first, "' and '", merges[rank].second,
                        "') names '", token, "', which is not in the vocabulary");
      return found->second;
    };
    const auto& [left, right] = merges[rank];
    parts.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return parts;
}

std::shared_ptr<const Tokenizer> read_gpt2_tokenizer(const std::string& vocabulary,
                                                     const std::string& merges) {
  const std::vector<std::string> tokens = vocabulary_tokens(
      parse_json_object(read_text(vocabulary, most_tokenizer_bytes), vocabulary, most_tokenizer_bytes),
      vocabulary);
  const std::vector<Pair> pairs = merges_of(read_text(merges, most_tokenizer_bytes), merges);
  // What is neither a byte nor made of two tokens can come of no text.
  std::set<std::string> made;
  for (const auto& [left, right] : pairs) made.insert(left + right);
  std::map<int64_t, std::string> names;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const Utf8Char first = decode_utf8(tokens[id]);
    const bool one = first.length > 0 && static_cast<size_t>(first.length) == tokens[id].size();
    if (!one && !made.contains(tokens[id])) names[static_cast<int64_t>(id)] = tokens[id];
  }
  try {
    return std::make_shared<BpeTokenizer>(byte_level_parts(tokens, pairs, names, merges));
  } catch (const ValueError& error) {
    fail<FileError>(vocabulary, ": ", error.what());
  }
}

}  // namespace weft
