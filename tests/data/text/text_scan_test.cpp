#include <doctest/doctest.h>
#include <weft/data/text/text_scan.h>
#include <weft/lib/base/error.h>

#include <algorithm>

#include "checks.h"
#include "folder.h"

using namespace weft;
using test::refuses;

TEST_CASE("a scan finds characters, bytes, documents and which of them are equal, whatever the pieces") {
  const Folder folder;
  const std::string a = folder.write("a",
                                     "b\xc3\xa9"
                                     "a\r\n"),
                    b = folder.write("b", "zz"), c = folder.write("c", "zz");
  for (const int64_t piece : {4, 1 << 20}) {
    const TextScan scan = scan_text({.paths = {a, b, c}, .by_file = true},
                                    {.validation = 0.5, .digests = true, .piece_bytes = piece});
    CHECK(scan.characters == std::vector<char32_t>{'\n', '\r', 'a', 'b', 'z', 0xe9});
    CHECK(scan.bytes == 10);
    CHECK(scan.text_bytes == 10);
    CHECK(scan.documents == 3);
    CHECK(scan.notes.carriage_returns == 1);
    REQUIRE(scan.digests.size() == 3);
    CHECK(scan.digests[0] != scan.digests[1]);
    CHECK(scan.digests[1] == scan.digests[2]);
    REQUIRE(scan.validates.size() == 3);
    CHECK(scan.validates[1] == scan.validates[2]);
    const auto training = wanted_documents(scan, TextPart::training),
               rest = wanted_documents(scan, TextPart::validation);
    for (int64_t i = 0; i < 3; ++i) {
      CHECK(rest(i) == scan.validates[static_cast<size_t>(i)]);
      CHECK(training(i) != rest(i));
    }
    CHECK_FALSE(wanted_documents(scan, TextPart::all));
  }
  CHECK(scan_text({.paths = {a}}, {.utf8 = false}).characters.empty());
}

TEST_CASE("a scan takes a NUL unless told") {
  const Folder folder;
  const std::string path = folder.write("a", std::string("ab\0c", 4));
  CHECK(std::ranges::count(scan_text({.paths = {path}}, {}).characters, U'\0') == 1);
  refuses<FileError>([&] { scan_text({.paths = {path}}, {.refuse_nul = true}); }, {path, "a NUL at byte 2"});
}
