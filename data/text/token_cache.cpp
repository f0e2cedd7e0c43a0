#include <sys/stat.h>
#include <unistd.h>
#include <weft/data/text/token_cache.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/files/checkpoint.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <utility>

namespace weft {
namespace {

constexpr std::string_view magic = "weft ids";
constexpr int64_t version = 1;
constexpr size_t key_bytes = 32;
constexpr size_t header_bytes = magic.size() + 16 + key_bytes;
constexpr size_t digest_bytes = std::tuple_size_v<Digest>;
constexpr size_t footer_bytes = 8 + digest_bytes;

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string packed_number(int64_t value) {
  std::string bytes;
  pack_ids({&value, 1}, 8, bytes);
  return bytes;
}

int64_t number_at(const uint8_t* bytes) {
  int64_t value = 0;
  unpack_ids(reinterpret_cast<const char*>(bytes), 8, {&value, 1});
  return value;
}

std::string header_of(int width, const std::string& key) {
  return std::string(magic) + packed_number(version) + packed_number(width) + key;
}

/// What the ids are made from, and how. Two caches with one key hold the same bytes.
std::string key_of(const TextScan& scan, Newlines newlines, const Tokenizer& tokenizer) {
  std::string text =
      str("ids ", version, " ", scan.content_hash, " ", name_of(newlines), " ", tokenizer.kind());
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id) text += tokenizer.decode(id);
  // The pieces of characters and bytes say all; another tokenizer may cut the same pieces otherwise.
  if (!tokenizer.reads_pieces()) {
    const std::vector<uint8_t> state = checkpoint_image(tokenizer.state_dict());
    text.append(state.begin(), state.end());
  }
  return to_hex(digest_of(bytes_of(text)));
}

/// A character that the tokenizer does not know.
class UnknownText : public FileError {
 public:
  using FileError::FileError;
};

[[noreturn]] void fail_unknown(const std::string& path, std::string_view bytes, int64_t position,
                               const Tokenizer& tokenizer) {
  fail<UnknownText>(path, ": character ", describe_character(decode_utf8(bytes).code_point), " at position ",
                    position, " is not among the ", tokenizer.vocab_size(), " of the vocabulary");
}

/// Encodes all files and hands the packed ids of each piece to `put`.
template <class Put>
void encode_files(const std::vector<std::string>& paths, const TextReader::Options& options,
                  const Tokenizer& tokenizer, const TextScan& scan, Put put) {
  TextReader text(paths, options);
  const int width = id_width(tokenizer.vocab_size());
  std::vector<int64_t> ids;
  std::string packed;
  size_t file = 0;
  std::string path = text.path();
  int64_t in_file = 0;
  const auto encode = [&](std::string_view piece) {
    ids.clear();
    packed.clear();
    const size_t known = tokenizer.append_ids(piece, ids);
    in_file += static_cast<int64_t>(ids.size());
    if (known < piece.size()) fail_unknown(path, piece.substr(known), in_file, tokenizer);
    pack_ids(ids, width, packed);
    put(packed);
  };
  std::string rest;  // of a file, behind the last place where it may be cut
  for (std::string_view piece = text.next(); !piece.empty(); piece = text.next()) {
    if (file != text.file()) {
      if (!rest.empty()) encode(std::exchange(rest, {}));
      in_file = 0;
    }
    file = text.file();
    path = text.path();
    if (tokenizer.reads_pieces()) {
      encode(piece);
      continue;
    }
    // What was looked through is not looked through again, but for the character before.
    const size_t from = rest.size() - std::min<size_t>(rest.size(), 4);
    rest += piece;
    if (const size_t cut = tokenizer.safe_cut(std::string_view(rest).substr(from)); cut > 0) {
      encode(std::string_view(rest).substr(0, from + cut));
      rest.erase(0, from + cut);
    }
  }
  if (!rest.empty()) encode(rest);
  if (text.content_hash() != scan.content_hash)
    fail<FileError>(paths[0], paths.size() > 1 ? " or one of the files after it" : "",
                    ": changed while it was read; start again when nothing writes to it");
}

/// One AtomicFile, its digest and the footer.
class CacheWriter {
 public:
  CacheWriter(const std::string& path, int width, const std::string& key) : file_(path), width_(width) {
    put(header_of(width, key));
  }
  void ids(std::string_view packed) {
    count_ += static_cast<int64_t>(packed.size()) / width_;
    put(packed);
  }
  void commit() {
    put(packed_number(count_));
    file_.write(hasher_.digest());
    file_.commit();
  }

