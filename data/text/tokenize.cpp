#include <weft/data/text/document_encoder.h>
#include <weft/data/text/token_cache.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/bytes.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/files/checkpoint.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

namespace weft {
namespace {

/// What the ids are made from, and how. Two caches with one key hold the same bytes.
std::string key_of(const TextFiles& files, const TextScan& scan, const Tokenizer& tokenizer, TextPart part,
                   int64_t end_id) {
  std::string text = str("ids 1 ", scan.content_hash, " ", files.how(), " ", tokenizer.kind());
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id) text += tokenizer.decode(id);
  // The pieces of characters and bytes say all; another tokenizer may cut the same pieces otherwise.
  if (!tokenizer.reads_pieces()) {
    const std::vector<uint8_t> state = checkpoint_image(tokenizer.state_dict());
    text.append(state.begin(), state.end());
  }
  if (end_id >= 0) text += str(" end ", end_id);
  // Endings may have said it, and equal bytes are other records as another format.
  if (files.records && files.records->format.empty()) text += str(" as ", scan.format);
  if (part != TextPart::all)
    text += str(part == TextPart::training ? " training" : " validation", " of ", scan.validation);
  return to_hex(digest_of(bytes_of(text)));
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<FileError>(folder, ": cannot be made to hold token ids: ", error.message());
}

/// Encodes all of it; FileError when it is not what was scanned.
void encode(const TextFiles& files, const TextScan& scan, const Tokenizer& tokenizer, int64_t end_id,
            const EncodeOptions& options, const EncodedSink& sink) {
  DocumentReader reader(files, {.utf8 = wants_utf8(tokenizer),
                                .piece_bytes = options.piece_bytes,
                                .progress = options.progress,
                                .wanted = wanted_documents(scan, options.part)});
  encode_documents(reader, tokenizer, end_id, sink);
  if (reader.content_hash() != scan.content_hash)
    fail<FileError>(files.paths[0], files.paths.size() > 1 ? " or one of the files after it" : "",
                    ": changed while it was read; start again when nothing writes to it");
}

TextProgress pass_of(const TextProgress& progress, int number, int passes) {
  if (!progress) return nullptr;
  return [&progress, number, passes](int64_t done, int64_t size) {
    progress(number * size + done, passes * size);
  };
}

}  // namespace

bool reads_text(const Tokenizer& tokenizer, const TextFiles& files) {
  const TextScan scan = scan_text(files, {.utf8 = wants_utf8(tokenizer)});
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&unwrapped(tokenizer));
  if (chars && !chars->has_unknown()) return std::ranges::includes(chars->characters(), scan.characters);
  try {
    encode(files, scan, tokenizer, -1, {}, {.ids = [](std::string_view) {}});
    return true;
  } catch (const UnknownText&) {
    return false;
  }
}

bool reads_text(const Tokenizer& tokenizer, const std::vector<std::string>& paths, Newlines newlines) {
  return reads_text(tokenizer, {.paths = paths, .newlines = newlines});
}

std::shared_ptr<const Tokenizer> learn_tokenizer(const std::string& name, const SettingValues& settings,
                                                 const std::vector<LearnedText>& texts, bool marked,
                                                 TextProgress progress) {
  TextScan all;
  std::vector<std::string> paths;
  for (const LearnedText& text : texts) {
    all.content_hash = text.scan.content_hash;
    all.bytes += text.scan.bytes;
    all.notes.carriage_returns += text.scan.notes.carriage_returns;
    paths.insert(paths.end(), text.files.paths.begin(), text.files.paths.end());
    std::vector<char32_t> joined;
    std::ranges::set_union(all.characters, text.scan.characters, std::back_inserter(joined));
    all.characters = std::move(joined);
  }
  const auto each = [&](const PutText& take) {
    for (size_t i = 0; i < texts.size(); ++i) {
      const LearnedText& text = texts[i];
      int64_t left = text.bytes;
      if (left == 0) continue;
      DocumentReader reader(
          text.files, {.utf8 = false,
                       .progress = pass_of(progress, static_cast<int>(i), static_cast<int>(texts.size())),
                       .wanted = wanted_documents(text.scan, text.part)});
      size_t file = SIZE_MAX;
      for (auto piece = reader.next(); piece && left > 0; piece = reader.next()) {
        const std::string_view some =
            piece->text.substr(0, static_cast<size_t>(std::min(left, std::ssize(piece->text))));
        take(some, piece->begins || piece->file != file);
        file = piece->file;
        left -= std::ssize(some);
      }
    }
  };
  const Newlines newlines = texts.empty() ? Newlines::keep : texts[0].files.newlines;
  std::shared_ptr<const Tokenizer> made =
      tokenizers().at(name).learn({paths, newlines, all, progress, each}, settings);
  return marked && end_of_text_id(*made) < 0 ? with_special(std::move(made), {"</s>"}) : made;
}

