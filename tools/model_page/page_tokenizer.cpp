#include "page_tokenizer.h"

#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/character_class.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "../base64.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

std::string base64(const std::vector<int32_t>& numbers) {
  return tools::base64(std::span(reinterpret_cast<const uint8_t*>(numbers.data()), 4 * numbers.size()));
}

/// All code points in order: class and length of each run.
std::vector<int64_t> class_runs() {
  std::vector<int64_t> runs;
  for (char32_t c = 0; c < 0x110000; ++c) {
    const auto kind = static_cast<int64_t>(character_class(c));
    if (runs.empty() || runs[runs.size() - 2] != kind) runs.insert(runs.end(), {kind, 0});
    ++runs.back();
  }
  return runs;
}

ordered_json json_of(const BpeTokenizer& tokenizer) {
  const BpeTokenizer::Parts& parts = tokenizer.parts();
  std::string tokens;
  std::vector<int32_t> ends, merges, special;
  for (const std::string& token : parts.tokens) {
    tokens += token;
    ends.push_back(static_cast<int32_t>(tokens.size()));
  }
  for (const BpeMerge& m : parts.merges) merges.insert(merges.end(), {m.left, m.right, m.result});
  for (const auto& [name, id] : parts.special) special.push_back(static_cast<int32_t>(id));
  return {{"kind", "bpe"},           {"pattern", name_of(parts.pattern)},
          {"classes", class_runs()}, {"tokens", tools::base64(tokens)},
          {"ends", base64(ends)},    {"merges", base64(merges)},
          {"special", special},      {"ignoreMerges", parts.ignore_merges}};
}

ordered_json json_of(const Tokenizer& tokenizer) {
  if (const auto* const characters = dynamic_cast<const CharTokenizer*>(&tokenizer)) {
    std::vector<uint32_t> points(characters->characters().begin(), characters->characters().end());
    return {{"kind", "char"}, {"characters", points}, {"unknown", characters->has_unknown()}};
  }
  if (dynamic_cast<const ByteTokenizer*>(&tokenizer)) return {{"kind", "byte"}};
  if (const auto* const pairs = dynamic_cast<const BpeTokenizer*>(&tokenizer)) return json_of(*pairs);
  if (const auto* const wrapped = dynamic_cast<const WrappedTokenizer*>(&tokenizer)) {
    const auto* const marked = dynamic_cast<const MarkedTokenizer*>(wrapped);
    return {{"kind", wrapped->kind()},
            {"size", wrapped->own()->vocab_size()},
            {"names", marked ? marked->names() : std::vector<std::string>()},
            {"own", json_of(*wrapped->own())}};
  }
  fail<ValueError>("--format html: the tokenizer '", tokenizer.kind(),
                   "' is not read by the page; char, byte and bpe are, as of a run with --set tokenizer=bpe");
}

}  // namespace

std::string page_tokenizer(const Tokenizer& tokenizer) { return json_of(tokenizer).dump(-1, ' ', true); }

const Tokenizer& bare(const Tokenizer& tokenizer) {
  const auto* const wrapped = dynamic_cast<const WrappedTokenizer*>(&tokenizer);
  return wrapped ? bare(*wrapped->own()) : tokenizer;
}

}  // namespace weft::tools
