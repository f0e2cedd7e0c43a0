#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "json_internal.h"
#include "tokenizer_files_internal.h"

namespace weft {
namespace {

using nlohmann::json;
using Around = PipelineTokenizer::Around;

/// Reads one file; every message begins with its path.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path),
        root_(parse_json_object(read_text(path, most_tokenizer_bytes), path, most_tokenizer_bytes)) {}

  /// What the file asks for that is not applied.
  std::vector<std::string> notes() const {
    std::vector<std::string> all;
    for (const char* const part : {"truncation", "padding"}) {
      const json& asked = at(root_, part);
      if (asked.is_null()) continue;
      const json& length = at(asked, "max_length");
      all.push_back(str(path_, ": its ", part, length.is_number() ? " to " + shown(length) + " tokens" : "",
                        " is not applied: weft makes its batches itself"));
    }
    return all;
  }

  PipelineTokenizer::Parts read() {
    if (!root_.contains("model")) refuse("has no model; this is no tokenizer.json");
    for (const auto& [key, value] : root_.items())
      if (!known_.contains(key)) refuse("weft does not know the part ", key, " of a tokenizer");
    read_model();
    read_added();
    steps(at(root_, "normalizer"), "normalizer", "normalizers", parts_.normalizers);
    steps(at(root_, "pre_tokenizer"), "pre_tokenizer", "pretokenizers", parts_.splits);
    steps(at(root_, "decoder"), "decoder", "decoders", parts_.decoders);
    around(at(root_, "post_processor"));
    return std::move(parts_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<FileError>(path_, ": ", parts...);
  }

  /// null for what is not there.
  static const json& at(const json& object, const char* key) {
    static const json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
  }

  std::string text(const json& value, const std::string& what) const {
    if (!value.is_string()) refuse(what, " is ", shown(value), ", not a text");
    return value.get<std::string>();
  }

  int64_t whole(const json& value, const std::string& what, int64_t most) const {
    if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > most ||
        (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX))
      refuse(what, " is ", shown(value), ", not a whole number up to ", most);
    return value.get<int64_t>();
  }

  bool flag(const json& value, const std::string& what) const {
    if (value.is_null()) return false;
    if (!value.is_boolean()) refuse(what, " is ", shown(value), ", neither true nor false");
    return value.get<bool>();
  }

  /// A part as it stands there; `pattern` is an object of one text.
  TokenizerStep step(const json& from, const std::string& what) const {
    if (!from.is_object() || !at(from, "type").is_string())
      refuse(what, " is ", shown(from), ", not an object with a type");
    TokenizerStep step{.type = from.at("type").get<std::string>()};
    for (const auto& [key, value] : from.items()) {
      const std::string name = str(what, " ", step.type, ": ", key);
      if (key == "type" || value.is_null()) continue;
      if (value.is_string()) {
        step.texts[key] = value.get<std::string>();
      } else if (value.is_boolean()) {
        step.numbers[key] = value.get<bool>();
      } else if (value.is_number_integer()) {
        step.numbers[key] = whole(value, name, INT32_MAX);
      } else if (value.is_object() && value.size() == 1 && value.begin().value().is_string() &&
                 (value.contains("Regex") || value.contains("String"))) {
        step.texts[str(key, ".", value.begin().key())] = value.begin().value().get<std::string>();
      } else {
        refuse(name, " is ", shown(value), ", which weft does not know");
      }
    }
    return step;
  }

  void steps(const json& from, const std::string& what, const char* list,
             std::vector<TokenizerStep>& to) const {
    if (from.is_null()) return;
    if (at(from, "type") != "Sequence") {
      to.push_back(step(from, what));
      return;
    }
    if (!at(from, list).is_array()) refuse(what, " Sequence: has no list of ", list);
    for (const json& one : from.at(list)) steps(one, what, list, to);
  }

  void read_model() {
    const json& model = root_.at("model");
    if (!model.is_object()) refuse("model is ", shown(model), ", not an object");
    json plain = model;
    for (const char* const key : {"vocab", "merges", "dropout"}) plain.erase(key);
    if (!plain.contains("type"))  // old files have none
      plain["type"] = model.contains("merges")        ? "BPE"
                      : at(model, "vocab").is_array() ? "Unigram"
                                                      : "WordPiece";
    parts_.model.settings = step(plain, "model");
    const json& dropout = at(model, "dropout");
    if (!dropout.is_null() && dropout != 0.0) refuse("model: dropout is ", shown(dropout), "; weft has none");
    const json& vocab = at(model, "vocab");
    if (parts_.model.settings.type == "Unigram") {
      read_scores(vocab);
    } else {
      if (!vocab.is_object()) refuse("model: vocab is no object of ids by token");
      for (const auto& [token, id] : vocab.items())
        give(whole(id, str("model: the id of '", token, "'"), most_id), token, "");
    }
    if (const json& merges = at(model, "merges"); !merges.is_null()) merges_ = &merges;
  }