TokenizedText encode_text(const TextFiles& files, const TextScan& scan, std::shared_ptr<const Tokenizer> with,
                          const EncodeOptions& options) {
  TokenizedText text;
  text.content_hash = scan.content_hash;
  text.bytes = scan.bytes;
  text.notes = scan.notes;
  text.tokenizer = std::move(with);
  const Tokenizer& tokenizer = *text.tokenizer;
  if (options.ends) text.end_id = end_of_text_id(tokenizer);
  const int width = id_width(tokenizer.vocab_size());
  constexpr int number_bytes = 8;
  const bool several = scan.documents > 1;
  std::string rows;
  const auto put_row = [&](int64_t begin, size_t file, int64_t line) {
    const std::array<int64_t, 3> row{begin, static_cast<int64_t>(file), line};
    pack_ids(row, number_bytes, rows);
  };
  const auto finish = [&](std::shared_ptr<const Tokens> ids, std::shared_ptr<const Tokens> numbers) {
    text.tokens = std::move(ids);
    text.documents = numbers && numbers->size() > 0 ? TextDocuments(std::move(numbers), text.tokens->size())
                                                    : TextDocuments(text.tokens->size());
  };
  if (options.cache_folder.empty()) {
    std::string packed;
    encode(files, scan, tokenizer, text.end_id, options,
           {.ids = [&](std::string_view ids) { packed += ids; }, .document = put_row});
    finish(std::make_shared<MemoryTokens>(std::move(packed), width),
           several ? std::make_shared<MemoryTokens>(std::move(rows), number_bytes) : nullptr);
    return text;
  }

  make_folder(options.cache_folder);
  const std::string key = key_of(files, scan, tokenizer, options.part, text.end_id);
  const std::string path = options.cache_folder + "/" + key;
  const auto kept = [&](const char* ending) {
    std::shared_ptr<const Tokens> found = open_cache(path + ending, key, text.rebuilt);
    return found ? found : linked_cache(path + ending, key, options.other_caches);
  };
  std::shared_ptr<const Tokens> ids = kept(".ids"), numbers = several && ids ? kept(".documents") : nullptr;
  text.from_cache = ids && (numbers || !several);
  if (!text.from_cache) {
    ids = numbers = nullptr;  // a file that is open is no other one's place
    TokenCacheWriter cache(path + ".ids", width, key);
    std::optional<TokenCacheWriter> documents;
    if (several) documents.emplace(path + ".documents", number_bytes, key);
    encode(files, scan, tokenizer, text.end_id, options,
           {.ids = [&](std::string_view some) { cache.add(some); },
            .document =
                [&](int64_t begin, size_t file, int64_t line) {
                  put_row(begin, file, line);
                  if (documents) documents->add(rows);
                  rows.clear();
                }});
    cache.commit();
    if (documents) documents->commit();
    ids = std::make_shared<TokenCache>(path + ".ids", key);
    if (several) numbers = std::make_shared<TokenCache>(path + ".documents", key);
  }
  finish(std::move(ids), std::move(numbers));
  return text;
}

const Tokenizer& unwrapped(const Tokenizer& tokenizer) {
  const auto* const wrapped = dynamic_cast<const WrappedTokenizer*>(&tokenizer);
  return wrapped ? unwrapped(*wrapped->own()) : tokenizer;
}

