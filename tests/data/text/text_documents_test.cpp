#include <doctest/doctest.h>
#include <weft/data/text/text_documents.h>
#include <weft/lib/base/error.h>

using namespace weft;

TEST_CASE("where documents begin, and which holds a token") {
  const std::vector<int64_t> rows{0, 0, 1, 4, 0, 7, 4, 1, 1, 9, 1, 5};
  const TextDocuments documents(std::make_shared<MemoryTokens>(rows), 12);
  REQUIRE(documents.size() == 4);
  CHECK(documents.tokens() == 12);
  CHECK(documents[1].begin == 4);
  CHECK(documents[1].line == 7);
  CHECK(documents[2].file == 1);
  const std::vector<int64_t> holding{0, 0, 0, 0, 2, 2, 2, 2, 2, 3, 3, 3};
  for (int64_t token = 0; token < 12; ++token)
    CHECK(documents.at(token) == holding[static_cast<size_t>(token)]);
  CHECK(documents.from(0) == 0);
  CHECK(documents.from(1) == 1);
  CHECK(documents.from(5) == 3);
  CHECK(documents.from(10) == 4);
  std::vector<int64_t> begins(3);
  documents.begins(2, begins);
  CHECK(begins == std::vector<int64_t>{4, 9, 12});
  CHECK_THROWS_AS(documents.begins(3, begins), ValueError);
  CHECK_THROWS_AS(documents[4], ValueError);
  CHECK_THROWS_AS(documents.at(12), ValueError);
}

TEST_CASE("without rows all tokens are one document; rows must be whole") {
  const TextDocuments one(5);
  CHECK(one.size() == 1);
  CHECK(one.at(4) == 0);
  std::vector<int64_t> begins(2);
  one.begins(0, begins);
  CHECK(begins == std::vector<int64_t>{0, 5});
  CHECK_THROWS_AS(TextDocuments(std::make_shared<MemoryTokens>(std::vector<int64_t>{0, 1}), 5), ValueError);
  CHECK_THROWS_AS(TextDocuments(nullptr, 5), ValueError);
}
