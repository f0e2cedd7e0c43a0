#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/byte_level.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/character_map.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/exchange/tokenizers.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace weft {
namespace {

using nlohmann::ordered_json;
using Around = PipelineTokenizer::Around;

// Settings that are true or false; the others are numbers.
constexpr std::string_view numbers[] = {"max_input_chars_per_word", "unk_id", "start", "stop"};

ordered_json json_of(const TokenizerStep& step) {
  ordered_json all{{"type", step.type}};
  for (const auto& [name, value] : step.texts) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos)
      all[name] = value;
    else
      all[name.substr(0, dot)] = {{name.substr(dot + 1), value}};
  }
  for (const auto& [name, value] : step.numbers)
    if (std::ranges::count(numbers, name) > 0)
      all[name] = value;
    else
      all[name] = value != 0;
  return all;
}

ordered_json json_of(const std::vector<TokenizerStep>& steps, const char* list) {
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return json_of(steps[0]);
  ordered_json all = ordered_json::array();
  for (const TokenizerStep& step : steps) all.push_back(json_of(step));
  return {{"type", "Sequence"}, {list, all}};
}

ordered_json template_of(const std::vector<Around>& around, const std::vector<std::string>& tokens) {
  ordered_json all = ordered_json::array();
  for (const Around& one : around)
    if (one.id >= 0)
      all.push_back({{"SpecialToken", {{"id", tokens[static_cast<size_t>(one.id)]}, {"type_id", one.type}}}});
    else
      all.push_back({{"Sequence", {{"id", one.id == Around::text ? "A" : "B"}, {"type_id", one.type}}}});
  return all;
}

ordered_json processor_of(const PipelineTokenizer::Parts& parts) {
  if (parts.single.empty() && parts.pair.empty()) return nullptr;
  std::vector<Around> single = parts.single, pair = parts.pair;
  if (single.empty()) single = {{Around::text, 0}};
  if (pair.empty()) pair = {{Around::text, 0}, {Around::second, 1}};
  ordered_json special = ordered_json::object();
  for (const std::vector<Around>* const all : {&single, &pair})
    for (const Around& one : *all) {
      if (one.id < 0) continue;
      const std::string& token = parts.model.tokens[static_cast<size_t>(one.id)];
      special[token] = {
          {"id", token}, {"ids", ordered_json::array({one.id})}, {"tokens", ordered_json::array({token})}};
    }
  return {{"type", "TemplateProcessing"},
          {"single", template_of(single, parts.model.tokens)},
          {"pair", template_of(pair, parts.model.tokens)},
          {"special_tokens", special}};
}

ordered_json model_of(const TokenModelParts& parts) {
  ordered_json all = json_of(parts.settings);
  if (parts.settings.type == "Unigram") {
    ordered_json vocab = ordered_json::array();
    for (size_t id = 0; id < parts.tokens.size(); ++id)
      vocab.push_back(ordered_json::array({parts.tokens[id], parts.scores[id]}));
    all["vocab"] = vocab;
    return all;
  }
  ordered_json::object_t vocab;
  for (size_t id = 0; id < parts.tokens.size(); ++id)
    static_cast<std::vector<std::pair<const std::string, ordered_json>>&>(vocab).emplace_back(
        parts.tokens[id], id);
  all["vocab"] = std::move(vocab);
  if (parts.settings.type != "BPE") return all;
  // Texts with a space between are read by every version, but cannot name a token that has one.
  const bool spaces = std::ranges::any_of(
      parts.tokens, [](const std::string& token) { return token.find(' ') != std::string::npos; });
  all["merges"] = ordered_json::array();
  for (const BpeMerge& merge : parts.merges) {
    const std::string &left = parts.tokens[static_cast<size_t>(merge.left)],
                      &right = parts.tokens[static_cast<size_t>(merge.right)];
    if (spaces)
      all["merges"].push_back(ordered_json::array({left, right}));
    else
      all["merges"].push_back(str(left, " ", right));
  }
  return all;
}

