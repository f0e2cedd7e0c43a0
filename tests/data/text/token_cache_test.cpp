#include <doctest/doctest.h>
#include <sys/resource.h>
#include <weft/data/text/token_cache.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include "data/text/token_ids.h"
#include "folder.h"

using namespace weft;
using test::ids_of;

namespace {

std::string only_file(const std::string& folder) {
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CHECK(name.empty());
    name = entry.path().filename().string();
  }
  return name;
}

const std::string text = "the \u00e9 and the \u20ac, and \U0001F600\n";

/// A text with so many characters that ids take two bytes.
std::string many_characters() {
  std::string all;
  for (char32_t c = 0x4e00; c < 0x4e00 + 700; ++c) all += encode_utf8(c);
  return all + text;
}

}  // namespace

TEST_CASE("ids from the cache, from memory and from the tokenizer are the same, in any cut") {
  for (const std::string& content : {text, many_characters()}) {
    const Folder folder;
    const std::vector<std::string> paths{folder.write("a", content), folder.write("b", text + content)};
    const CharTokenizer tokenizer = CharTokenizer::of(content);
    const std::vector<int64_t> wanted = tokenizer.encode(content + text + content);
    for (const int64_t piece_bytes : {4, 7, 1000000}) {
      const TokenizedText memory = tokenize_files(paths, {.piece_bytes = piece_bytes});
      const TokenizedText cached = tokenize_files(
          paths, {.cache_folder = folder.path(str("run/cache", piece_bytes)), .piece_bytes = piece_bytes});
      CHECK(identical(memory.tokenizer->state_dict(), tokenizer.state_dict()));
      CHECK(ids_of(*memory.tokens) == wanted);
      CHECK(ids_of(*cached.tokens) == wanted);
      CHECK(cached.tokenizer->decode(ids_of(*cached.tokens)) == content + text + content);
      CHECK(cached.content_hash == memory.content_hash);
      CHECK(cached.bytes == static_cast<int64_t>(content.size() * 2 + text.size()));
      CHECK_FALSE(cached.from_cache);
      std::vector<int64_t> part(5);
      cached.tokens->read(3, part);
      CHECK(std::equal(part.begin(), part.end(), wanted.begin() + 3));
      CHECK_THROWS_AS(cached.tokens->read(cached.tokens->size() - 4, part), ValueError);
    }
  }
}

TEST_CASE("bytes are their own ids, whatever they are") {
  const Folder folder;
  std::string all;
  for (int i = 0; i < 512; ++i) all += static_cast<char>(i);
  const std::string path = folder.write("all", all);
  const TokenizedText found =
      tokenize_files({path}, {.tokenizer = "byte", .cache_folder = folder.path("cache")});
  CHECK(found.tokenizer->decode(ids_of(*found.tokens)) == all);
  CHECK_THROWS_AS(tokenize_files({path}, {}), FileError);
}

TEST_CASE("the same content finds its cache under any name; other content, options or tokenizer do not") {
  const Folder folder;
  const std::string cache = folder.path("cache");
  const std::string dos = text + "\r\n";
  const std::string a = folder.write("a", dos), b = folder.write("b", dos),
                    other = folder.write("c", dos + "!");
  CHECK_FALSE(tokenize_files({a}, {.cache_folder = cache}).from_cache);
  CHECK(tokenize_files({a}, {.cache_folder = cache}).from_cache);
  CHECK(tokenize_files({b}, {.cache_folder = cache}).from_cache);
  for (const TokenizeOptions& options :
       {TokenizeOptions{.tokenizer = "byte", .cache_folder = cache},
        TokenizeOptions{.newlines = Newlines::lf, .cache_folder = cache},
        TokenizeOptions{.settings = {{"unknown_token", true}}, .cache_folder = cache}}) {
    CHECK_FALSE(tokenize_files({a}, options).from_cache);
    CHECK(tokenize_files({a}, options).from_cache);
  }
  CHECK_FALSE(tokenize_files({other}, {.cache_folder = cache}).from_cache);
  CHECK_FALSE(tokenize_files({a, b}, {.cache_folder = cache}).from_cache);
  const auto with = std::make_shared<CharTokenizer>(CharTokenizer::of(dos + "!?"));
  CHECK_FALSE(tokenize_files({a}, {.with = with, .cache_folder = cache}).from_cache);
}

