#include <doctest/doctest.h>
#include <weft/lib/array/documents.h>

#include "checks.h"

using namespace weft;

TEST_CASE("documents: in order, and where each token stands") {
  const DocumentBegins documents = {{0, 2, 3}, {0}};
  check_documents("test", documents, 2, 5);
  const std::vector<Document> all = documents_of(documents, 2, 5);
  REQUIRE(all.size() == 4);
  const int64_t expected[4][3] = {{0, 0, 2}, {0, 2, 1}, {0, 3, 2}, {1, 0, 5}};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(all[i].row == expected[i][0]);
    CHECK(all[i].first == expected[i][1]);
    CHECK(all[i].tokens == expected[i][2]);
  }
  CHECK(places_in_documents(documents, 2, 5)
            .identical(Array::from<int64_t>({0, 1, 0, 0, 1, 0, 1, 2, 3, 4}, {2, 5})));
  CHECK(documents_of({}, 2, 5).size() == 2);
  CHECK(places_in_documents({}, 1, 3).identical(Array::from<int64_t>({0, 1, 2}, {1, 3})));
  check_documents("test", {}, 2, 5);
  check_documents("test", {{0}}, 1, 0);
}

TEST_CASE("documents: what cannot be is refused by row and place") {
  const auto refused = [](const DocumentBegins& documents, const std::vector<std::string>& parts) {
    test::refuses<ValueError>([&] { check_documents("GPT", documents, 2, 5); }, parts);
  };
  refused({{0}}, {"GPT", "of 1 rows", "2 rows"});
  refused({{0}, {1, 3}}, {"GPT", "row 1", "begin with 1", "at 0"});
  refused({{}, {0}}, {"row 0", "none"});
  refused({{0, 3, 2}, {0}}, {"row 0", "begins at 2", "at 3", "ascend"});
  refused({{0}, {0, 4, 4}}, {"row 1", "begins at 4", "at 4"});
  refused({{0}, {0, 5}}, {"row 1", "begins at 5", "beyond", "5 tokens"});
  refused({{-1, 2}, {0}}, {"row 0", "begin with -1"});
}