std::string text_of(const PipelineTokenizer::Parts& parts) {
  ordered_json added = ordered_json::array();
  for (const AddedToken& token : parts.added)
    added.push_back({{"id", token.id},
                     {"content", token.content},
                     {"single_word", token.single_word},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  const ordered_json all{{"version", "1.0"},
                         {"truncation", nullptr},
                         {"padding", nullptr},
                         {"added_tokens", added},
                         {"normalizer", json_of(parts.normalizers, "normalizers")},
                         {"pre_tokenizer", json_of(parts.splits, "pretokenizers")},
                         {"post_processor", processor_of(parts)},
                         {"decoder", json_of(parts.decoders, "decoders")},
                         {"model", model_of(parts.model)}};
  try {
    return all.dump(1, ' ', false, ordered_json::error_handler_t::strict) + "\n";
  } catch (const ordered_json::exception&) {
    fail<ValueError>("a token is not UTF-8, which a tokenizer.json cannot hold");
  }
}

PipelineTokenizer::Parts parts_of(const BpeTokenizer& tokenizer) {
  const BpeTokenizer::Parts& own = tokenizer.parts();
  PipelineTokenizer::Parts parts{.model = {}};
  const bool gpt2 = own.pattern == WordPattern::gpt2;
  if (!gpt2)
    parts.splits.push_back({.type = "Split",
                            .texts = {{"pattern.Regex", regex_of(own.pattern)}, {"behavior", "Isolated"}},
                            .numbers = {{"invert", 0}}});
  parts.splits.push_back(
      {.type = "ByteLevel", .numbers = {{"add_prefix_space", 0}, {"trim_offsets", 1}, {"use_regex", gpt2}}});
  parts.decoders.push_back(
      {.type = "ByteLevel", .numbers = {{"add_prefix_space", 1}, {"trim_offsets", 1}, {"use_regex", 1}}});
  parts.model.settings = {
      .type = "BPE",
      .numbers = {{"fuse_unk", 0}, {"byte_fallback", 0}, {"ignore_merges", own.ignore_merges}}};
  for (const std::string& token : own.tokens) parts.model.tokens.push_back(to_byte_level(token));
  for (const auto& [name, id] : own.special) {
    parts.model.tokens[static_cast<size_t>(id)] = name;
    parts.added.push_back({.id = id, .content = name, .special = true});
  }
  std::ranges::sort(parts.added, {}, &AddedToken::id);
  parts.model.merges = own.merges;
  return parts;
}

/// Characters or bytes, of which none are merged.
PipelineTokenizer::Parts parts_of(const Tokenizer& tokenizer) {
  const auto* const characters = dynamic_cast<const CharTokenizer*>(&tokenizer);
  PipelineTokenizer::Parts parts{
      .model = {.settings = {.type = "BPE"}, .tokens = {}, .merges = {}, .scores = {}}};
  if (!characters) {
    for (int byte = 0; byte < 256; ++byte)
      parts.model.tokens.emplace_back(byte_level_character(static_cast<unsigned char>(byte)));
    parts.splits.push_back(
        {.type = "ByteLevel", .numbers = {{"add_prefix_space", 0}, {"trim_offsets", 1}, {"use_regex", 0}}});
    parts.decoders.push_back(
        {.type = "ByteLevel", .numbers = {{"add_prefix_space", 1}, {"trim_offsets", 1}, {"use_regex", 1}}});
    return parts;
  }
  for (const char32_t c : characters->characters()) parts.model.tokens.push_back(encode_utf8(c));
  parts.decoders = {{.type = "Fuse"}};
  if (!characters->has_unknown()) return parts;
  const std::string unknown = "<unk>";
  parts.model.settings.texts["unk_token"] = unknown;
  parts.added.push_back(
      {.id = static_cast<int64_t>(parts.model.tokens.size()), .content = unknown, .special = true});
  parts.model.tokens.push_back(unknown);
  return parts;
}

/// Every way to put a piece together is a merge, those of high scores first; of one piece, in the order in which
/// transformers converts them.
std::vector<BpeMerge> merges_of(const SentencePieceModel& model) {
  std::unordered_map<std::string_view, int32_t> ids;
  using Kind = SentencePieceModel::Kind;
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (const Kind kind = model.pieces[id].kind; kind == Kind::normal || kind == Kind::user_defined)
      ids.emplace(model.pieces[id].text, static_cast<int32_t>(id));
  std::vector<BpeMerge> merges;
  for (const auto& [piece, id] : ids) {
    if (model.pieces[static_cast<size_t>(id)].kind != Kind::normal) continue;
    for (size_t cut = 1; cut < piece.size(); ++cut) {
      const auto left = ids.find(piece.substr(0, cut)), right = ids.find(piece.substr(cut));
      if (left != ids.end() && right != ids.end()) merges.push_back({left->second, right->second, id});
    }
  }
  std::ranges::sort(merges, {}, [&](const BpeMerge& m) {
    const auto length = [&](int32_t id) {
      return -static_cast<int64_t>(model.pieces[static_cast<size_t>(id)].text.size());
    };
    return std::tuple(-model.pieces[static_cast<size_t>(m.result)].score, length(m.left), length(m.right));
  });
  return merges;
}

PipelineTokenizer::Parts parts_of(const SentencePieceTokenizer& tokenizer) {
  const SentencePieceModel& own = tokenizer.model();
  using Kind = SentencePieceModel::Kind;
  PipelineTokenizer::Parts parts{.model = {}};
  int64_t unknown = 0;
  for (size_t id = 0; id < own.pieces.size(); ++id) {
    const auto& [text, score, kind] = own.pieces[id];
    parts.model.tokens.push_back(text);
    parts.model.scores.push_back(score);
    if (kind == Kind::unknown) unknown = static_cast<int64_t>(id);
    const bool special = kind == Kind::unknown || kind == Kind::control;
    if (special || kind == Kind::user_defined)
      parts.added.push_back({.id = static_cast<int64_t>(id), .content = text, .special = special});
  }
  if (!own.character_map.empty())
    parts.normalizers.push_back(
        {.type = "Precompiled", .texts = {{"precompiled_charsmap", to_base64(own.character_map)}}});
  if (own.remove_extra_spaces) {
    parts.normalizers.push_back({.type = "Replace", .texts = {{"pattern.Regex", " {2,}"}, {"content", " "}}});
    parts.normalizers.push_back(
        {.type = "Replace", .texts = {{"pattern.Regex", "\\A | \\z"}, {"content", ""}}});
  }
  const std::string mark = "\u2581";
  if (own.dummy_prefix) parts.normalizers.push_back({.type = "Prepend", .texts = {{"prepend", mark}}});
  parts.normalizers.push_back({.type = "Replace", .texts = {{"pattern.String", " "}, {"content", mark}}});
  parts.decoders = {{.type = "Replace", .texts = {{"pattern.String", mark}, {"content", " "}}},
                    {.type = "ByteFallback"},
                    {.type = "Fuse"}};
  if (own.dummy_prefix || own.remove_extra_spaces)
    parts.decoders.push_back(
        {.type = "Strip", .texts = {{"content", " "}}, .numbers = {{"start", 1}, {"stop", 0}}});
  if (own.algorithm == SentencePieceModel::Algorithm::bpe) {
    parts.model.settings = {.type = "BPE",
                            .texts = {{"unk_token", own.pieces[static_cast<size_t>(unknown)].text}},
                            .numbers = {{"fuse_unk", 1}, {"byte_fallback", own.byte_fallback}}};
    parts.model.scores.clear();
    parts.model.merges = merges_of(own);
  } else {
    parts.model.settings = {.type = "Unigram",
                            .numbers = {{"unk_id", unknown}, {"byte_fallback", own.byte_fallback}}};
  }
  for (const int64_t id : tokenizer.encode_special("")) parts.single.push_back({id, 0});
  const bool begins =
      !parts.single.empty() && own.pieces[static_cast<size_t>(parts.single[0].id)].text == own.begin_piece;
  if (!parts.single.empty()) parts.single.insert(parts.single.begin() + (begins ? 1 : 0), {Around::text, 0});
  return parts;
}

const Tokenizer& bare(const Tokenizer& tokenizer) {
  const auto* const padded = dynamic_cast<const PaddedTokenizer*>(&tokenizer);
  return padded ? *padded->own() : tokenizer;
}

/// A tokenizer.json with marks behind its vocabulary, padded or not, and, where they are among them, <cls> and <sep> around a text.
std::string with_marks(const std::string& own, const MarkedTokenizer& tokenizer) {
  ordered_json all = ordered_json::parse(own);
  const int64_t first = tokenizer.own()->vocab_size();
  if (!all["added_tokens"].is_array()) all["added_tokens"] = ordered_json::array();
  const auto add = [&](int64_t id, const std::string& content) {
    all["added_tokens"].push_back({{"id", id},
                                   {"content", content},
                                   {"single_word", false},
                                   {"lstrip", false},
                                   {"rstrip", false},
                                   {"normalized", false},
                                   {"special", true}});
  };
  // Their reader numbers added tokens one by one: ids of padding, which stand for nothing, need names.
  for (int64_t id = bare(*tokenizer.own()).vocab_size(); id < first; ++id)
    add(id, str("<|unused-", id, "|>"));
  for (size_t i = 0; i < tokenizer.names().size(); ++i)
    add(first + static_cast<int64_t>(i), tokenizer.names()[i]);
  const std::map<std::string, int64_t> special = tokenizer.special_tokens();
  const SpecialIds ids = SpecialIds::of(tokenizer);
  const auto named = [&](int64_t id) {
    return std::ranges::find(special, id, [](const auto& one) { return one.second; })->first;
  };
  // What weft's tasks of texts put around them.
  if (ids.cls < first || ids.sep < first) return all.dump(2) + "\n";
  const std::string cls = named(ids.cls), sep = named(ids.sep);
  const auto token = [](const std::string& name) {
    return ordered_json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
  };
  const ordered_json text{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
      second{{"Sequence", {{"id", "B"}, {"type_id", 0}}}};
  const auto told = [](const std::string& name, int64_t id) {
    return ordered_json{{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  all["post_processor"] = {{"type", "TemplateProcessing"},
                           {"single", {token(cls), text, token(sep)}},
                           {"pair", {token(cls), text, token(sep), second, token(sep)}},
                           {"special_tokens", {{cls, told(cls, ids.cls)}, {sep, told(sep, ids.sep)}}}};
  return all.dump(2) + "\n";
}

}  // namespace

std::string tokenizer_json(const Tokenizer& tokenizer) {
  const Tokenizer& own = bare(tokenizer);
  if (const auto* const marked = dynamic_cast<const MarkedTokenizer*>(&own))
    return with_marks(tokenizer_json(*marked->own()), *marked);
  if (const auto* const parts = dynamic_cast<const PipelineTokenizer*>(&own)) return text_of(parts->parts());
  if (const auto* const bpe = dynamic_cast<const BpeTokenizer*>(&own)) return text_of(parts_of(*bpe));
  if (const auto* const pieces = dynamic_cast<const SentencePieceTokenizer*>(&own))
    return text_of(parts_of(*pieces));
  const std::string kind = own.kind();
  if (kind == "char" || kind == "byte") return text_of(parts_of(own));
  fail<ValueError>("a tokenizer of the kind ", kind, " has no tokenizer.json");
}

std::vector<std::string> tokenizer_files(const Tokenizer& tokenizer) {
  std::vector<std::string> names = {"tokenizer.json", "tokenizer_config.json"};
  if (dynamic_cast<const SentencePieceTokenizer*>(&bare(tokenizer))) names.emplace_back("tokenizer.model");
  return names;
}

void write_tokenizer(const std::string& folder, const Tokenizer& tokenizer, int64_t end_id) {
  const std::string text = tokenizer_json(tokenizer);
  ordered_json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                      {"clean_up_tokenization_spaces", false}};
  const SpecialIds ids = SpecialIds::of(tokenizer);
  for (const auto& [name, id] : tokenizer.special_tokens()) {
    if (id == end_id) config["eos_token"] = name;
    for (const auto& [known, key] : {std::pair(ids.unknown, "unk_token"),
                                     {ids.cls, "cls_token"},
                                     {ids.sep, "sep_token"},
                                     {ids.mask, "mask_token"},
                                     {ids.pad, "pad_token"},
                                     {ids.start, "bos_token"},
                                     {ids.end, "eos_token"}})
      if (id == known && !config.contains(key)) config[key] = name;
  }
  if (const auto* const pieces = dynamic_cast<const SentencePieceTokenizer*>(&bare(tokenizer)))
    write_file(folder + "/tokenizer.model", pieces->bytes());
  write_file(folder + "/tokenizer.json", text);
  write_file(folder + "/tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace weft