TEST_CASE("any changed byte and any cut of a cache is noticed, and the cache made again") {
  const Folder folder;
  const std::string path = folder.write("a", text), cache = folder.path("cache");
  const std::vector<int64_t> wanted = ids_of(*tokenize_files({path}, {.cache_folder = cache}).tokens);
  const std::string name = "cache/" + only_file(cache), whole = folder.read(name);
  const std::string key = name.substr(6, 32);
  CHECK_NOTHROW(TokenCache(folder.path(name), key));
  const auto expect_rebuilt = [&](const std::string& damaged) {
    folder.write(name, damaged);
    CHECK_THROWS_AS(TokenCache(folder.path(name), key), FileError);
    const TokenizedText again = tokenize_files({path}, {.cache_folder = cache});
    CHECK_FALSE(again.from_cache);
    CHECK(again.rebuilt.starts_with(folder.path(name)));
    CHECK(ids_of(*again.tokens) == wanted);
    CHECK(folder.read(name) == whole);
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    expect_rebuilt(damaged);
    expect_rebuilt(whole.substr(0, at));
  }
  expect_rebuilt(whole + '\0');
  expect_rebuilt(std::string(whole.size(), '\0'));
  CHECK_THROWS_AS(TokenCache(folder.path(name), std::string(32, '0')), FileError);
  CHECK_THROWS_AS(TokenCache(folder.path(name), ""), FileError);
  CHECK_THROWS_AS(TokenCache(folder.path("none"), key), FileError);
}

TEST_CASE("what another run has made is one file with two names, as long as it is whole and ours") {
  namespace fs = std::filesystem;
  const Folder folder;
  const std::string path = folder.write("a", text), a = folder.path("a-run/cache"),
                    b = folder.path("b-run/cache"), c = folder.path("c-run/cache");
  const std::vector<int64_t> wanted = ids_of(*tokenize_files({path}, {.cache_folder = a}).tokens);
  const std::string name = "/" + only_file(a);
  const auto read = [&](const std::string& cache, std::vector<std::string> others) {
    const TokenizedText found =
        tokenize_files({path}, {.cache_folder = cache, .other_caches = std::move(others)});
    CHECK(ids_of(*found.tokens) == wanted);
    return found;
  };
  CHECK(read(b, {folder.path("none"), a}).from_cache);
  CHECK(only_file(b) == name.substr(1));
  CHECK(fs::equivalent(a + name, b + name));
  // Another tokenizer or text has another name.
  CHECK_FALSE(
      tokenize_files({path}, {.tokenizer = "byte", .cache_folder = c, .other_caches = {a, b}}).from_cache);
  fs::remove_all(c);

  // A damaged one is left; made again, it is a file of its own, and the other stays as it is.
  const std::string whole = folder.read("a-run/cache" + name);
  fs::remove(b + name);
  folder.write("b-run/cache" + name, whole.substr(1));
  CHECK(read(c, {b, a}).from_cache);
  CHECK(fs::equivalent(a + name, c + name));
  fs::remove(c + name);
  CHECK_FALSE(read(c, {b}).from_cache);
  CHECK(folder.read("b-run/cache" + name) == whole.substr(1));
  // An own one that is damaged gives way to a whole one, and says so.
  const TokenizedText again = read(b, {a});
  CHECK(again.from_cache);
  CHECK(again.rebuilt.starts_with(b + name));
  CHECK(fs::equivalent(a + name, b + name));
  // Damaged under both names: made again under one.
  folder.write("a-run/cache" + name, whole.substr(1));
  CHECK_FALSE(read(b, {a}).from_cache);
  CHECK(folder.read("b-run/cache" + name) == whole);
  CHECK_FALSE(fs::equivalent(a + name, b + name));
  // What cannot be linked is made.
  fs::remove(a + name);
  fs::remove(b + name);
  fs::create_directory(a + name);
  CHECK_FALSE(read(b, {a}).from_cache);
}

