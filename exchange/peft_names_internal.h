// The names of peft's tensors: prefix MODULE end.
#pragma once

#include <string_view>

namespace weft::peft {

constexpr std::string_view prefix = "base_model.model.", A_end = ".lora_A.weight", B_end = ".lora_B.weight";

}  // namespace weft::peft
