// Tokens of any bytes in a StateDict: as numbers, one token after another ("token_bytes"), with where each ends
// ("token_ends").
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

void set_tokens(StateDict& state, const std::vector<std::string>& tokens);
/// StateError when they do not fit.
std::vector<std::string> tokens_of(const StateDict& state);
/// The numbers of an array of int32; StateError for another type.
std::span<const int32_t> whole_numbers(const StateDict& state, const char* name);

}  // namespace weft
