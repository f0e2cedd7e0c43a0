#include <weft/lib/base/error.h>

#include "checks.h"
#include "reading.h"

namespace weft::test {
namespace {

using O = RecordOptions;

}  // namespace

TEST_CASE("txt: a record a line") {
  CHECK(rows_of("a.txt", "one\ntwo, \"2\"\r\n\nlast", {.empty = O::Empty::keep}) ==
        Rows{{"one"}, {"two, \"2\""}, {""}, {"last"}});
  CHECK(rows_of("a.txt", "one\n\ntwo\n", {.columns = {"text"}, .empty = O::Empty::skip}) ==
        Rows{{"one"}, {"two"}});
  CHECK(refusal_of("a.txt", "one\n\n") ==
        "a.txt: line 2, column text: is empty; empty=skip passes such records over, empty=keep takes them");
  CHECK(refusal_of("a.txt", "one\n", {.columns = {"label"}}) ==
        "a.txt: line 1: there is no column 'label'; there is text");
  CHECK(refusal_of("a.txt", "one\ntwo longer\n", {.most_bytes = 5}) ==
        "a.txt: line 2: the record that begins here has more than 5 bytes, the most one may have");
}

TEST_CASE("pairs: files side by side") {
  const Folder folder;
  folder.with("a.en", "one\ntwo\n")
      .with("a.fr", "un\r\ndeux")
      .with("b.en", "three\n")
      .with("b.fr", "trois\n");
  const std::string a = folder.path("a.en") + "," + folder.path("a.fr"),
                    b = folder.path("b.en") + "," + folder.path("b.fr");
  CHECK(read_rows({a, b}) == Rows{{"one", "un"}, {"two", "deux"}, {"three", "trois"}});
  CHECK(read_rows({a}, {.columns = {"fr", "1"}, .piece_bytes = 4}) == Rows{{"un", "one"}, {"deux", "two"}});
  CHECK(read_rows({folder.path("*.en") + "," + folder.path("*.fr")}) == read_rows({a, b}));
  RecordReader reader({a, b}, {});
  CHECK(reader.columns() == Row{"en", "fr"});
  CHECK(reader.format() == "pairs");
  for (int i = 0; i < 2; ++i) reader.next();
  CHECK(reader.describe(reader.next()->place) == folder.path("b.en") + ": line 1");
}

TEST_CASE("pairs: each error names file and line") {
  const Folder folder;
  folder.with("a.en", "one\ntwo\n")
      .with("a.fr", "un\n")
      .with("c.fr", "un\n\n")
      .with("d.fr", "")
      .with("e", "un\ndeux");
  const auto says = [&](const std::string& paths, const std::string& text, const O& options = {}) {
    std::string all;
    for (const char c : paths) all += c == '@' ? folder.name() + "/" : std::string(1, c);
    refuses<Error>([&] { read_rows({all}, options); }, {text});
  };
  says("@a.en,@a.fr", "a.fr: ends after line 1, and " + folder.path("a.en") + " goes on");
  says("@a.fr,@a.en", "a.fr: ends after line 1, and " + folder.path("a.en") + " goes on");
  says("@a.en,@d.fr", "d.fr: ends after line 0, and ");
  says("@a.en,@c.fr", "a.en: line 2, column fr: is empty");
  says("@a.en,@missing.fr", folder.path("missing.fr"));
  says("@a.en,", "no file stands at one side of a comma");
  says("@a.en,@*.fr", "*.fr: has 3 files, and " + folder.path("a.en") + " 1");
  says("@a.en,@e", "there is no column 'fr'; there are en, 2", {.columns = {"en", "fr"}});
  says("@a.en,@e", "format=csv reads one file", {.format = "csv"});
  says("@a.en", "format=pairs reads files that go together", {.format = "pairs"});
  refuses<ValueError>(
      [&] {
        read_rows({folder.path("a.en") + "," + folder.path("e"), folder.path("a.en")});
      },
      {"all must be parallel files"});
}

TEST_CASE("pairs as others publish them") {
  const std::string english = real_data("multi30k-en-fr/train.en");
  if (english.empty()) return;
  const Rows rows =
      read_rows({english + "," + real_data("multi30k-en-fr/train.fr")}, {.columns = {"en", "fr"}});
  CHECK(rows.size() == 29000);
}

}  // namespace weft::test
