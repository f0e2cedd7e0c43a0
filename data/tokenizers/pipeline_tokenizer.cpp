#include <weft/data/text/token_state.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

using Parts = PipelineTokenizer::Parts;
using Around = PipelineTokenizer::Around;

size_t valid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Utf8Char c = decode_utf8(text.substr(at, 4));
    if (c.length <= 0) break;
    at += length_of(c);
  }
  return at;
}

void check_around(const std::vector<Around>& around, const char* what, int64_t size) {
  for (const Around& one : around)
    if (one.id < Around::second || one.id >= size)
      fail<ValueError>("what goes around ", what, " has the token ", one.id, ", of ", size);
}

}  // namespace

PipelineTokenizer::PipelineTokenizer(Parts parts) : parts_(std::move(parts)) {
  const int64_t size = vocab_size();
  std::vector<int64_t> hidden;
  const bool byte_level = std::ranges::count(parts_.decoders, "ByteLevel", &TokenizerStep::type) > 0;
  bare_.resize(static_cast<size_t>(size));
  for (const AddedToken& token : parts_.added) {
    if (token.id < 0 || token.id >= size)
      fail<ValueError>("the added token '", token.content, "' is ", token.id, ", of ", size);
    if (parts_.model.tokens[static_cast<size_t>(token.id)] != token.content)
      fail<ValueError>("the added token '", token.content, "' has the id ", token.id, " of '",
                       parts_.model.tokens[static_cast<size_t>(token.id)], "'");
    if (token.special) hidden.push_back(token.id);
    bare_[static_cast<size_t>(token.id)] = byte_level;
  }
  check_around(parts_.single, "a text", size);
  check_around(parts_.pair, "a pair", size);
  for (const TokenizerStep& step : parts_.normalizers) normalizers_.push_back(make_normalizer(step));
  for (const TokenizerStep& step : parts_.splits) splits_.push_back(make_split(step));
  model_ = make_token_model(parts_.model, hidden);
  decoder_ = TokenDecoder(parts_.decoders);
  plain_ = finders(false);
  special_ = finders(true);
}

PipelineTokenizer::Finders PipelineTokenizer::finders(bool special) const {
  std::vector<AddedToken> raw, later;
  for (AddedToken token : parts_.added) {
    if (token.special && !special) continue;
    if (!token.normalized) {
      raw.push_back(std::move(token));
      continue;
    }
    AlignedText text(token.content, 0, false);
    for (const TextStep& step : normalizers_) step(text);
    token.content = text.text();
    later.push_back(std::move(token));
  }
  return {AddedTokens(std::move(raw)), AddedTokens(std::move(later))};
}

void PipelineTokenizer::run_part(AlignedText text, bool first, const Finders& added, Encoding& to) const {
  for (const TextStep& step : normalizers_) step(text);
  const auto put = [&](int64_t id, const AlignedText& from, size_t begin, size_t end) {
    to.ids.push_back(id);
    if (from.aligned()) to.spans.push_back(from.origin(begin, end));
  };
  std::vector<PlacedToken> tokens;
  for (const auto& [span, id] : added.normalized.parts_of(text.text())) {
    if (id >= 0) {
      put(id, text, span.begin, span.end);
      continue;
    }
    std::vector<TextPiece> pieces;
    pieces.push_back({text.part(span.begin, span.end), first && span.begin == 0});
    for (const SplitStep& split : splits_) split(pieces);
    for (const TextPiece& piece : pieces) {
      if (piece.text.text().empty()) continue;
      tokens.clear();
      model_->append(piece.text.text(), tokens);
      for (const PlacedToken& token : tokens) put(token.id, piece.text, token.begin, token.end);
    }
  }
}

Encoding PipelineTokenizer::run(std::string_view text, const Finders& added, bool aligned) const {
  Encoding all;
  for (const auto& [span, id] : added.raw.parts_of(text)) {
    if (id < 0) {
      run_part(AlignedText(text.substr(span.begin, span.end - span.begin), span.begin, aligned),
               span.begin == 0, added, all);
      continue;
    }
    all.ids.push_back(id);
    if (aligned) all.spans.push_back(span);
  }
  return all;
}

size_t PipelineTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  const std::string_view valid = text.substr(0, valid_utf8(text));
  Encoding found = run(valid, plain_, false);
  size_t covered = valid.size();
  if (const auto bad = std::ranges::find(found.ids, -1); bad != found.ids.end()) {
    // Only now it is worth while to know where.
    const auto place = bad - found.ids.begin();
    covered = std::min(run(valid, plain_, true).spans[static_cast<size_t>(place)].begin, valid.size() - 1);
    found.ids.erase(bad, found.ids.end());
  }
  ids.insert(ids.end(), found.ids.begin(), found.ids.end());
  return covered;
}

Encoding PipelineTokenizer::encode_with_spans(std::string_view text) const {
  encode(text);  // throws where there is no id
  return run(text, plain_, true);
}

std::vector<int64_t> PipelineTokenizer::ids_with_special(std::string_view text) const {
  std::vector<int64_t> ids;
  if (valid_utf8(text) == text.size())
    ids = run(text, special_, false).ids;
  else
    encode(text);
  if (std::ranges::count(ids, -1) > 0) encode(text);
  if (std::ranges::count(ids, -1) > 0)
    fail<ValueError>("encode: between special tokens there is a character that is not in the vocabulary");
  return ids;
}

