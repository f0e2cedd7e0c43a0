// Text of any size as token ids: tokenised once, in bounded memory, into a file that is read with pread.
//
//   TokenizedText text = tokenize_files(paths, {.tokenizer = "char", .cache_folder = run + "/cache"});
//   auto [train, validation] = split_text(text, paths[0]);
#pragma once

#include <weft/data/text/text.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/data/text/tokens.h>
#include <weft/lib/base/file.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// FileError as TextReader throws them.
TextScan scan_text(const std::vector<std::string>& paths, const TextReader::Options& options);
/// Whether the tokenizer has ids for all of the text. FileError as TextReader throws them.
bool reads_text(const Tokenizer& tokenizer, const std::vector<std::string>& paths, Newlines newlines);

/// A file of ids: magic, version, width and key; the ids, little-endian; their count and a digest of all
/// before it. It appears whole or not at all (AtomicFile).
class TokenCache : public Tokens {
 public:
  /// Opens a cache and checks every byte of it. FileError with the reason when it is missing, damaged, of
  /// another kind, or made from something else than what `key` (32 hexadecimal digits) names.
  TokenCache(const std::string& path, const std::string& key);

  int64_t size() const override { return count_; }
  const std::string& path() const { return file_.path(); }

 private:
  void fetch(int64_t begin, std::span<int64_t> out) const override;

  InputFile file_;
  int width_ = 1;
  int64_t count_ = 0;
};

/// Files that are not those of TokenizeOptions::expected_hash.
class OtherText : public ValueError {
 public:
  using ValueError::ValueError;
};

struct TokenizeOptions {
  std::string tokenizer = "char";  ///< one of learnable_tokenizers()
  SettingValues settings = {};     ///< of the tokenizer that is made
  Newlines newlines = Newlines::keep;
  /// Encode with this one (a checkpoint's) instead of making one; `tokenizer` and `settings` are then not
  /// read.
  std::shared_ptr<const Tokenizer> with = nullptr;
  /// The content_hash that the files must have; others throw OtherText. Empty: any.
  std::string expected_hash = {};
  /// Where the ids are kept, as `<key>.ids`; made when missing. Empty: in memory.
  std::string cache_folder = {};
  /// Where the same file may lie already, as another run made it: then it is one file with two names (a hard link),
  /// which nobody ever writes into, so that the disk holds it once. It is checked as every cache; of another user, on
  /// another disk or damaged, it is not taken.
  std::vector<std::string> other_caches = {};
  TextProgress progress =
      nullptr;  ///< over two passes, the second being skipped when the ids are there already
  int64_t piece_bytes = 1 << 20;
};

struct TokenizedText {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const Tokens> tokens;
  std::string
      content_hash;  ///< the same for the same bytes, whatever the files are called and where they are cut
  int64_t bytes = 0;
  TextNotes notes;
  bool from_cache = false;  ///< the ids were there already, in the cache or in another one
  std::string rebuilt;      ///< why a cache that was there could not be used; empty when nothing was wrong
};
/// The files joined in order, with nothing between. The same content finds its ids in the cache; a cache that
/// is damaged is made again. FileError as TextReader throws them, when a text changes under the reading, and
/// on a character that `with` does not know, with the path, the character and its position in that file;
/// ValueError on an unknown tokenizer, naming it, and on one of words.
TokenizedText tokenize_files(const std::vector<std::string>& paths, const TokenizeOptions& options);

/// What trains and what validates: of characters and bytes the first 90 % of the tokens and the rest (split_tokens), of
/// other tokenizers, which may have been learned from it, the tokens that end within the first training_bytes() and the
/// rest. `name` is said in messages.
TokenSplit split_text(const TokenizedText& text, const std::string& name = "the tokens");

}  // namespace weft