TEST_CASE("a cache that shrinks while it is read is an error, not a crash") {
  const Folder folder;
  const std::string cache = folder.path("cache");
  const TokenizedText found = tokenize_files({folder.write("a", text)}, {.cache_folder = cache});
  std::filesystem::resize_file(cache + "/" + only_file(cache), 70);
  CHECK_THROWS_AS(ids_of(*found.tokens), FileError);
}

TEST_CASE("a failed write leaves no cache behind, and says so") {
  const Folder folder;
  const std::string path = folder.write("a", text), cache = folder.path("cache");
  set_fault_hook(
      [](const char* call, const std::string&) { return std::string_view(call) == "fsync" ? EIO : 0; });
  CHECK_THROWS_AS(tokenize_files({path}, {.cache_folder = cache}), FileError);
  set_fault_hook(nullptr);
  CHECK(std::filesystem::is_empty(cache));
  CHECK_FALSE(tokenize_files({path}, {.cache_folder = cache}).from_cache);
  CHECK_THROWS_AS(tokenize_files({path}, {.cache_folder = path}), FileError);
}

TEST_CASE("a character that a checkpoint's tokenizer does not know is named with its file and position") {
  const Folder folder;
  const std::string a = folder.write("a", "ab\u00e9ab"),
                    b = folder.write("b", "\u00e9\u00e9\u00e9ba\u20acab");
  const auto with = std::make_shared<CharTokenizer>(CharTokenizer::of("ab\u00e9"));
  for (const int64_t piece_bytes : {4, 100})
    CHECK_THROWS_WITH_AS(
        tokenize_files({a, b}, {.with = with, .piece_bytes = piece_bytes}),
        (b + ": character '\u20ac' (U+20AC) at position 5 is not among the 3 of the vocabulary").c_str(),
        FileError);
  const auto unknown = std::make_shared<CharTokenizer>(CharTokenizer::of("ab\u00e9", {.unknown = true}));
  CHECK(ids_of(*tokenize_files({a, b}, {.with = unknown}).tokens) ==
        std::vector<int64_t>{0, 1, 2, 0, 1, 2, 2, 2, 1, 0, 3, 0, 1});
  CHECK(ids_of(*tokenize_files({a}, {.with = std::make_shared<ByteTokenizer>()}).tokens).size() == 6);
}

TEST_CASE("whether a tokenizer reads all of a text") {
  const Folder folder;
  const std::string a = folder.write("a", "ab\r\n"), b = folder.write("b", "\u00e9ab\n");
  CHECK(reads_text(CharTokenizer::of("ab\u00e9\r\n"), {a, b}, Newlines::keep));
  CHECK_FALSE(reads_text(CharTokenizer::of("ab\u00e9\n"), {a, b}, Newlines::keep));
  CHECK_FALSE(reads_text(CharTokenizer::of("ab\r\n"), {a, b}, Newlines::keep));
  CHECK(reads_text(CharTokenizer::of("ab", {.unknown = true}), {a, b}, Newlines::keep));
  const auto marked = [&](const char* characters) {
    return with_special(std::make_shared<CharTokenizer>(CharTokenizer::of(characters)), {"</s>"});
  };
  CHECK(reads_text(*marked("ab\u00e9\r\n"), {a, b}, Newlines::keep));
  CHECK_FALSE(reads_text(*marked("ab\r\n"), {a, b}, Newlines::keep));
  CHECK(reads_text(ByteTokenizer(), {a, b}, Newlines::keep));
  CHECK_THROWS_AS(reads_text(ByteTokenizer(), {a, folder.path("none")}, Newlines::keep), FileError);
}

