#include <doctest/doctest.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/text.h>

#include <string>
#include <vector>

#include "folder.h"

namespace weft::test {

TEST_CASE("data files: files, folders and patterns") {
  const Folder folder;
  folder.with("books/b.txt", "b").with("books/a.txt", "a").with("books/sub/c.txt", "c").with("books/.x", "x");
  folder.with("one.txt", "1").with("two [x].txt", "2");
  const auto found = [&](const std::vector<std::string>& names) {
    std::vector<std::string> paths, short_names;
    for (const std::string& name : names) paths.push_back(folder.path(name));
    for (const std::string& path : data_files(paths))
      short_names.push_back(path.substr(folder.name().size() + 1));
    return short_names;
  };
  using Names = std::vector<std::string>;
  CHECK(found({"one.txt", "books"}) == Names{"one.txt", "books/a.txt", "books/b.txt", "books/sub/c.txt"});
  CHECK(found({"books/*.txt"}) == Names{"books/a.txt", "books/b.txt"});
  CHECK(found({"two [x].txt"}) == Names{"two [x].txt"});  // a file of that name is no pattern
  CHECK(found({"none.txt"}) == Names{"none.txt"});
  CHECK(names_data(folder.path("b*")));
  CHECK_FALSE(names_data(folder.path("q*")));
  TextReader text({folder.path("books")}, {});
  std::string all;
  for (std::string_view piece = text.next(); !piece.empty(); piece = text.next()) all += piece;
  CHECK(all == "abc");
}

}  // namespace weft::test
