// All tokenizers by name, ours and a user's. One of a user's derives from Tokenizer, its kind() is the name, and it is
// known after
//   register_tokenizer({.name = "mine",
//                       .learn = [](const TextSource& text, const SettingValues& given) { return ...; },
//                       .from_state = [](const StateDict& state) { return ...; }});
#pragma once

#include <weft/data/text/text.h>
#include <weft/data/text/tokenizer.h>
#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What one pass over files finds.
struct TextScan {
  std::string content_hash;  ///< 32 hexadecimal digits of the bytes as they lie in the files
  int64_t bytes = 0;         ///< in all files
  std::string format = {};   ///< that records were read as; empty of texts
  TextNotes notes;
  std::vector<char32_t> characters;  ///< the code points met, sorted; none unless `utf8`
  int64_t text_bytes = 0;            ///< of all documents
  int64_t documents = 0;
  double validation = -1;            ///< the share of documents that validate; -1: nobody asked
  std::vector<bool> validates = {};  ///< by document, where it was asked for
  /// By document, where they were asked for; more than most_digests: there are more documents, which are not told apart.
  std::vector<uint64_t> digests = {};
  static constexpr size_t most_digests = size_t{1} << 22;
};

/// Takes a piece of text, and whether a document begins with it.
using PutText = std::function<void(std::string_view piece, bool begins_document)>;

/// The text that a tokenizer is to be made for: files, or what `documents` gives.
struct TextSource {
  const std::vector<std::string>& paths;
  Newlines newlines = Newlines::keep;
  const TextScan& scan;  ///< of all of it
  TextProgress progress = nullptr;
  /// What trains, of a text that is no file: records of a table, say.
  std::function<void(const PutText& put)> documents = nullptr;

  /// The part of the text that trains, piece by piece: of files the first training_bytes().
  void each(const PutText& put) const;
};
/// Of so many bytes of text those that train, and from which a tokenizer may learn: floor(0.9 bytes).
int64_t training_bytes(int64_t bytes);
/// Tokens that suit a text of so many bytes: 2 sqrt(bytes), up to a multiple of 64, between 512 and 8192. A token is then
/// met about as often as there are tokens.
int64_t suited_vocab_size(int64_t bytes);

struct TokenizerEntry {
  std::string name;  ///< Tokenizer::kind()
  std::string summary = {};
  std::vector<Setting> settings = {};
  bool utf8 = true;  ///< whether the text must be UTF-8
  /// Makes one from files. None: it comes with a model, and is not chosen by name.
  std::function<std::shared_ptr<const Tokenizer>(const TextSource& text, const SettingValues& given)> learn =
      nullptr;
  bool learn_reads = false;  ///< whether learn() reads the files once more
  /// The tokenizer that wrote `state`; StateError when it is damaged.
  std::function<std::shared_ptr<const Tokenizer>(const StateDict& state)> from_state;
};

/// The registry, in which ours are from the start: char, byte, and word, which is not learned from files.
Registry<TokenizerEntry>& tokenizers();
/// ValueError for a name that is taken.
void register_tokenizer(TokenizerEntry entry);
/// Those that can be made from files.
std::vector<std::string> learnable_tokenizers();

}  // namespace weft