 private:
  void put(std::string_view bytes) {
    hasher_.update(bytes_of(bytes));
    file_.write(bytes);
  }
  AtomicFile file_;
  Hasher hasher_;
  int width_;
  int64_t count_ = 0;
};

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<FileError>(folder, ": cannot be made to hold token ids: ", error.message());
}

/// The cache of that key when it is whole; else nothing, and why in `reason`, unless there is just none.
std::shared_ptr<const TokenCache> open_cache(const std::string& path, const std::string& key,
                                             std::string& reason) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
  try {
    return std::make_shared<TokenCache>(path, key);
  } catch (const FileError& damage) {
    reason = damage.what();
    return nullptr;
  }
}

/// The first cache of that name in one of the folders that is whole, under its name here too.
std::shared_ptr<const TokenCache> linked_cache(const std::string& path, const std::string& key,
                                               const std::vector<std::string>& folders) {
  const std::string name = path.substr(path.rfind('/'));
  for (const std::string& folder : folders) {
    const std::string other = folder + name;
    struct stat status {};
    if (::stat(other.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
      continue;
    // One that is there, and damaged, gives way; a process that made it meanwhile is as good.
    std::string ignored;
    if (!open_cache(path, key, ignored)) ::unlink(path.c_str());
    if (::link(other.c_str(), path.c_str()) != 0 && errno != EEXIST) continue;
    if (auto cache = open_cache(path, key, ignored)) return cache;
    ::unlink(path.c_str());
  }
  return nullptr;
}

}  // namespace

TextScan scan_text(const std::vector<std::string>& paths, const TextReader::Options& options) {
  TextReader text(paths, options);
  std::vector<bool> met(0x110000);
  for (std::string_view piece = text.next(); !piece.empty(); piece = text.next())
    for (size_t at = 0; options.utf8 && at < piece.size();) {
      const Utf8Char c = decode_utf8(piece.substr(at));
      met[c.code_point] = true;
      at += static_cast<size_t>(c.length);
    }
  TextScan scan{
      .content_hash = text.content_hash(), .bytes = text.size(), .notes = text.notes(), .characters = {}};
  for (char32_t c = 0; c < met.size(); ++c)
    if (met[c]) scan.characters.push_back(c);
  return scan;
}

bool reads_text(const Tokenizer& tokenizer, const std::vector<std::string>& paths, Newlines newlines) {
  const TextReader::Options options{.utf8 = tokenizers().at(tokenizer.kind()).utf8, .newlines = newlines};
  const TextScan scan = scan_text(paths, options);
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&tokenizer);
  if (chars && !chars->has_unknown()) return std::ranges::includes(chars->characters(), scan.characters);
  try {
    encode_files(paths, options, tokenizer, scan, [](std::string_view) {});
    return true;
  } catch (const UnknownText&) {
    return false;
  }
}

TokenCache::TokenCache(const std::string& path, const std::string& key) : file_(path) {
  const auto refuse = [&](const auto&... why) {
    fail<FileError>(path, ": no cache of token ids that can be used: ", why...);
  };
  if (file_.size() < header_bytes + footer_bytes) refuse("only ", file_.size(), " bytes long");
  std::vector<uint8_t> header(header_bytes), footer(footer_bytes);
  file_.read(0, header);
  file_.read(file_.size() - footer_bytes, footer);
  if (std::memcmp(header.data(), magic.data(), magic.size()) != 0) refuse("it does not begin as one");
  const uint8_t* fields = header.data() + magic.size();
  if (number_at(fields) != version) refuse("version ", number_at(fields), ", not ", version);
  const int64_t width = number_at(fields + 8);
  if (width != 1 && width != 2 && width != 4) refuse("ids of ", width, " bytes");
  if (key.size() != key_bytes || std::memcmp(fields + 16, key.data(), key_bytes) != 0)
    refuse("made from another text or for another tokenizer");
  const auto id_bytes = static_cast<int64_t>(file_.size() - header_bytes - footer_bytes);
  count_ = number_at(footer.data());
  if (id_bytes % width != 0 || count_ != id_bytes / width)
    refuse("cut or damaged: ", count_, " ids announced, ", id_bytes / width, " found");
  width_ = static_cast<int>(width);

  Hasher hasher;
  const uint64_t hashed = file_.size() - digest_bytes;
  std::vector<uint8_t> bytes(std::min<uint64_t>(hashed, 1 << 20));
  for (uint64_t at = 0; at < hashed; at += bytes.size()) {
    const std::span part(bytes.data(), std::min<uint64_t>(bytes.size(), hashed - at));
    file_.read(at, part);
    hasher.update(part);
  }
  if (!std::ranges::equal(hasher.digest(), std::span(footer).last(digest_bytes)))
    refuse("damaged: its digest differs");
}

