// Text of any size as token ids: tokenised once, in bounded memory, into a file that is read with pread.
//
//   TokenizedText text = tokenize_files(paths, {.tokenizer = "char", .cache_folder = run + "/cache"});
//   auto [train, validation] = split_tokens(text.tokens, paths[0]);
#pragma once

#include <weft/data/text.h>
#include <weft/data/tokenizer.h>
#include <weft/data/tokens.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// What one pass over files finds.
struct TextScan {
  std::string content_hash; ///< 32 hexadecimal digits of the bytes as they lie in the files
  int64_t bytes = 0;        ///< in all files
  TextNotes notes;
  std::vector<char32_t> characters; ///< the code points met, sorted; empty unless utf8
};
/// FileError as TextReader throws them.
TextScan scan_text(const std::vector<std::string>& paths, const TextReader::Options& options);

/// A file of ids:  magic, version, width, count, key, digest of the ids, digest of this header; then the ids.
class TokenCache : public Tokens {
 public:
  /// Opens a cache and checks all of it. FileError with the reason when it is missing, damaged, of another
  /// kind, or made from something else than `key` names.
  TokenCache(std::string path, const std::string& key);
  ~TokenCache() override;
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;

  int64_t size() const override { return count_; }
  /// FileError when the file was cut or altered in size since it was opened.
  void read(int64_t begin, std::span<int64_t> out) const override;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_ = -1;
  int width_ = 1;
  int64_t count_ = 0;
};

struct TokenizeOptions {
  std::string tokenizer = "char"; ///< "char" or "byte"
  Newlines newlines = Newlines::keep;
  bool unknown = false; ///< char: give the vocabulary an id for other characters
  /// Encode with this one (a checkpoint's) instead of making one; the two fields above it are then not read.
  std::shared_ptr<const Tokenizer> with = nullptr;
  /// Where the ids are kept, as `<key>.tokens`; made when missing. Empty: in memory.
  std::string cache_folder;
  TextProgress progress = nullptr; ///< over both passes
};

struct TokenizedText {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const Tokens> tokens;
  std::string content_hash;
  int64_t bytes = 0;
  TextNotes notes;
  bool from_cache = false; ///< the ids were there already
  std::string rebuilt;     ///< why a cache that was there could not be used; empty when nothing was wrong
};
/// The files joined in order, with nothing between. A second call with the same content finds the ids in the
/// cache; a cache that is damaged is made again. FileError as TextReader throws them, and on a character that
/// `with` does not know, with the path, the character and its position in that file; ValueError on an unknown
/// tokenizer, naming it.
TokenizedText tokenize_files(const std::vector<std::string>& paths, const TokenizeOptions& options);

} // namespace weft
