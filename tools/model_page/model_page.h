// The page of `weft export --format html`: a model that writes in a browser, as one HTML file that needs no network. Weights, tokenizer
// and an engine in JavaScript (engine/) are in it; the engine computes each float as the kernels do (lib/isa), so that the page
// writes, letter by letter, what `weft generate` writes with the same prompt, settings and seed.
#pragma once

#include <weft/train/files/opened_model.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::tools {

/// How the page keeps weights. The rounded ones are rounded to nearest, halves to even, all of them, and the page writes what the
/// model of the rounded weights writes: in bfloat16, that which `weft export --format weft --dtype bfloat16` makes.
enum class PageType { float32, float16, bfloat16 };
/// ValueError for another name.
PageType page_type(std::string_view name);

struct ModelPage {
  std::string title;
  PageType type = PageType::float32;

  /// The most bytes of weights that a page holds.
  static constexpr int64_t most_bytes = int64_t{1} << 29;

  /// The file's text. `opened` is a model that writes: gpt2, llama or best, with the tokenizer char, byte or bpe, which may be
  /// padded or have marks behind it. ValueError that names what the page cannot do of any other, weights that float16 cannot hold,
  /// and too many of them; errors as OpenedModel::check().
  std::string html(const OpenedModel& opened) const;
};

}  // namespace weft::tools
