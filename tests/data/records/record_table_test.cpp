#include <weft/data/records/record_table.h>
#include <weft/lib/base/error.h>

#include "checks.h"
#include "reading.h"

namespace weft::test {

TEST_CASE("record table: fields, places, duplicates and labels") {
  const Folder folder;
  folder.with("a.csv", "text,label\nx,b\n\"y\nz\",a\nx,b\n").with("b.csv", "text,label\nx,b\nx,a\n");
  const RecordTable table({folder.path("a.csv"), folder.path("b.csv")}, {.columns = {"text", "label"}});
  REQUIRE(table.size() == 5);
  CHECK(table.field(1, 0) == "y\nz");
  CHECK(table.fields(4) == std::vector<std::string_view>{"x", "a"});
  CHECK(table.describe(2) == folder.path("a.csv") + ": line 5");
  CHECK(table.describe(3) == folder.path("b.csv") + ": line 2");
  CHECK(table.duplicates() == 2);
  CHECK(table.distinct(1) == Row{"a", "b"});
  CHECK(table.label_ids(1, {"a", "b"}) == std::vector<int64_t>{1, 0, 1, 1, 0});
  CHECK(table.content_hash().size() == 32);
  refuses<FileError>(
      [&] {
        table.label_ids(1, {"b", "other"});
      },
      {"a.csv: line 3, column label: 'a' is no label that is known; did you mean 'b'?"});
  refuses<ValueError>([&] { table.field(5, 0); }, {"no field 0 of record 5 among 5"});
  refuses<FileError>([&] { RecordTable({folder.path("a.csv")}, {}, 3); },
                     {"a.csv: line 3: the records up to here hold more than 3 bytes"});
}

TEST_CASE("record table: what validates is told by the fields alone") {
  int64_t validate = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string text = str("text ", i);
    const std::string_view fields[] = {text, "label"};
    validate += is_validation(fields, 0.1);
    CHECK_FALSE(is_validation(fields, 0));
    CHECK(is_validation(fields, 1));
    // With a larger share, those that validated still do.
    if (is_validation(fields, 0.1)) CHECK(is_validation(fields, 0.2));
  }
  CHECK(validate > 900);
  CHECK(validate < 1100);
  const std::string_view parted[] = {"ab", "c"}, otherwise[] = {"a", "bc"};
  CHECK(record_digest(parted) != record_digest(otherwise));
  // Runs that are resumed divide as they did.
  CHECK(to_hex(record_digest(parted)) == "f2eda2708bcfd51cc05c0ee4c9f60440");
  CHECK_THROWS_AS(is_validation(parted, 1.5), ValueError);
}

}  // namespace weft::test
