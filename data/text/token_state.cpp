#include <weft/data/text/token_state.h>
#include <weft/lib/base/error.h>

namespace weft {

void set_tokens(StateDict& state, const std::vector<std::string>& tokens) {
  std::vector<int32_t> ends, bytes;
  for (const std::string& token : tokens) {
    for (const char byte : token) bytes.push_back(static_cast<uint8_t>(byte));
    ends.push_back(static_cast<int32_t>(bytes.size()));
  }
  state.set("token_bytes", Array::from(bytes, {static_cast<int64_t>(bytes.size())}));
  state.set("token_ends", Array::from(ends, {static_cast<int64_t>(ends.size())}));
}

std::span<const int32_t> whole_numbers(const StateDict& state, const char* name) {
  const Array& found = state.array(name);
  if (found.dtype() != int32) fail<StateError>("tokenizer: ", name, " must be int32, not ", found.dtype());
  return found.values<int32_t>();
}

std::vector<std::string> tokens_of(const StateDict& state) {
  const auto bytes = whole_numbers(state, "token_bytes"), ends = whole_numbers(state, "token_ends");
  std::vector<std::string> tokens;
  int32_t begin = 0;
  for (const int32_t end : ends) {
    if (end < begin || static_cast<size_t>(end) > bytes.size())
      fail<StateError>("tokenizer: token ", tokens.size(), " ends at ", end, ", of ", bytes.size(), " bytes");
    std::string token;
    for (int32_t at = begin; at < end; ++at)
      token += static_cast<char>(static_cast<uint8_t>(bytes[static_cast<size_t>(at)]));
    tokens.push_back(std::move(token));
    begin = end;
  }
  return tokens;
}

}  // namespace weft
