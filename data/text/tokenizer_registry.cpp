#include <weft/data/text/bpe_training.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_training.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>

#include <algorithm>
#include <optional>

namespace weft {
namespace {

std::shared_ptr<const Tokenizer> learn_characters(const TextSource& text, const SettingValues& given) {
  if (text.scan.characters.empty())
    fail<FileError>(
        text.paths[0],
        ": holds nothing but carriage returns, which newlines=lf drops; a text needs at least one other "
        "character");
  const bool unknown = given.contains("unknown_token") && given.boolean("unknown_token");
  return std::make_shared<CharTokenizer>(text.scan.characters, CharTokenizer::Options{.unknown = unknown});
}

std::shared_ptr<const Tokenizer> learn_pairs(const TextSource& source, const SettingValues& given) {
  const auto or_default = [&](const char* name) {
    return given.contains(name) ? given.at(name) : tokenizers().at("bpe").settings[0].value;
  };
  BpeTrainingOptions options{.vocab_size = std::get<int64_t>(or_default("vocab_size"))};
  if (options.vocab_size == 0) options.vocab_size = suited_vocab_size(source.scan.bytes);
  if (given.contains("word_pattern"))
    options.pattern = word_pattern_from(std::get<std::string>(given.at("word_pattern")));
  BpeTraining training(options);
  source.each([&](std::string_view piece, bool begins_document) {
    if (begins_document) training.end_document();
    training.add(piece);
  });
  return std::make_shared<BpeTokenizer>(training.learn());
}

void each_of_files(const TextSource& source, const PutText& put) {
  const bool drops = source.newlines == Newlines::lf;
  int64_t left = training_bytes(source.scan.bytes - (drops ? source.scan.notes.carriage_returns : 0));
  TextReader text(source.paths, {.utf8 = false, .newlines = source.newlines, .progress = source.progress});
  std::optional<size_t> file;
  for (std::string_view piece = text.next(); !piece.empty() && left > 0; piece = text.next()) {
    piece = piece.substr(0, static_cast<size_t>(left));
    put(piece, file != text.file());
    file = text.file();
    left -= static_cast<int64_t>(piece.size());
  }
}

void add_ours(Registry<TokenizerEntry>& to) {
  to.add({.name = "char",
          .summary = "one token a character of UTF-8",
          .settings = {{.name = "unknown_token",
                        .value = false,
                        .help = "char: one more token, for characters that the text does not have"}},
          .learn = learn_characters,
          .from_state = CharTokenizer::from_state});
  to.add({.name = "byte",
          .summary = "any bytes",
          .utf8 = false,
          .learn = [](const TextSource&, const SettingValues&) { return std::make_shared<ByteTokenizer>(); },
          .from_state = [](const StateDict&) { return std::make_shared<ByteTokenizer>(); }});
  to.add({.name = "bpe",
          .summary = "byte-level BPE, learned from the training part of the text; any bytes",
          .settings = {{.name = "vocab_size",
                        .value = int64_t{4096},
                        .help = "bpe: tokens in all, learned from the part of the text that trains; 0: as "
                                "many as suit its size",
                        .least = 0,
                        .most = 1 << 24},
                       {.name = "word_pattern",
                        .value = std::string("gpt2"),
                        .help = "bpe: the expression that cuts words, within which tokens lie",
                        .choices = {"gpt2", "cl100k"}}},
          .utf8 = false,
          .learn = learn_pairs,
          .learn_reads = true,
          .from_state = BpeTokenizer::from_state});
  for (const auto algorithm : {SentencePieceModel::Algorithm::unigram, SentencePieceModel::Algorithm::bpe})
    to.add(sentencepiece_entry(algorithm));
  to.add(
      {.name = "pipeline",
       .summary = "put together of parts, as Hugging Face's tokenizer.json tells them; it comes with a model",
       .from_state = PipelineTokenizer::from_state});
  to.add({.name = "sentencepiece",
          .summary = "a .model file of SentencePiece; it comes with a model",
          .from_state = SentencePieceTokenizer::from_state});
  to.add({.name = "padded",
          .summary = "another one, for a model with more ids; it comes with a model",
          .from_state = PaddedTokenizer::from_state});
  to.add({.name = "marked",
          .summary = "another one with special tokens, as a task on tables needs them",
          .from_state = MarkedTokenizer::from_state});
  to.add({.name = "word",
          .summary = "one token a word, of the tasks that make their own samples",
          .from_state = [](const StateDict& state) { return WordTokenizer::from_state(state); }});
}

}  // namespace

Registry<TokenizerEntry>& tokenizers() {
  static Registry<TokenizerEntry> all("tokenizer");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void TextSource::each(const PutText& put) const {
  if (documents)
    documents(put);
  else
    each_of_files(*this, put);
}

int64_t suited_vocab_size(int64_t bytes) {
  int64_t root = 0;  // of 4 bytes
  for (int64_t bit = int64_t{1} << 30; bit > 0; bit /= 2)
    if ((root + bit) * (root + bit) / 4 <= bytes) root += bit;
  return std::clamp<int64_t>((root + 63) / 64 * 64, 512, 8192);
}

int64_t training_bytes(int64_t bytes) { return bytes / 10 * 9 + bytes % 10 * 9 / 10; }

void register_tokenizer(TokenizerEntry entry) { tokenizers().add(std::move(entry)); }

std::vector<std::string> learnable_tokenizers() {
  std::vector<std::string> names;
  for (const TokenizerEntry* const entry : tokenizers().entries())
    if (entry->learn) names.push_back(entry->name);
  return names;
}

std::shared_ptr<const Tokenizer> Tokenizer::from_state(const StateDict& state) {
  const std::string& kind = state.text("kind");
  if (const TokenizerEntry* const entry = tokenizers().find(kind)) return entry->from_state(state);
  fail<StateError>("tokenizer: unknown kind '", kind, "'; known are ", joined(tokenizers().names()),
                   "; the program that registered it opens it");
}

}  // namespace weft