  void read_scores(const json& vocab) {
    if (!vocab.is_array()) refuse("model: vocab is no list of tokens and scores");
    for (size_t id = 0; id < vocab.size(); ++id) {
      const json& one = vocab[id];
      if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_number())
        refuse("model: token ", id, " is ", shown(one), ", not a text and a score");
      give(static_cast<int64_t>(id), one[0].get<std::string>(), "");
      parts_.model.scores.push_back(one[1].get<double>());
    }
  }

  /// An id is that of one token.
  void give(int64_t id, const std::string& token, const char* what) {
    const auto place = static_cast<size_t>(id);
    std::vector<std::string>& tokens = parts_.model.tokens;
    if (place >= tokens.size()) {
      tokens.resize(place + 1);
      given_.resize(place + 1);
    }
    if (given_[place] && tokens[place] != token)
      refuse(what, "the id ", id, " is that of '", tokens[place], "' and of '", token, "'");
    given_[place] = true;
    tokens[place] = token;
  }

  void read_added() {
    const json& added = at(root_, "added_tokens");
    if (!added.is_null() && !added.is_array()) refuse("added_tokens is ", shown(added), ", not a list");
    for (const json& one : added) {
      const std::string what = str("added token ", parts_.added.size());
      AddedToken token{.id = whole(at(one, "id"), what + ": its id", most_id),
                       .content = text(at(one, "content"), what + ": content")};
      token.special = flag(at(one, "special"), what + ": special");
      token.normalized = flag(at(one, "normalized"), what + ": normalized");
      token.single_word = flag(at(one, "single_word"), what + ": single_word");
      token.lstrip = flag(at(one, "lstrip"), what + ": lstrip");
      token.rstrip = flag(at(one, "rstrip"), what + ": rstrip");
      give(token.id, token.content, "added_tokens: ");
      parts_.added.push_back(std::move(token));
    }
    for (size_t id = 0; id < given_.size(); ++id)
      if (!given_[id]) refuse("no token has the id ", id, ", though ids go up to ", given_.size() - 1);
    std::unordered_map<std::string_view, size_t> ids;
    for (size_t id = 0; id < given_.size(); ++id)
      if (const auto [first, fresh] = ids.emplace(parts_.model.tokens[id], id); !fresh)
        refuse("the token '", first->first, "' has the ids ", first->second, " and ", id);
    if (!parts_.model.scores.empty()) parts_.model.scores.resize(given_.size(), 0.0);
    read_merges();
  }

  void read_merges() {
    if (!merges_) return;
    if (!merges_->is_array()) refuse("model: merges is no list");
    std::unordered_map<std::string, int32_t> ids;
    for (size_t id = 0; id < parts_.model.tokens.size(); ++id)
      ids.emplace(parts_.model.tokens[id], static_cast<int32_t>(id));
    const auto prefix = parts_.model.settings.texts.find("continuing_subword_prefix");
    const size_t drops = prefix == parts_.model.settings.texts.end() ? 0 : prefix->second.size();
    for (const json& one : *merges_) {
      const std::string what = str("model: merge ", parts_.model.merges.size());
      std::string left, right;
      if (one.is_array() && one.size() == 2) {
        left = text(one[0], what);
        right = text(one[1], what);
      } else {
        const std::string both = text(one, what);
        const size_t space = both.find(' ');
        if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos)
          refuse(what, " is '", both, "', not two tokens with a space between");
        left = both.substr(0, space);
        right = both.substr(space + 1);
      }
      const auto id_of = [&](const std::string& token) {
        const auto found = ids.find(token);
        if (found == ids.end())
          refuse(what, " ('", left, "' and '", right, "') names '", token,
                 "', which is not in the vocabulary");
        return found->second;
      };
      const int32_t first = id_of(left), second = id_of(right);
      parts_.model.merges.push_back(
          {first, second, id_of(left + right.substr(std::min(drops, right.size())))});
    }
  }

  int64_t id_of(const std::string& token, const std::string& what) const {
    const auto found = std::ranges::find(parts_.model.tokens, token);
    if (found == parts_.model.tokens.end())
      refuse(what, ": the token '", token, "' is not in the vocabulary");
    return found - parts_.model.tokens.begin();
  }

  void around(const json& from) {
    if (from.is_null()) return;
    const std::string type = text(at(from, "type"), "post_processor: type");
    if (type == "Sequence") {
      if (!at(from, "processors").is_array()) refuse("post_processor Sequence: has no list of processors");
      for (const json& one : from.at("processors")) around(one);
    } else if (type == "TemplateProcessing") {
      parts_.single = pieces(at(from, "single"), at(from, "special_tokens"));
      parts_.pair = pieces(at(from, "pair"), at(from, "special_tokens"));
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      const int64_t begin = named(at(from, "cls")), end = named(at(from, "sep"));
      const bool bert = type == "BertProcessing";
      parts_.single = {{begin, 0}, {Around::text, 0}, {end, 0}};
      parts_.pair = {{begin, 0}, {Around::text, 0}, {end, 0}};
      if (!bert) parts_.pair.push_back({end, 0});
      parts_.pair.push_back({Around::second, bert ? 1 : 0});
      parts_.pair.push_back({end, bert ? 1 : 0});
    } else if (type != "ByteLevel") {  // which moves offsets alone
      refuse("weft does not know the post_processor ", type);
    }
  }

  int64_t named(const json& pair) const {
    if (!pair.is_array() || pair.size() != 2)
      refuse("post_processor: ", shown(pair), " is no token with its id");
    const std::string token = text(pair[0], "post_processor");
    return id_of(token, "post_processor");
  }

  std::vector<Around> pieces(const json& from, const json& special) const {
    std::vector<Around> all;
    if (!from.is_array()) refuse("post_processor: its template is ", shown(from), ", not a list");
    for (const json& one : from) {
      const bool sequence = one.is_object() && one.contains("Sequence");
      const json& what = at(one, sequence ? "Sequence" : "SpecialToken");
      const std::string name = text(at(what, "id"), "post_processor: the id in a template");
      const int64_t kind = whole(at(what, "type_id"), "post_processor: type_id", 1 << 20);
      if (sequence) {
        if (name != "A" && name != "B") refuse("post_processor: there is no sequence ", name);
        all.push_back({name == "A" ? Around::text : Around::second, kind});
        continue;
      }
      const json& ids = at(at(special, name.c_str()), "ids");
      if (!ids.is_array()) refuse("post_processor: its special_tokens do not tell the ids of '", name, "'");
      for (const json& id : ids)
        all.push_back(
            {whole(id, str("post_processor: an id of '", name, "'"), static_cast<int64_t>(given_.size()) - 1),
             kind});
    }
    return all;
  }

  static constexpr int64_t most_id = (int64_t{1} << 24) - 1;
  const std::string& path_;
  json root_;
  const json* merges_ = nullptr;
  PipelineTokenizer::Parts parts_{.model = {}};
  std::vector<bool> given_;
  const std::map<std::string, int, std::less<>> known_ = {
      {"version", 0},       {"truncation", 0},     {"padding", 0}, {"added_tokens", 0}, {"normalizer", 0},
      {"pre_tokenizer", 0}, {"post_processor", 0}, {"decoder", 0}, {"model", 0}};
};

