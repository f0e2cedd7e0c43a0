// Learns the merges of byte-level BPE from text.
#pragma once

#include <weft/data/text/bpe_tokenizer.h>

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft {

struct BpeTrainingOptions {
  int64_t vocab_size = 8192;  ///< with the 256 bytes and the special tokens; fewer where no pair is left
  int64_t min_frequency = 2;  ///< pairs that are rarer are not merged
  WordPattern pattern = WordPattern::gpt2;
  std::vector<std::string> special = {"<|endoftext|>"};  ///< the last ids, in this order
};

/// Counts the words of a text that comes in pieces, and then learns.
///   BpeTraining training({.vocab_size = 4096});
///   for (...) training.add(piece);
///   const BpeTokenizer tokenizer = training.learn();
/// Step by step the most frequent pair of neighbours within words becomes a token. Among pairs of one count that of the
/// smaller left id comes first, then that of the smaller right id; ids are the 256 bytes in the order of GPT-2's
/// vocabulary, then the merges as they come. So the result is a function of the text alone: not of the number of threads,
/// nor of how it is cut into pieces.
///
/// So much holds as long as nothing is forgotten. Memory is bounded whatever the text: of more than two million different words, or 256 MiB of them, those met least so
/// far are forgotten until half are left, and 64 MiB without a place where words end for sure are cut there.
class BpeTraining {
 public:
  /// ValueError for a vocabulary that is not larger than bytes and special tokens, or a min_frequency below 1.
  explicit BpeTraining(BpeTrainingOptions options);

  /// The next bytes of the text; words are counted by all threads.
  void add(std::string_view piece);
  /// The text so far is a document: a word does not go on in the next piece.
  void end_document();
  BpeTokenizer learn();

 private:
  using Counts = std::unordered_map<std::string, int64_t>;
  void count(std::string_view text);
  void forget_rare();

  BpeTrainingOptions options_;
  std::string rest_;  ///< behind the last cut
  size_t seen_ = 0;   ///< of it, without a place for a cut
  Counts counts_;
  size_t word_bytes_ = 0;  ///< of the words counted
};

}  // namespace weft
