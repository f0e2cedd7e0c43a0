// Keys by the names that people type: their own, those of other programs, and what is nearly one.
#pragma once

#include <string>

namespace weft {

/// The key that is meant by a name: itself, what others call it ("lr" is learning_rate, "n-layer" n_layer), or the nearest of
/// all parts; empty where there is none.
std::string meant_key(const std::string& typed);
/// Whether a name is one that people have for a key: its own, with - or _, or one of others. False for what is only near.
bool is_name_of(const std::string& key, const std::string& typed);

}  // namespace weft
