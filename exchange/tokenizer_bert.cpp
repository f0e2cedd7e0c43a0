#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <map>

#include "json_internal.h"
#include "tokenizer_files_internal.h"

namespace weft {
namespace {

/// A token a line.
std::vector<std::string> lines_of(const std::string& text, const std::string& path) {
  std::vector<std::string> tokens;
  std::map<std::string, size_t> places;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string token = text.substr(at, end - at);
    at = end + 1;
    if (token.ends_with('\r')) token.pop_back();
    for (size_t byte = 0; byte < token.size();) {
      const Utf8Char c = decode_utf8(std::string_view(token).substr(byte, 4));
      if (c.length <= 0) fail<FileError>(path, ": line ", tokens.size() + 1, " is not UTF-8 at byte ", byte);
      byte += static_cast<size_t>(c.length);
    }
    const auto [first, fresh] = places.emplace(token, tokens.size());
    if (!fresh)
      fail<FileError>(path, ": lines ", first->second + 1, " and ", tokens.size() + 1, " are both '", token,
                      "'");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

int64_t flag(const nlohmann::json& config, const char* key, bool otherwise, const std::string& path) {
  return config_flag(config, key, path).value_or(otherwise);
}

}  // namespace

std::shared_ptr<const Tokenizer> read_bert_tokenizer(const std::string& path, const nlohmann::json& config) {
  PipelineTokenizer::Parts parts{.model = {}};
  parts.model.tokens = lines_of(read_text(path, most_tokenizer_bytes), path);
  const auto id_of = [&](const char* token) {
    const auto found = std::ranges::find(parts.model.tokens, token);
    if (found == parts.model.tokens.end())
      fail<FileError>(path, ": has no ", token, "; a vocabulary of WordPiece has a line ", token);
    return found - parts.model.tokens.begin();
  };
  for (const char* const token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    parts.added.push_back({.id = id_of(token), .content = token, .special = true});
  const int64_t low = flag(config, "do_lower_case", true, path);
  TokenizerStep normalizer{
      .type = "BertNormalizer",
      .numbers = {{"clean_text", 1},
                  {"handle_chinese_chars", flag(config, "tokenize_chinese_chars", true, path)},
                  {"lowercase", low},
                  {"strip_accents", flag(config, "strip_accents", low != 0, path)}}};
  parts.normalizers = {std::move(normalizer)};
  parts.splits = {{.type = "BertPreTokenizer"}};
  parts.decoders = {{.type = "WordPiece", .texts = {{"prefix", "##"}}, .numbers = {{"cleanup", 1}}}};
  parts.model.settings = {.type = "WordPiece",
                          .texts = {{"unk_token", "[UNK]"}, {"continuing_subword_prefix", "##"}},
                          .numbers = {{"max_input_chars_per_word", 100}}};
  using Around = PipelineTokenizer::Around;
  const int64_t begin = id_of("[CLS]"), end = id_of("[SEP]");
  parts.single = {{begin, 0}, {Around::text, 0}, {end, 0}};
  parts.pair = {{begin, 0}, {Around::text, 0}, {end, 0}, {Around::second, 1}, {end, 1}};
  try {
    return std::make_shared<PipelineTokenizer>(std::move(parts));
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

}  // namespace weft
