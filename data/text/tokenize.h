// Text of any size as token ids: tokenised once, in bounded memory, by all threads, into a file that is read with pread.
//
//   TokenizedText text = tokenize_files(paths, {.tokenizer = "char", .cache_folder = run + "/cache"});
//   auto [train, validation] = split_text(text, paths[0]);
//
// Several texts of one tokenizer are scanned, it is learned from all, and each is encoded:
//
//   TextScan scan = scan_text(files, {});
//   auto tokenizer = learn_tokenizer("bpe", settings, {{files, scan}});
//   TokenizedText text = encode_text(files, scan, tokenizer, {.cache_folder = cache});
#pragma once

#include <weft/data/text/document_reader.h>
#include <weft/data/text/text_documents.h>
#include <weft/data/text/text_scan.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Whether the tokenizer has ids for all of the text. FileError as DocumentReader throws them.
bool reads_text(const Tokenizer& tokenizer, const TextFiles& files);
bool reads_text(const Tokenizer& tokenizer, const std::vector<std::string>& paths, Newlines newlines);

/// A text, and what of it a tokenizer may learn from: so many bytes from the beginning of its part.
struct LearnedText {
  const TextFiles& files;
  const TextScan& scan;
  TextPart part = TextPart::all;
  int64_t bytes = INT64_MAX;
};
/// A tokenizer of learnable_tokenizers(), made from texts that have one way of carriage returns. With `marked` it has an
/// end-of-text token, which no text becomes.
std::shared_ptr<const Tokenizer> learn_tokenizer(const std::string& name, const SettingValues& settings,
                                                 const std::vector<LearnedText>& texts, bool marked = false,
                                                 TextProgress progress = nullptr);

struct EncodeOptions {
  TextPart part = TextPart::all;
  /// Puts the tokenizer's end-of-text token behind each document, if it has one.
  bool ends = false;
  /// Where the ids are kept, as `<key>.ids`, and where documents begin, as `<key>.documents`; made when missing. Empty:
  /// in memory.
  std::string cache_folder = {};
  /// Where the same files may lie already, as another run made them: then it is one file with two names (a hard link),
  /// which nobody ever writes into, so that the disk holds it once. It is checked as every cache.
  std::vector<std::string> other_caches = {};
  TextProgress progress = nullptr;
  int64_t piece_bytes = 1 << 20;
};

struct TokenizedText {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const Tokens> tokens;
  TextDocuments documents;
  int64_t end_id = -1;  ///< what stands behind each document; -1: nothing does
  std::string
      content_hash;  ///< the same for the same bytes, whatever the files are called and where they are cut
  int64_t bytes = 0;
  TextNotes notes;
  bool from_cache = false;  ///< the ids were there already, in the cache or in another one
  std::string rebuilt;      ///< why a cache that was there could not be used; empty when nothing was wrong
};
/// FileError as DocumentReader throws them, when a text changes under the reading, and on a character that the tokenizer
/// does not know (encode_documents). A cache that is damaged is made again.
TokenizedText encode_text(const TextFiles& files, const TextScan& scan,
                          std::shared_ptr<const Tokenizer> tokenizer, const EncodeOptions& options);

/// Files that are not those of TokenizeOptions::expected_hash.
class OtherText : public ValueError {
 public:
  using ValueError::ValueError;
};

struct TokenizeOptions {
  std::string tokenizer = "char";  ///< one of learnable_tokenizers()
  SettingValues settings = {};     ///< of the tokenizer that is made
  Newlines newlines = Newlines::keep;
  bool by_file = false;  ///< TextFiles has these
  std::optional<RecordOptions> records = {};
  /// Encode with this one (a checkpoint's) instead of making one; `tokenizer` and `settings` are then not
  /// read.
  std::shared_ptr<const Tokenizer> with = nullptr;
  /// The content_hash that the files must have; others throw OtherText. Empty: any.
  std::string expected_hash = {};
  std::string cache_folder = {};  ///< EncodeOptions has these
  std::vector<std::string> other_caches = {};
  TextProgress progress =
      nullptr;  ///< over two passes, the second being skipped when the ids are there already
  int64_t piece_bytes = 1 << 20;
};
/// One text: the files joined in order, with nothing between, or, of several documents, with an end of text behind each.
/// Errors as encode_text; FileError on a NUL, where a tokenizer that needs UTF-8 is made; ValueError on an unknown
/// tokenizer, naming it, and on one of words.
TokenizedText tokenize_files(const std::vector<std::string>& paths, const TokenizeOptions& options);
/// The one behind others that wrap it (WrappedTokenizer).
const Tokenizer& unwrapped(const Tokenizer& tokenizer);
/// Whether what it reads must be UTF-8.
bool wants_utf8(const Tokenizer& tokenizer);
/// ValueError for a name that is none of learnable_tokenizers(), and for a tokenizer of words.
const TokenizerEntry& text_tokenizer(const std::string& name, const Tokenizer* with);
/// OtherText unless the hash is the one that is expected, or none is.
void check_content(const std::vector<std::string>& paths, const std::string& found,
                   const std::string& expected);

/// What trains and what validates: of characters and bytes the first 90 % of the tokens and the rest (split_tokens), of
/// other tokenizers, which may have been learned from it, the tokens that end within the first training_bytes() and the
/// rest. `name` is said in messages.
TokenSplit split_text(const TokenizedText& text, const std::string& name = "the tokens");

}  // namespace weft
