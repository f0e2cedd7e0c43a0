// Keys by the names that people type: their own, those of other programs, and what is nearly one.
#pragma once

#include <weft/lib/settings/setting.h>

#include <string>

namespace weft {

/// The key that is meant by a name: itself, what others call it ("lr" is learning_rate, "n-layer" n_layer), or the nearest of
/// all parts; empty where there is none.
std::string meant_key(const std::string& typed);
/// Whether a name is one that people have for a key: its own, with - or _, or one of others. False for what is only near.
bool is_name_of(const std::string& key, const std::string& typed);

/// The choice that is nearest to a text; empty where none is, or the key has none.
std::string near_choice(const Setting& key, const std::string& text);
/// What was meant by a text that is no value of the key: 0.8 by "0,8", 10000 by "1e4", 3 by " 3", adamw by "adamW"; else what
/// the key is by default.
std::string meant_value(const Setting& key, std::string text);

}  // namespace weft
