#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/sentencepiece_plugin_internal.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_training.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

namespace weft {
namespace {

using Train = weft_sentencepiece_train_function;
using Algorithm = SentencePieceModel::Algorithm;

Train* trainer() {
  static Train* const found =
      reinterpret_cast<Train*>(plugin_function({.library = sentencepiece_plugin,
                                                .function = sentencepiece_function,
                                                .purpose = "training a model of SentencePiece",
                                                .needs = "libsentencepiece-dev"}));
  return found;
}

/// Text, cut into sentences. What SentencePiece keeps for itself, NUL, tab and U+2585, ends one, too: a sentence with one
/// would be passed over whole.
class Sentences {
 public:
  /// Keeps a share of them.
  explicit Sentences(double share) : share_(share) {}

  void add(std::string_view piece) {
    text_ += piece;
    while (text_.size() - at_ > most) cut();
    text_.erase(0, std::exchange(at_, 0));
  }
  /// The text is at its end, where a character may have been cut.
  void finish() {
    const std::string_view rest = std::string_view(text_).substr(at_);
    text_.resize(at_ + rest.size() - unfinished_character(rest));
    while (at_ < text_.size()) cut();
  }
  /// nullptr at the end.
  const std::string* next() { return given_ < kept_.size() ? &kept_[given_++] : nullptr; }

 private:
  static constexpr size_t most = 4096;  // SentencePiece passes over longer ones than 4,192
  static constexpr std::string_view reserved = "\u2585";

  static size_t unfinished_character(std::string_view text) {
    for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
      const auto byte = static_cast<uint8_t>(text[text.size() - back]);
      if ((byte & 0xC0) == 0x80) continue;
      const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
      return length > back ? back : 0;
    }
    return 0;
  }

  void cut() {
    // Beyond what a sentence holds nothing matters.
    const std::string_view rest = std::string_view(text_).substr(at_, most + reserved.size());
    size_t length = std::min(rest.find_first_of(std::string_view("\n\t\0", 3)), rest.find(reserved));
    size_t after = length == std::string_view::npos ? 0 : rest.substr(length).starts_with(reserved) ? 3 : 1;
    length = std::min(length, rest.size());
    if (length > most) {
      after = 0;
      length = rest.rfind(' ', most);
      if (length == 0 || length == std::string_view::npos) length = most;
      while ((static_cast<uint8_t>(rest[length]) & 0xC0) == 0x80) --length;
    }
    if (length > 0 && uniform_at(key_, number_++, 0) < share_) kept_.emplace_back(rest.substr(0, length));
    at_ += length + after;
  }

  double share_;
  std::string text_;
  size_t at_ = 0, given_ = 0;
  uint64_t number_ = 0;
  std::vector<std::string> kept_;
  RandomKey key_ = random_key(0, stream_id("sentencepiece"), 0);
};

/// What passes through C.
struct Exchange {
  Sentences sentences;
  int64_t given = 0;
  std::string model = {}, error = {};
};

[[noreturn]] void fail_training(const SentencePieceTrainingOptions& options, const std::string& error) {
  const std::string small = "smaller than required_chars. ", against = " vs ";
  if (const size_t at = error.find(against); error.find(small) < at && at != std::string::npos)
    fail<ValueError>("train_sentencepiece: vocab_size ", options.vocab_size,
                     " is too small for the characters of the text; it needs at least ",
                     std::atoll(error.c_str() + at + against.size()));
  fail<ValueError>("train_sentencepiece: SentencePiece says: ", error);
}

void check(const SentencePieceTrainingOptions& options) {
  if (options.algorithm != Algorithm::unigram && options.algorithm != Algorithm::bpe)
    fail<ValueError>("train_sentencepiece: learns unigram and BPE models only");
  if (options.vocab_size < 260 || options.vocab_size > (1 << 24))
    fail<ValueError>("train_sentencepiece: vocab_size must be between 260 and 16777216, not ",
                     options.vocab_size);
  if (options.normalization != "identity" && options.normalization != "nmt_nfkc")
    fail<ValueError>("train_sentencepiece: normalization must be identity or nmt_nfkc, not '",
                     options.normalization, "'");
  if (options.most_bytes < 1) fail<ValueError>("train_sentencepiece: most_bytes must be at least 1");
}

}  // namespace

