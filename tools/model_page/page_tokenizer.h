// Tokenizers as the engine of a page takes them (engine/tokenizer.js).
#pragma once

#include <weft/data/text/tokenizer.h>

#include <string>

namespace weft::tools {

/// JSON that says all of a tokenizer: char, byte or bpe, padded or with marks behind it. ValueError for another kind.
///   {"kind": "char", "characters": [10, 32, ...], "unknown": false}
///   {"kind": "byte"}
///   {"kind": "bpe", "pattern": "gpt2", "classes": [class, length, ...] of the runs of all code points, "tokens": bytes of all ids,
///    "ends": int32 of where each ends, "merges": int32 of left, right and result, "special": ids, "ignoreMerges": false}
///   {"kind": "marked" or "padded", "size": ids of its own, "names": of those behind them, "own": ...}
/// Bytes and int32 are base64, little-endian.
std::string page_tokenizer(const Tokenizer& tokenizer);

/// The tokenizer itself, without what pads or marks it.
const Tokenizer& bare(const Tokenizer& tokenizer);

}  // namespace weft::tools
