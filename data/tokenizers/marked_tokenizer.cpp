#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <array>
#include <span>

namespace weft {
namespace {

struct Role {
  int64_t SpecialIds::*id;
  std::vector<std::string_view> names;
};
const std::vector<Role>& roles() {
  static const std::vector<Role> all = {
      {&SpecialIds::pad, {"<pad>", "[PAD]", "<|pad|>"}},
      {&SpecialIds::start, {"<s>", "[BOS]", "<bos>", "<|begin_of_text|>", "<|startoftext|>"}},
      {&SpecialIds::end, {"</s>", "[EOS]", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>"}},
      {&SpecialIds::unknown, {"<unk>", "[UNK]"}},
      {&SpecialIds::cls, {"<cls>", "[CLS]"}},
      {&SpecialIds::sep, {"<sep>", "[SEP]"}},
      {&SpecialIds::mask, {"<mask>", "[MASK]"}}};
  return all;
}

}  // namespace

MarkedTokenizer::MarkedTokenizer(std::shared_ptr<const Tokenizer> own, std::vector<std::string> names)
    : WrappedTokenizer(own, own->vocab_size() + static_cast<int64_t>(names.size())),
      names_(std::move(names)) {
  const std::map<std::string, int64_t> theirs = own->special_tokens();
  for (auto name = names_.begin(); name != names_.end(); ++name)
    if (name->empty() || std::find(names_.begin(), name, *name) != name || theirs.contains(*name))
      fail<ValueError>("a special token '", *name,
                       "': ", name->empty() ? "needs a name" : "there is one of that name already");
}

std::map<std::string, int64_t> MarkedTokenizer::special_tokens() const {
  std::map<std::string, int64_t> all = own()->special_tokens();
  for (size_t i = 0; i < names_.size(); ++i) all[names_[i]] = own()->vocab_size() + static_cast<int64_t>(i);
  return all;
}

std::vector<int64_t> MarkedTokenizer::encode_special(std::string_view text, const AroundText& around) const {
  const bool plain = !around.begin && !around.end && !around.second;
  return plain ? Tokenizer::encode_special(text, around) : own()->encode_special(text, around);
}

std::string MarkedTokenizer::decode_behind(int64_t id) const {
  return names_[static_cast<size_t>(id - own()->vocab_size())];
}

StateDict MarkedTokenizer::state_dict() const {
  StateDict state, names;
  for (size_t i = 0; i < names_.size(); ++i) names.set(std::to_string(i), names_[i]);
  state.set("kind", kind());
  state.set("names", names);
  state.set("own", own()->state_dict());
  return state;
}

std::shared_ptr<const Tokenizer> MarkedTokenizer::from_state(const StateDict& state) {
  const StateDict& own = state.dict("own");
  if (own.text("kind") == "marked") fail<StateError>("tokenizer: is marked twice");
  std::vector<std::string> names;
  for (size_t i = 0; i < state.dict("names").keys().size(); ++i)
    names.push_back(state.dict("names").text(std::to_string(i)));
  try {
    return std::make_shared<MarkedTokenizer>(Tokenizer::from_state(own), std::move(names));
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

SpecialIds SpecialIds::of(const Tokenizer& tokenizer) {
  const std::map<std::string, int64_t> special = tokenizer.special_tokens();
  SpecialIds ids;
  for (const Role& role : roles())
    for (const std::string_view name : role.names)
      if (const auto found = special.find(std::string(name)); found != special.end() && ids.*role.id < 0)
        ids.*role.id = found->second;
  return ids;
}

bool SpecialIds::contain(int64_t id) const {
  return id >= 0 && std::ranges::any_of(roles(), [&](const Role& role) { return this->*role.id == id; });
}

std::shared_ptr<const Tokenizer> with_special(std::shared_ptr<const Tokenizer> tokenizer,
                                              const std::vector<std::string>& wanted) {
  const std::map<std::string, int64_t> special = tokenizer->special_tokens();
  const SpecialIds ids = SpecialIds::of(*tokenizer);
  std::vector<std::string> lacking;
  for (const std::string& name : wanted) {
    const auto role =
        std::ranges::find_if(roles(), [&](const Role& one) { return one.names.front() == name; });
    const bool there = role == roles().end() ? special.contains(name) : ids.*role->id >= 0;
    if (!there) lacking.push_back(name);
  }
  if (lacking.empty()) return tokenizer;
  // One layer of marks, so that a vocabulary that grows again keeps its ids.
  if (const auto* const marked = dynamic_cast<const MarkedTokenizer*>(tokenizer.get())) {
    std::vector<std::string> all = marked->names();
    all.insert(all.end(), lacking.begin(), lacking.end());
    return std::make_shared<MarkedTokenizer>(marked->own(), std::move(all));
  }
  return std::make_shared<MarkedTokenizer>(std::move(tokenizer), std::move(lacking));
}

}  // namespace weft
