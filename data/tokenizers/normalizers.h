// The normalizers of Hugging Face's tokenizers: what becomes of a text before it is cut. By their names there:
// BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Strip, StripAccents.
// "Sequence" is a list of steps here.
#pragma once

#include <weft/data/tokenizers/aligned_text.h>
#include <weft/data/tokenizers/step.h>

#include <functional>

namespace weft {

using TextStep = std::function<void(AlignedText& text)>;

/// ValueError for a normalizer, or a setting of one, that weft does not know. It takes text in UTF-8.
TextStep make_normalizer(const TokenizerStep& step);

/// The next character's bytes.
inline size_t length_of(const Utf8Char& c) { return static_cast<size_t>(c.length); }

}  // namespace weft