void TokenCache::fetch(int64_t begin, std::span<int64_t> out) const {
  std::string bytes(out.size() * static_cast<size_t>(width_), '\0');
  file_.read(header_bytes + static_cast<uint64_t>(begin * width_),
             {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  unpack_ids(bytes.data(), width_, out);
}

TokenSplit split_text(const TokenizedText& text, const std::string& name) {
  if (text.tokenizer->reads_pieces()) return split_tokens(text.tokens, name);
  const int64_t size = text.tokens->size();
  std::vector<int64_t> lengths;
  for (int64_t id = 0; id < text.tokenizer->vocab_size(); ++id)
    lengths.push_back(static_cast<int64_t>(text.tokenizer->decode(id).size()));
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

TokenizedText tokenize_files(const std::vector<std::string>& paths, const TokenizeOptions& options) {
  const std::vector<std::string> learnable = learnable_tokenizers();
  if (!options.with && std::ranges::count(learnable, options.tokenizer) == 0)
    fail<ValueError>("tokenizer: must be ", joined(learnable, " or "), ", not '", options.tokenizer, "'");
  if (options.with && std::string_view(options.with->kind()) == "word")
    fail<ValueError>("tokenizer: files are read in pieces that may cut words: char or byte, not word");
  const TokenizerEntry& entry = tokenizers().at(options.with ? options.with->kind() : options.tokenizer);
  const bool utf8 = entry.utf8, learns = !options.with && entry.learn_reads;
  const int passes = learns ? 3 : 2;
  const auto pass = [&](int number) {
    TextProgress progress = nullptr;
    if (options.progress)
      progress = [&options, number, passes](int64_t done, int64_t size) {
        options.progress(number * size + done, passes * size);
      };
    return TextReader::Options{
        .utf8 = utf8, .newlines = options.newlines, .piece_bytes = options.piece_bytes, .progress = progress};
  };

  const TextScan scan = scan_text(paths, pass(0));
  if (!options.expected_hash.empty() && scan.content_hash != options.expected_hash)
    fail<OtherText>(paths[0], paths.size() > 1 ? " or one of the files after it" : "",
                    ": is not the text that the run was made with (digest ", scan.content_hash, ", not ",
                    options.expected_hash, ")");
  TokenizedText text;
  text.content_hash = scan.content_hash;
  text.bytes = scan.bytes;
  text.notes = scan.notes;
  text.tokenizer = options.with
                       ? options.with
                       : entry.learn({paths, options.newlines, scan, pass(1).progress}, options.settings);
  const Tokenizer& tokenizer = *text.tokenizer;
  const int width = id_width(tokenizer.vocab_size());
  if (options.cache_folder.empty()) {
    std::string packed;
    encode_files(paths, pass(passes - 1), tokenizer, scan, [&](std::string_view ids) { packed += ids; });
    text.tokens = std::make_shared<MemoryTokens>(std::move(packed), width);
    return text;
  }

  make_folder(options.cache_folder);
  const std::string key = key_of(scan, options.newlines, tokenizer);
  const std::string path = options.cache_folder + "/" + key + ".ids";
  text.tokens = open_cache(path, key, text.rebuilt);
  if (!text.tokens) text.tokens = linked_cache(path, key, options.other_caches);
  text.from_cache = text.tokens != nullptr;
  if (text.from_cache) return text;
  CacheWriter cache(path, width, key);
  encode_files(paths, pass(passes - 1), tokenizer, scan, [&](std::string_view ids) { cache.ids(ids); });
  cache.commit();
  text.tokens = std::make_shared<TokenCache>(path, key);
  return text;
}

}  // namespace weft
