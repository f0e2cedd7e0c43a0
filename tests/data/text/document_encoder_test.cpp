#include <doctest/doctest.h>
#include <weft/data/text/bpe_training.h>
#include <weft/data/text/document_encoder.h>
#include <weft/data/text/tokens.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>

#include "folder.h"

using namespace weft;

namespace {

struct Made {
  std::string packed;
  std::vector<int64_t> begins;
  bool operator==(const Made&) const = default;
};

Made encoded(const TextFiles& files, const Tokenizer& tokenizer, int64_t end_id, int64_t piece_bytes) {
  DocumentReader reader(files, {.piece_bytes = piece_bytes});
  Made made;
  encode_documents(reader, tokenizer, end_id,
                   {.ids = [&](std::string_view packed) { made.packed += packed; },
                    .document = [&](int64_t begin, size_t, int64_t) { made.begins.push_back(begin); }});
  return made;
}

std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += i % 7 == 0 ? "\u20ac12, " : i % 5 == 0 ? "and\n" : "the cat ";
  return text;
}

}  // namespace

TEST_CASE("ids depend neither on pieces nor on threads, and each document ends by the id that ends it") {
  const Folder folder;
  const std::vector<std::string> contents{words(60000), "x", words(9)};
  TextFiles files{.paths = {}, .by_file = true};
  for (const std::string& content : contents)
    files.paths.push_back(folder.write(str(files.paths.size()), content));
  BpeTraining training({.vocab_size = 300});
  training.add(contents[0]);
  const BpeTokenizer bpe = training.learn();
  const MarkedTokenizer bytes(std::make_shared<ByteTokenizer>(), std::vector<std::string>{"<|endoftext|>"});
  for (const Tokenizer* tokenizer :
       {static_cast<const Tokenizer*>(&bpe), static_cast<const Tokenizer*>(&bytes)}) {
    const int64_t end = end_of_text_id(*tokenizer);
    REQUIRE(end >= 0);
    Made wanted;
    std::vector<int64_t> all;
    for (const std::string& content : contents) {
      wanted.begins.push_back(std::ssize(all));
      tokenizer->append_ids(content, all);
      all.push_back(end);
    }
    pack_ids(all, id_width(tokenizer->vocab_size()), wanted.packed);
    const int before = num_threads();
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      for (const int64_t piece : {61, 1 << 12, 1 << 20})
        CHECK(encoded(files, *tokenizer, end, piece) == wanted);
    }
    set_num_threads(before);
  }
}

TEST_CASE("parts go on in no other file, and say where they begin") {
  const Folder folder;
  const std::string long_text = words(30000);
  const TextFiles files{.paths = {folder.write("a", long_text), folder.write("b", "b\n")}};
  DocumentReader reader(files, {.piece_bytes = 1000});
  const CharTokenizer tokenizer = CharTokenizer::of(long_text + "b\n");
  ChunkReader chunks(reader, tokenizer);
  std::string text;
  int64_t line = 1;
  bool first = true, ended = false;
  while (const auto chunk = chunks.next()) {
    CHECK(chunk->begins == first);
    CHECK_FALSE(ended);
    if (chunk->file == 1) {
      CHECK(chunk->text == "b\n");
      CHECK(chunk->line == 1);
    } else {
      CHECK(chunk->line == line);
      CHECK(chunk->text.size() <= 1 << 16);
    }
    line += std::count(chunk->text.begin(), chunk->text.end(), '\n');
    text += chunk->text;
    first = false;
    ended = chunk->ends;
  }
  CHECK(ended);
  CHECK(text == long_text + "b\n");
}

TEST_CASE("a character that is not known is told with file, line of the record and position") {
  const Folder folder;
  const CharTokenizer tokenizer = CharTokenizer::of("abc");
  const std::string path = folder.write("a.csv", "t\nab\nacx\n");
  const TextFiles files{.paths = {path}, .records = RecordOptions{.columns = {"t"}}};
  CHECK_THROWS_WITH_AS(
      encoded(files, tokenizer, -1, 1 << 20),
      (path + ": line 3: character 'x' (U+0078) at position 2 of its text is not among the 3 of "
              "the vocabulary")
          .c_str(),
      UnknownText);
}

TEST_CASE("the token that ends a text is found by its name") {
  CHECK(end_of_text_id(ByteTokenizer()) == -1);
  const auto bytes = std::make_shared<ByteTokenizer>();
  CHECK(end_of_text_id(MarkedTokenizer(bytes, {"<a>"})) == -1);
  CHECK(end_of_text_id(MarkedTokenizer(bytes, {"<a>", "</s>"})) == 257);
}
