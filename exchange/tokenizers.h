// Tokenizers as other programs keep them, to ours and back:
//   tokenizer.json            Hugging Face's tokenizers, in every part that data/tokenizers has
//   vocab.json, merges.txt    GPT-2's byte-level BPE
//   vocab.txt                 BERT's WordPiece; tokenizer_config.json beside it may say that case is kept
//   *.model                   SentencePiece's unigram and BPE
// The ids are theirs. FileError, which begins with the path, says what a file has that weft does not know, and what is
// wrong with it: merges of unknown tokens, ids that are missing, tokens or ids that come twice, JSON that is none.
// `truncation` and `padding` alone are not applied: they are of batches, which weft makes itself. A note says so.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Whether a folder holds one of these, of which the first counts: tokenizer.json, vocab.json with merges.txt, vocab.txt,
/// tokenizer.model, spiece.model, sentencepiece.bpe.model.
bool holds_tokenizer(const std::string& folder);
/// Of such a folder, or of a file of any of these names or endings: .json, .txt, .model.
/// `notes` is given what a user should know of it: what the file asks for and is not applied.
std::shared_ptr<const Tokenizer> read_tokenizer(const std::string& path,
                                                std::vector<std::string>* notes = nullptr);

/// The text of a tokenizer.json, with which Hugging Face's programs give the same ids; of SentencePiece's models but for
/// rare lines, in which they differ from SentencePiece themselves. A final newline ends it. ValueError for a kind that
/// they do not have: word, and a user's own.
std::string tokenizer_json(const Tokenizer& tokenizer);
/// Names of the files that write_tokenizer() writes.
std::vector<std::string> tokenizer_files(const Tokenizer& tokenizer);
/// tokenizer.json and tokenizer_config.json, as transformers reads them, and tokenizer.model of SentencePiece. `end_id`
/// is that of the model; -1: none. Each file appears whole or not at all.
void write_tokenizer(const std::string& folder, const Tokenizer& tokenizer, int64_t end_id);

}  // namespace weft