void check_sentencepiece_training() { trainer(); }

std::string train_sentencepiece(const SentencePieceTrainingOptions& options, int64_t bytes,
                                const EachText& each) {
  check(options);
  Train* const train = trainer();
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"model_type", options.algorithm == Algorithm::bpe ? "bpe" : "unigram"},
      {"vocab_size", std::to_string(options.vocab_size)},
      {"hard_vocab_limit", "false"},
      {"byte_fallback", "true"},
      {"normalization_rule_name", options.normalization},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"allow_whitespace_only_pieces", "true"},
      // Sums are taken by thread: always so many, however many cores there are.
      {"num_threads", "16"},
      {"minloglevel", "2"}};
  std::vector<const char*> given;
  for (const auto& [name, value] : settings) given.insert(given.end(), {name.c_str(), value.c_str()});
  given.push_back(nullptr);

  const double share =
      bytes > options.most_bytes ? static_cast<double>(options.most_bytes) / static_cast<double>(bytes) : 1.0;
  Exchange exchange{.sentences = Sentences(share)};
  each([&](std::string_view piece) { exchange.sentences.add(piece); });
  exchange.sentences.finish();
  const weft_sentencepiece_request request{
      .settings = given.data(),
      .self = &exchange,
      .next = [](void* self, size_t* length) -> const char* {
        auto& to = *static_cast<Exchange*>(self);
        const std::string* const sentence = to.sentences.next();
        if (!sentence) return nullptr;
        ++to.given;
        *length = sentence->size();
        return sentence->data();
      },
      .take_model = [](void* self, const char* from,
                       size_t length) { static_cast<Exchange*>(self)->model.assign(from, length); },
      .take_error = [](void* self, const char* from,
                       size_t length) { static_cast<Exchange*>(self)->error.assign(from, length); }};
  train(&request);
  if (exchange.given == 0) fail<ValueError>("train_sentencepiece: the text has no line to learn from");
  if (exchange.model.empty()) fail_training(options, exchange.error);
  return std::move(exchange.model);
}

TokenizerEntry sentencepiece_entry(Algorithm algorithm) {
  const std::string name = algorithm == Algorithm::bpe ? "sentencepiece-bpe" : "unigram";
  const std::vector<Setting> settings = {
      {.name = "vocab_size",
       .value = int64_t{4096},
       .help = "unigram, sentencepiece-bpe: pieces in all, learned from the part of the text that trains",
       .least = 260,
       .most = 1 << 24},
      {.name = "normalization",
       .value = std::string("identity"),
       .help =
           "unigram, sentencepiece-bpe: identity gives texts back as they were; nmt_nfkc is SentencePiece's",
       .choices = {"identity", "nmt_nfkc"}}};
  const auto learn = [algorithm, settings](const TextSource& source, const SettingValues& given) {
    const auto or_default = [&](size_t setting) {
      const std::string& key = settings[setting].name;
      return given.contains(key) ? given.at(key) : settings[setting].value;
    };
    return std::make_shared<SentencePieceTokenizer>(train_sentencepiece(
        {.algorithm = algorithm,
         .vocab_size = std::get<int64_t>(or_default(0)),
         .normalization = std::get<std::string>(or_default(1))},
        training_bytes(source.scan.bytes),
        [&](const auto& put) { source.each([&](std::string_view piece, bool) { put(piece); }); }));
  };
  return {.name = name,
          .summary = "a model of SentencePiece, learned from the training part of the text",
          .settings = settings,
          .learn = learn,
          .learn_reads = true,
          .from_state = SentencePieceTokenizer::from_state};
}

}  // namespace weft
