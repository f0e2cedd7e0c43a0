#include <weft/lib/base/error.h>

#include <set>

#include "reading.h"

namespace weft::test {
namespace {

using O = RecordOptions;
const O bare{.header = O::Header::no, .empty = O::Empty::keep};

}  // namespace

TEST_CASE("csv: RFC 4180, case by case") {
  const auto reads = [](const std::string& content, const Rows& rows) {
    CAPTURE(content);
    CHECK(rows_of("a.csv", content, bare) == rows);
  };
  reads("a,b\nc,d\n", {{"a", "b"}, {"c", "d"}});
  reads("a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}});
  reads("a,b\nc,d", {{"a", "b"}, {"c", "d"}});
  reads("\"a\",\"b\"\r\n\"c\",\"d\"", {{"a", "b"}, {"c", "d"}});
  reads("\"a,b\",c\n", {{"a,b", "c"}});
  reads("\"a\nb\",c\nd,\"e\r\nf\"\n", {{"a\nb", "c"}, {"d", "e\r\nf"}});
  reads("\"a\"\"b\",\"\"\"\",\"\"\n", {{"a\"b", "\"", ""}});
  reads(" a , b \n", {{" a ", " b "}});
  reads("a\"b,c\"\n", {{"a\"b", "c\""}});
  reads(",\n,\n", {{"", ""}, {"", ""}});
  reads("a,\n", {{"a", ""}});
  reads("a,", {{"a", ""}});
  reads("\"\"\n\"\"", {{""}, {""}});
  reads("\n\na,b\n\r\nc,d\n\n", {{"a", "b"}, {"c", "d"}});
  reads("a\rb,c\n", {{"a\rb", "c"}});
  reads(
      "\xef\xbb\xbf"
      "a,\xc3\xa9\n",
      {{"a", "\xc3\xa9"}});
  reads("\xef\xbb\xbf\"a,b\",c\n", {{"a,b", "c"}});
}

TEST_CASE("tsv: a quote is a character, unless quotes=yes") {
  CHECK(rows_of("a.tsv", "a\t\"b\nc\"\t`` d\"\n", bare) == Rows{{"a", "\"b"}, {"c\"", "`` d\""}});
  O quotes = bare;
  quotes.quotes = O::Quotes::yes;
  CHECK(rows_of("a.tsv", "a\t\"b\tc\"\nd\"\te\r\n", quotes) == Rows{{"a", "b\tc"}, {"d\"", "e"}});
  O none = bare;
  none.quotes = O::Quotes::no;
  CHECK(rows_of("a.csv", "\"a,b\"\n", none) == Rows{{"\"a", "b\""}});
  CHECK(rows_of("a.tsv", "a\n\nb\n", bare) == Rows{{"a"}, {""}, {"b"}});
}

TEST_CASE("csv and tsv: the header, and columns by name and by number") {
  const std::string csv = "text,label\nhello,greeting\n";
  CHECK(rows_of("a.csv", csv, {.columns = {"label", "text"}}) == Rows{{"greeting", "hello"}});
  CHECK(rows_of("a.csv", csv, {.columns = {"2"}}) == Rows{{"label"}, {"greeting"}});
  CHECK(rows_of("a.csv", csv, {.columns = {"2"}, .header = O::Header::yes}) == Rows{{"greeting"}});
  CHECK(rows_of("a.csv", csv, {.columns = {"2", "text", "2"}}) == Rows{{"greeting", "hello", "greeting"}});
  CHECK(rows_of("a.csv", csv) == Rows{{"hello", "greeting"}});
  CHECK(rows_of("a.csv", csv, {.header = O::Header::no}) == Rows{{"text", "label"}, {"hello", "greeting"}});
  CHECK(rows_of("a.tsv", "a\tb\n") == Rows{{"a", "b"}});
  CHECK(rows_of("a.tsv", "a\tb\nc\td\n", {.columns = {"b"}}) == Rows{{"d"}});
  CHECK(rows_of("a.csv", "2,1\na,b\n", {.columns = {"2"}, .header = O::Header::yes}) == Rows{{"a"}});
  const Folder folder;
  RecordReader same({folder.write("a.csv", "a,,a\n1,2,3\n")}, {});
  CHECK(same.columns() == Row{"1", "2", "3"});
}

TEST_CASE("csv: a record is where it begins") {
  const Folder folder;
  CHECK(lines_read(folder.write("a.csv", "t,l\n\n\"a\nb\nc\",1\n\nd,2\n"), {}) == std::vector<int64_t>{3, 7});
}

TEST_CASE("csv and tsv: each error names its place") {
  const auto says = [](const std::string& name, const std::string& content, const std::string& text,
                       const O& options = {}) {
    CAPTURE(content);
    CHECK(refusal_of(name, content, options) == text);
  };
  says("a.csv", "text,label\nx,1\ny\n",
       "a.csv: line 3: has 1 column, not 2 as line 1; column 2 'label' is missing");
  says("a.csv", "text,label\nx,1,z\n",
       "a.csv: line 2: has 3 columns, not 2 as line 1; a field that holds ',' stands in quotes");
  says("a.tsv", "x\t1\ny\n", "a.tsv: line 2: has 1 column, not 2 as line 1; column 2 is missing");
  says("a.tsv", "x\t1\n\ny\t\"1\t2\"\n",
       "a.tsv: line 3: has 3 columns, not 2 as line 1; quotes=yes reads fields that stand in quotes");
  says("a.csv", "text,label\nx,\"1\ny,2\nz,3\n",
       "a.csv: line 2, column 2: a quote opens here, and the file ends before it closes");
  says(
      "a.csv", "a,b\n\"x\ny\" z,2\n",
      "a.csv: line 3, column 1: a quote closes the field, and ' ' follows; a quote inside a field is written "
      "twice, \"\"");
  says("a.csv", "a,b\nx,\"y\"\rz\n",
       "a.csv: line 2, column 2: a quote closes the field, and a carriage return follows; a quote inside a "
       "field "
       "is written twice, \"\"");
  says("a.csv", "text,label\nx,1\n",
       "a.csv: line 1: there is no column 'lable'; there are text, label; did you mean 'label'?",
       {.columns = {"text", "lable"}});
  says("a.csv", "a,b\nx,1\n", "a.csv: line 1: there is no column '3'; there are 1 to 2", {.columns = {"3"}});
  says("a.tsv", "good\tgreat\n",
       "a.tsv: line 1: there is no column 'label'; there are good, great; if the first row is no header, "
       "columns "
       "have numbers, from 1",
       {.columns = {"label"}});
  says("a.csv", "a,a\nx,1\n", "a.csv: line 1: columns 1 and 2 are both named 'a'; ask for one by its number",
       {.columns = {"a"}});
  says("a.csv", "a,b\nx,1\n",
       "a.csv: line 1: there is no column 'a'; there are 1 to 2; header=yes takes the names from the first "
       "row",
       {.columns = {"a"}, .header = O::Header::no});
  says("a.csv", "a,b\nx,\n",
       "a.csv: line 2, column b: is empty; empty=skip passes such records over, empty=keep takes them");
  says("a.csv", "a,b\nx,y\nz,\"\xc3\x28\"\n",
       "a.csv: line 3, column 2: not UTF-8 at byte 11 of the file; invalid=replace takes U+FFFD for it, and "
       "iconv "
       "-f WINDOWS-1252 -t UTF-8 a.csv -o a.csv.utf8 makes text of it, if that is its encoding");
  says("a.csv", std::string("a,b\nx\0,y\n", 9),
       "a.csv: line 2, column 1: a NUL at byte 5 of the file; a text has none",
       {.invalid = O::Invalid::replace});
  says("a.csv", "a,b\n", "a.csv: holds no record");
  says("a.csv", "", "a.csv: holds no record");
  says("a.csv", "a,b\nx,\"yyyy yyyy yyyy\n",
       "a.csv: line 2: the record that begins here has more than 8 bytes, the most one may have; is the "
       "quote in "
       "line 2, column 2, not closed?",
       {.most_bytes = 8});
  says("a.csv", "a,b\nx,yyyyyyyyyyyyyy\n",
       "a.csv: line 2: the record that begins here has more than 8 bytes, the most one may have",
       {.most_bytes = 8});
  // A row before the one that is wrong is given first.
  const Folder folder;
  RecordReader reader({folder.write("b.csv", "a,b\nx,y\nz\n")}, {});
  CHECK(reader.next()->fields == Row{"x", "y"});
  CHECK_THROWS_AS(reader.next(), FileError);
}

TEST_CASE("tsv and csv as others publish them") {
  if (const std::string train = real_data("trec/train.tsv"); !train.empty()) {
    const Rows rows = read_rows({train, real_data("trec/test.tsv")}, {.columns = {"1", "2"}});
    CHECK(rows.size() == 5452 + 500);
    std::set<std::string> labels;
    size_t quotes = 0;
    for (const Row& row : rows) {
      labels.insert(row[0]);
      quotes += row[1].find("``") != std::string::npos;
    }
    CHECK(labels == std::set<std::string>{"ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"});
    CHECK(quotes > 0);
  }
  if (const std::string train = real_data("subj/train.csv"); !train.empty()) {
    size_t subjective = 0;
    const Rows rows = read_rows({train}, {.columns = {"label", "text"}});
    for (const Row& row : rows) subjective += row[0] == "subjective";
    CHECK(rows.size() == 9002);
    CHECK(subjective == 4494);
  }
}

}  // namespace weft::test