bool wants_utf8(const Tokenizer& tokenizer) { return tokenizers().at(unwrapped(tokenizer).kind()).utf8; }

const TokenizerEntry& text_tokenizer(const std::string& name, const Tokenizer* with) {
  const std::vector<std::string> learnable = learnable_tokenizers();
  if (!with && std::ranges::count(learnable, name) == 0)
    fail<ValueError>("tokenizer: must be ", joined(learnable, " or "), ", not '", name, "'");
  if (with && std::string_view(with->kind()) == "word")
    fail<ValueError>("tokenizer: files are read in pieces that may cut words: char or byte, not word");
  return tokenizers().at(with ? with->kind() : name);
}

void check_content(const std::vector<std::string>& paths, const std::string& found,
                   const std::string& expected) {
  if (!expected.empty() && found != expected)
    fail<OtherText>(paths[0], paths.size() > 1 ? " or one of the files after it" : "",
                    ": is not the text that the run was made with (digest ", found, ", not ", expected, ")");
}

TokenizedText tokenize_files(const std::vector<std::string>& paths, const TokenizeOptions& options) {
  const TokenizerEntry& entry = text_tokenizer(options.tokenizer, options.with.get());
  const bool learns = !options.with && entry.learn_reads;
  const bool utf8 = options.with ? wants_utf8(*options.with) : entry.utf8;
  const int passes = learns ? 3 : 2;
  const TextFiles files{paths, options.newlines, options.by_file, options.records};
  const TextScan scan = scan_text(files, {.utf8 = utf8,
                                          .refuse_nul = utf8 && !options.with,
                                          .piece_bytes = options.piece_bytes,
                                          .progress = pass_of(options.progress, 0, passes)});
  check_content(paths, scan.content_hash, options.expected_hash);
  const bool ends = scan.documents > 1;
  std::shared_ptr<const Tokenizer> tokenizer = options.with;
  if (!tokenizer)
    tokenizer = learn_tokenizer(options.tokenizer, options.settings,
                                {{files, scan, TextPart::all, training_bytes(scan.text_bytes)}}, ends,
                                pass_of(options.progress, 1, passes));
  return encode_text(files, scan, tokenizer,
                     {.ends = ends,
                      .cache_folder = options.cache_folder,
                      .other_caches = options.other_caches,
                      .progress = pass_of(options.progress, passes - 1, passes),
                      .piece_bytes = options.piece_bytes});
}

TokenSplit split_text(const TokenizedText& text, const std::string& name) {
  if (text.tokenizer->reads_pieces()) return split_tokens(text.tokens, name);
  const int64_t size = text.tokens->size();
  std::vector<int64_t> lengths;
  for (int64_t id = 0; id < text.tokenizer->vocab_size(); ++id)
    lengths.push_back(id == text.end_id ? 0 : static_cast<int64_t>(text.tokenizer->decode(id).size()));
  constexpr int64_t piece = 1 << 16;
  std::vector<int64_t> ids;
  const auto read = [&](int64_t at) {
    ids.resize(static_cast<size_t>(std::min(piece, size - at)));
    text.tokens->read(at, ids);
  };
  const auto length_of = [&](int64_t id) { return lengths[static_cast<size_t>(id)]; };
  std::vector<int64_t> of_pieces;  // bytes
  for (int64_t at = 0; at < size; at += piece) {
    read(at);
    int64_t bytes = 0;
    for (const int64_t id : ids) bytes += length_of(id);
    of_pieces.push_back(bytes);
  }
  int64_t left = training_bytes(std::accumulate(of_pieces.begin(), of_pieces.end(), int64_t{0})), train = 0;
  for (auto bytes = of_pieces.begin(); bytes != of_pieces.end() && *bytes <= left; ++bytes, train += piece)
    left -= *bytes;
  if (train < size) {
    read(train);
    for (auto id = ids.begin(); id != ids.end() && length_of(*id) <= left; ++id, ++train)
      left -= length_of(*id);
  }
  return split_tokens_at(std::min(train, size), text.tokens, name);
}

}  // namespace weft