TEST_CASE("a text that changes between the passes is refused") {
  const Folder folder;
  const std::string path = folder.write("a", "one two");
  const auto change = [&](int64_t done, int64_t size) {
    if (2 * done == size) folder.write("a", "one owt");
  };
  CHECK_THROWS_WITH_AS(tokenize_files({path}, {.progress = change}),
                       (path + ": changed while it was read; start again when nothing writes to it").c_str(),
                       FileError);
}

TEST_CASE("notes and bad options") {
  const Folder folder;
  const std::string path = folder.write("a",
                                        "\xef\xbb\xbf"
                                        "a\r\nb"),
                    returns = folder.write("r", "\r\r");
  const TokenizedText kept = tokenize_files({path}, {});
  CHECK(kept.notes.byte_order_marks == 1);
  CHECK(kept.notes.carriage_returns == 1);
  CHECK(kept.tokens->size() == 5);
  CHECK(tokenize_files({path}, {.newlines = Newlines::lf}).tokens->size() == 4);
  CHECK_THROWS_AS(tokenize_files({returns}, {.newlines = Newlines::lf}), FileError);
  CHECK(tokenize_files({returns}, {.tokenizer = "byte", .newlines = Newlines::lf}).tokens->size() == 0);
  CHECK_THROWS_WITH_AS(tokenize_files({path}, {.tokenizer = "word"}),
                       "tokenizer: must be char or byte or bpe or unigram or sentencepiece-bpe, not 'word'",
                       ValueError);
  CHECK_THROWS_AS(tokenize_files({}, {}), ValueError);
}

TEST_CASE("a large text takes little memory") {
  const Folder folder;
  const std::string line(1 << 20, 'x');
  std::string path = folder.write("large", "");
  std::ofstream out(path, std::ios::binary);
  for (int i = 0; i < 64; ++i) out << line;
  out.close();
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
  };
  const long before = peak();
  const TokenizedText found = tokenize_files({path}, {.cache_folder = folder.path("cache")});
  CHECK(found.tokens->size() == 64 << 20);
  CHECK(peak() - before < 40);
}

TEST_CASE("bpe: it is learned from the part that trains, and read in any pieces") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += i % 3 == 0 ? "the cat sat. " : i % 3 == 1 ? "a dog ran\n" : "\xe4\xb8\xad\xe6\x96\x87";
  const std::string train =
      text.substr(0, static_cast<size_t>(training_bytes(static_cast<int64_t>(text.size()))));
  folder.write("a", text.substr(0, 20000));
  folder.write("b", text.substr(20000) + "zyzzyva zyzzyva zyzzyva");  // stands in the validation part alone
  const std::vector<std::string> paths = {folder.path("a"), folder.path("b")};
  const TokenizeOptions options{.tokenizer = "bpe", .settings = {{"vocab_size", int64_t{400}}}};
  const TokenizedText whole = tokenize_files(paths, options);
  CHECK(whole.tokenizer->encode(" zyzzyva").size() > 6);
  CHECK(whole.tokenizer->encode(" dog").size() == 1);
  std::vector<int64_t> ids(static_cast<size_t>(whole.tokens->size()));
  whole.tokens->read(0, ids);
  CHECK(whole.tokenizer->decode(ids) == folder.read("a") + folder.read("b"));
  for (const int64_t piece : {4, 100, 1000}) {
    TokenizeOptions other = options;
    other.piece_bytes = piece;
    const TokenizedText again = tokenize_files(paths, other);
    REQUIRE(again.tokens->size() == whole.tokens->size());
    std::vector<int64_t> same(ids.size());
    again.tokens->read(0, same);
    CHECK(same == ids);
  }
  const TokenSplit split = split_text(whole, "a");
  std::vector<int64_t> training(static_cast<size_t>(split.train.size));
  split.train.read(0, training);
  const auto bytes = static_cast<int64_t>(whole.tokenizer->decode(training).size());
  CHECK(bytes <= training_bytes(whole.bytes));
  CHECK(bytes > training_bytes(whole.bytes) - 12);
  CHECK(split.train.size + split.validation.size == whole.tokens->size());
}
