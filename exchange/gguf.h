// Models as llama.cpp keeps them: GGUF, version 3, one file with weights, what they mean and the tokenizer
// (github.com/ggml-org/ggml, docs/gguf.md).
#pragma once

#include <weft/exchange/hugging_face.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

/// How matrices are kept; vectors are float32 always. q8_0: blocks of 32 numbers, whole ones in [-127, 127] and a factor in
/// float16, 8.5 bits a number; a matrix whose rows are no multiple of 32 is float16 then.
enum class GgufType { f32, f16, q8_0 };
/// ValueError for another name.
GgufType gguf_type(std::string_view name);

struct GgufOptions {
  GgufType type = GgufType::f32;
  std::string name = {};       ///< of the model
  std::string tokenizer = {};  ///< the text of tokenizer.json: byte-level BPE; empty: none
  int64_t end_id = -1;         ///< of the end of text; -1: none
};
/// The bytes of a file of a model of Llama, Qwen3 or GPT-2 (to_hugging_face() makes them so). ValueError that names what
/// GGUF's Llama does not have, of the model or of the tokenizer, and a tensor with a number that is beyond those of the type.
std::string gguf_bytes(const HuggingFaceModel& model, const GgufOptions& options);

}  // namespace weft
