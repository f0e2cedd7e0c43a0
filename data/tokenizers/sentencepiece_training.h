// Unigram (Kudo, Subword Regularization, 2018) and BPE models of SentencePiece, learned from text by SentencePiece's own
// library. That is not linked: a plug-in that is, libweft-sentencepiece.so, is loaded by the first training. It lies in
// ../lib/.../weft beside the program, or where weft was installed; the environment's WEFT_PLUGINS names another folder.
//
// What is learned is lossless but for U+2581, which is how SentencePiece writes a space: with the normalization identity
// every other text of UTF-8 comes back byte for byte, as characters without a piece become bytes and no space is added
// or dropped. nmt_nfkc, SentencePiece's usual one, is not: it makes compatibility forms, tabs and newlines into others.
#pragma once

#include <weft/data/text/tokenizer_registry.h>
#include <weft/data/tokenizers/sentencepiece_model.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft {

struct SentencePieceTrainingOptions {
  SentencePieceModel::Algorithm algorithm = SentencePieceModel::Algorithm::unigram;  ///< or bpe
  /// Pieces in all: <unk>, <s>, </s>, 256 bytes, and what is learned. There are fewer where the text is too short.
  int64_t vocab_size = 8192;
  std::string normalization = "identity";  ///< or "nmt_nfkc"
  /// SentencePiece keeps its sentences in memory, some thirty times their bytes. Of a longer text sentences are drawn,
  /// each as likely, that have about so many bytes together.
  int64_t most_bytes = int64_t{64} << 20;
};

/// Calls put(piece) for each piece of a text of UTF-8.
using EachText = std::function<void(const std::function<void(std::string_view piece)>& put)>;

/// The bytes of a .model file, learned from a text of about `bytes` bytes, given piece by piece. A sentence is a line or, of a long one, a part of up to 4,096 bytes. The same for any number
/// of threads. FileError, which names the package, without the plug-in; ValueError for options that are out of range, text
/// with nothing to learn from, and what SentencePiece refuses: a vocab_size that is too small for the characters.
std::string train_sentencepiece(const SentencePieceTrainingOptions& options, int64_t bytes,
                                const EachText& each);
/// FileError when there is no plug-in: before the work begins.
void check_sentencepiece_training();

/// The tokenizers `unigram` and `sentencepiece-bpe`, learned from the part of a text that trains.
TokenizerEntry sentencepiece_entry(SentencePieceModel::Algorithm algorithm);

}  // namespace weft