/// The word pattern, if the parts are byte-level BPE and nothing else, as BpeTokenizer has it.
std::optional<WordPattern> byte_level_bpe(const PipelineTokenizer::Parts& parts) {
  const TokenizerStep& model = parts.model.settings;
  const auto is = [](const TokenizerStep& step, const char* name, int64_t otherwise, int64_t wanted) {
    const auto found = step.numbers.find(name);
    return (found == step.numbers.end() ? otherwise : found->second) == wanted;
  };
  for (const auto& [name, value] : model.texts)
    if (!value.empty()) return {};
  const bool plain = parts.normalizers.empty() && parts.single.empty() && parts.pair.empty() &&
                     model.type == "BPE" && is(model, "byte_fallback", 0, 0) && parts.decoders.size() == 1 &&
                     parts.decoders[0].type == "ByteLevel" && !parts.splits.empty() &&
                     parts.splits.size() <= 2 && parts.splits.back().type == "ByteLevel" &&
                     is(parts.splits.back(), "add_prefix_space", 1, 0);
  if (!plain) return {};
  for (const AddedToken& token : parts.added)
    if (!token.special || token.single_word || token.lstrip || token.rstrip) return {};
  if (parts.splits.size() == 1)
    return is(parts.splits[0], "use_regex", 1, 1) ? std::optional(WordPattern::gpt2) : std::nullopt;
  const TokenizerStep& split = parts.splits[0];
  const auto regex = split.texts.find("pattern.Regex"), behavior = split.texts.find("behavior");
  if (split.type != "Split" || regex == split.texts.end() || behavior == split.texts.end() ||
      behavior->second != "Isolated" || !is(split, "invert", 0, 0) || !is(parts.splits[1], "use_regex", 1, 0))
    return {};
  return word_pattern_of_regex(regex->second);
}

}  // namespace

std::shared_ptr<const Tokenizer> read_json_tokenizer(const std::string& path,
                                                     std::vector<std::string>* notes) {
  try {
    Reader reader(path);
    PipelineTokenizer::Parts parts = reader.read();
    if (notes)
      for (std::string& note : reader.notes()) notes->push_back(std::move(note));
    if (const auto pattern = byte_level_bpe(parts)) {
      std::map<int64_t, std::string> names;
      for (const AddedToken& token : parts.added) names[token.id] = token.content;
      std::vector<std::pair<std::string, std::string>> merges;
      for (const BpeMerge& m : parts.model.merges)
        merges.emplace_back(parts.model.tokens[static_cast<size_t>(m.left)],
                            parts.model.tokens[static_cast<size_t>(m.right)]);
      try {
        BpeTokenizer::Parts bpe = byte_level_parts(parts.model.tokens, merges, names, path);
        bpe.pattern = *pattern;
        const auto ignores = parts.model.settings.numbers.find("ignore_merges");
        bpe.ignore_merges = ignores != parts.model.settings.numbers.end() && ignores->second != 0;
        return std::make_shared<BpeTokenizer>(std::move(bpe));
      } catch (const Error&) {  // without a token for each byte, say: the parts still make one
      }
    }
    return std::make_shared<PipelineTokenizer>(std::move(parts));
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

}  // namespace weft
