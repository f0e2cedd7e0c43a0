#include <doctest/doctest.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>

#include <algorithm>

#include "data/text/token_ids.h"
#include "folder.h"

using namespace weft;
using test::ids_of;

namespace {

std::vector<int64_t> begins_of(const TextDocuments& documents) {
  std::vector<int64_t> begins(static_cast<size_t>(documents.size()));
  documents.begins(0, begins);
  return begins;
}

}  // namespace

TEST_CASE("several documents end by a token that text cannot become; one text has none") {
  const Folder folder;
  const std::vector<std::string> paths{folder.write("a", "ab<|endoftext|>"), folder.write("b", "ba")};
  const TokenizedText joined = tokenize_files(paths, {});
  CHECK(joined.end_id == -1);
  CHECK(joined.documents.size() == 1);
  CHECK(joined.tokens->size() == 17);
  const TokenizedText one = tokenize_files({paths[0]}, {.by_file = true});
  CHECK(one.end_id == -1);
  CHECK(one.tokenizer->vocab_size() == CharTokenizer::of("ab<|endoftext|>").vocab_size());

  for (const char* cache : {"", "cache", "cache"}) {
    const TokenizedText each =
        tokenize_files(paths, {.by_file = true, .cache_folder = *cache ? folder.path(cache) : ""});
    CHECK(each.end_id == each.tokenizer->vocab_size() - 1);
    const std::vector<int64_t> ids = ids_of(*each.tokens);
    CHECK(std::ranges::count(ids, each.end_id) == 2);
    CHECK(ids[15] == each.end_id);
    CHECK(ids.back() == each.end_id);
    CHECK(begins_of(each.documents) == std::vector<int64_t>{0, 16});
    CHECK(each.documents[1].file == 1);
  }
  // Of a tokenizer of its own that has none, documents end without.
  const TokenizedText bare =
      tokenize_files(paths, {.by_file = true, .with = std::make_shared<ByteTokenizer>()});
  CHECK(bare.end_id == -1);
  CHECK(begins_of(bare.documents) == std::vector<int64_t>{0, 15});
  // Byte-level BPE has one from the start.
  const TokenizedText pairs = tokenize_files(
      paths, {.tokenizer = "bpe", .settings = {{"vocab_size", int64_t{258}}}, .by_file = true});
  CHECK(std::string(pairs.tokenizer->kind()) == "bpe");
  CHECK(ids_of(*pairs.tokens).back() == pairs.end_id);
}

TEST_CASE("bytes with marks need not be UTF-8, on a resume too") {
  const Folder folder;
  const std::vector<std::string> paths{folder.write("a", "\xff\xfe"), folder.write("b", "b")};
  const TokenizedText made = tokenize_files(paths, {.tokenizer = "byte", .by_file = true});
  const TokenizedText again = tokenize_files(paths, {.by_file = true, .with = made.tokenizer});
  CHECK(ids_of(*again.tokens) == std::vector<int64_t>{255, 254, 256, 98, 256});
  CHECK(wants_utf8(CharTokenizer::of("a")));
  CHECK_FALSE(wants_utf8(*made.tokenizer));
}

TEST_CASE("where documents begin is made again when it is damaged or gone") {
  const Folder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 5; ++i)
    paths.push_back(folder.write(str(i), std::string(static_cast<size_t>(i + 1), 'a')));
  const TokenizeOptions options{.by_file = true, .cache_folder = folder.path("cache")};
  const std::vector<int64_t> wanted = begins_of(tokenize_files(paths, options).documents);
  CHECK(wanted == std::vector<int64_t>{0, 2, 5, 9, 14});
  std::string name;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("cache")))
    if (entry.path().extension() == ".documents") name = "cache/" + entry.path().filename().string();
  REQUIRE_FALSE(name.empty());
  CHECK(tokenize_files(paths, options).from_cache);
  std::string damaged = folder.read(name);
  damaged[70] = static_cast<char>(damaged[70] ^ 1);
  folder.write(name, damaged);
  const TokenizedText again = tokenize_files(paths, options);
  CHECK_FALSE(again.from_cache);
  CHECK(begins_of(again.documents) == wanted);
  std::filesystem::remove(folder.path(name));
  CHECK(begins_of(tokenize_files(paths, options).documents) == wanted);
  CHECK(tokenize_files(paths, options).from_cache);
}

TEST_CASE("documents validate by what they say: they stay where they are when others are added") {
  const Folder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 200; ++i) paths.push_back(folder.write(str(i), str("document ", i)));
  const auto scan_of = [](std::vector<std::string> some) {
    return scan_text({.paths = std::move(some), .by_file = true}, {.validation = 0.1, .digests = true});
  };
  const TextScan all = scan_of(paths);
  const auto validate = std::ranges::count(all.validates, true);
  CHECK(validate > 8);
  CHECK(validate < 35);
  REQUIRE(all.digests.size() == 200);
  std::vector<std::string> others(paths.rbegin(), paths.rbegin() + 100);
  const TextScan some = scan_of(others);
  for (size_t i = 0; i < others.size(); ++i) {
    CHECK(some.validates[i] == all.validates[199 - i]);
    CHECK(some.digests[i] == all.digests[199 - i]);
  }
  const TextFiles files{.paths = paths, .by_file = true};
  const auto tokenizer = learn_tokenizer("char", {}, {{files, all, TextPart::training}}, true);
  const TokenizedText train = encode_text(files, all, tokenizer, {.part = TextPart::training, .ends = true}),
                      rest = encode_text(files, all, tokenizer, {.part = TextPart::validation, .ends = true});
  CHECK(rest.documents.size() == validate);
  CHECK(train.documents.size() == 200 - validate);
}
