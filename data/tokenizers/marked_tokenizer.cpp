#include <weft/data/text/token_state.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {

MarkedTokenizer::MarkedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> names)
    : own_(std::move(tokenizer)), names_(std::move(names)) {
  const std::map<std::string, int64_t> theirs = own_->special_tokens();
  for (size_t i = 0; i < names_.size(); ++i) {
    const std::string& name = names_[i];
    if (name.empty()) fail<ValueError>("a special token has no name");
    if (theirs.contains(name) || std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(i),
                                           name) != names_.begin() + static_cast<std::ptrdiff_t>(i))
      fail<ValueError>("the special token '", name, "' is there twice");
  }
}

std::string MarkedTokenizer::decode(int64_t id) const {
  if (id < 0 || id >= vocab_size()) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size(), ")");
  const int64_t mark = id - own_->vocab_size();
  return mark >= 0 ? names_[static_cast<size_t>(mark)] : own_->decode(id);
}

std::string MarkedTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  for (size_t at = 0; at < ids.size();) {
    size_t end = at;
    while (end < ids.size() && ids[end] < own_->vocab_size()) ++end;
    text += own_->decode(ids.subspan(at, end - at));
    if (end < ids.size()) text += decode(ids[end++]);
    at = end;
  }
  return text;
}

int64_t MarkedTokenizer::count_characters(std::span<const int64_t> ids) const {
  std::vector<int64_t> theirs;
  std::ranges::copy_if(ids, std::back_inserter(theirs), [&](int64_t id) { return id < own_->vocab_size(); });
  return own_->count_characters(theirs);
}

bool MarkedTokenizer::leaves_beginning(int64_t id) const {
  return id >= own_->vocab_size() || own_->leaves_beginning(id);
}

std::map<std::string, int64_t> MarkedTokenizer::special_tokens() const {
  std::map<std::string, int64_t> all = own_->special_tokens();
  for (size_t i = 0; i < names_.size(); ++i)
    all.emplace(names_[i], own_->vocab_size() + static_cast<int64_t>(i));
  return all;
}

std::string MarkedTokenizer::describe_unknown(std::string_view text, size_t at) const {
  return str("character ", describe_character(decode_utf8(text.substr(at)).code_point));
}

StateDict MarkedTokenizer::state_dict() const {
  StateDict state, names;
  state.set("kind", kind());
  set_tokens(names, names_);
  state.set("names", names);
  state.set("own", own_->state_dict());
  return state;
}

const Tokenizer& unmarked(const Tokenizer& tokenizer) {
  const auto* const marked = dynamic_cast<const MarkedTokenizer*>(&tokenizer);
  return marked ? marked->own() : tokenizer;
}

std::shared_ptr<const Tokenizer> MarkedTokenizer::from_state(const StateDict& state) {
  const StateDict& own = state.dict("own");
  if (own.text("kind") == "marked") fail<StateError>("tokenizer: is marked twice");
  try {
    return std::make_shared<MarkedTokenizer>(Tokenizer::from_state(own), tokens_of(state.dict("names")));
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

}  // namespace weft