std::vector<int64_t> PipelineTokenizer::encode_special(std::string_view text,
                                                       const AroundText& around) const {
  const std::vector<Around>& put = around.second ? parts_.pair : parts_.single;
  if (around.second && put.empty()) fail<ValueError>("tokenizer ", kind(), ": knows no pairs of texts");
  const std::vector<int64_t> first = ids_with_special(text),
                             second = ids_with_special(around.second.value_or(""));
  if (put.empty()) {
    if (around.begin.value_or(false) || around.end.value_or(false))
      fail<ValueError>("tokenizer ", kind(), ": has no token that begins or ends a text");
    return first;
  }
  std::vector<int64_t> ids;
  bool begun = false;
  for (const Around& one : put) {
    if (one.id >= 0) {
      if (begun ? around.end.value_or(true) : around.begin.value_or(true)) ids.push_back(one.id);
      continue;
    }
    const std::vector<int64_t>& part = one.id == Around::text ? first : second;
    ids.insert(ids.end(), part.begin(), part.end());
    begun = true;
  }
  return ids;
}

std::string PipelineTokenizer::written(int64_t id, bool first) const {
  if (id < 0 || id >= vocab_size()) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size(), ")");
  const auto place = static_cast<size_t>(id);
  return bare_[place] ? parts_.model.tokens[place] : decoder_.bytes_of(parts_.model.tokens[place], first);
}

std::string PipelineTokenizer::decode(int64_t id) const { return written(id, false); }

std::string PipelineTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  for (size_t i = 0; i < ids.size(); ++i) text += written(ids[i], i == 0);
  return text;
}

int64_t PipelineTokenizer::count_characters(std::span<const int64_t> ids) const {
  int64_t characters = 0;
  for (const int64_t id : ids)
    characters += std::ranges::count_if(decode(id), [](char byte) { return (byte & 0xC0) != 0x80; });
  return characters;
}

std::map<std::string, int64_t> PipelineTokenizer::special_tokens() const {
  std::map<std::string, int64_t> all;
  for (const AddedToken& token : parts_.added)
    if (token.special) all[token.content] = token.id;
  return all;
}

StateDict PipelineTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  state.set("normalizers", state_of(parts_.normalizers));
  state.set("splits", state_of(parts_.splits));
  state.set("decoders", state_of(parts_.decoders));
  state.set("model", state_of({parts_.model.settings}));
  set_tokens(state, parts_.model.tokens);
  std::vector<int32_t> merges, added, around;
  for (const BpeMerge& m : parts_.model.merges) merges.insert(merges.end(), {m.left, m.right, m.result});
  for (const AddedToken& t : parts_.added)
    added.insert(added.end(),
                 {static_cast<int32_t>(t.id), t.special, t.normalized, t.single_word, t.lstrip, t.rstrip});
  for (const auto* const one : {&parts_.single, &parts_.pair}) {
    around.push_back(static_cast<int32_t>(one->size()));
    for (const Around& a : *one)
      around.insert(around.end(), {static_cast<int32_t>(a.id), static_cast<int32_t>(a.type)});
  }
  const auto row = [&](const char* name, const std::vector<int32_t>& values) {
    state.set(name, Array::from(values, {static_cast<int64_t>(values.size())}));
  };
  row("merges", merges);
  row("added", added);
  row("around", around);
  state.set("scores", Array::from(parts_.model.scores, {static_cast<int64_t>(parts_.model.scores.size())}));
  return state;
}

std::shared_ptr<const Tokenizer> PipelineTokenizer::from_state(const StateDict& state) {
  const std::vector<TokenizerStep> model = steps_of(state.dict("model"));
  if (model.size() != 1) fail<StateError>("tokenizer: has ", model.size(), " models, not one");
  Parts parts{.normalizers = steps_of(state.dict("normalizers")),
              .splits = steps_of(state.dict("splits")),
              .decoders = steps_of(state.dict("decoders")),
              .model = {.settings = model[0], .tokens = tokens_of(state), .merges = {}, .scores = {}}};
  const auto merges = whole_numbers(state, "merges"), added = whole_numbers(state, "added"),
             around = whole_numbers(state, "around");
  constexpr size_t fields = 6;
  if (merges.size() % 3 != 0 || added.size() % fields != 0)
    fail<StateError>("tokenizer: ", merges.size(), " numbers of merges and ", added.size(),
                     " of added tokens; three and six make one");
  for (size_t i = 0; i < merges.size(); i += 3)
    parts.model.merges.push_back({merges[i], merges[i + 1], merges[i + 2]});
  for (size_t i = 0; i < added.size(); i += fields) {
    const auto id = static_cast<size_t>(added[i]);
    if (added[i] < 0 || id >= parts.model.tokens.size())
      fail<StateError>("tokenizer: the added token ", i / fields, " is ", added[i], ", of ",
                       parts.model.tokens.size());
    parts.added.push_back({added[i], parts.model.tokens[id], added[i + 1] != 0, added[i + 2] != 0,
                           added[i + 3] != 0, added[i + 4] != 0, added[i + 5] != 0});
  }
  size_t at = 0;
  for (auto* const one : {&parts.single, &parts.pair}) {
    const int32_t count = at < around.size() ? around[at] : -1;
    if (count < 0 || static_cast<size_t>(count) > (around.size() - at - 1) / 2)
      fail<StateError>("tokenizer: what goes around a text is damaged");
    ++at;
    for (int32_t i = 0; i < count; ++i, at += 2) one->push_back({around[at], around[at + 1]});
  }
  const Array& scores = state.array("scores");
  if (scores.dtype() != float64) fail<StateError>("tokenizer: scores must be float64, not ", scores.dtype());
  parts.model.scores.assign(scores.values<double>().begin(), scores.values<double>().end());
  try {
    return std::make_shared<PipelineTokenizer>(std::move(parts));
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

}  // namespace weft
