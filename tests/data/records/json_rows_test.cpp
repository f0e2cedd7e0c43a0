#include <weft/lib/base/error.h>

#include "checks.h"
#include "reading.h"

namespace weft::test {
namespace {

using O = RecordOptions;

}  // namespace

TEST_CASE("jsonl: keys are columns, nested ones by dots, elements by number") {
  const std::string content =
      "{\"a\": \"x\\n\\u00e9\\ud83d\\ude00\", \"b\": {\"c\": 1, \"d\": [true, {\"e\": -2.50}]}}\r\n\n"
      "  {\"b\":{\"d\":[false,{\"e\":1e5}],\"c\":null},\"a\":\"\"}";
  CHECK(rows_of("a.jsonl", content, {.columns = {"b.d.2.e", "a", "b.c", "b.d.1"}, .empty = O::Empty::keep}) ==
        Rows{{"-2.50", "x\n\xc3\xa9\xf0\x9f\x98\x80", "1", "true"}, {"1e5", "", "", "false"}});
  const Folder folder;
  RecordReader all({folder.write("a.jsonl", content)}, {.empty = O::Empty::skip});
  CHECK(all.columns() == Row{"a", "b.c", "b.d.1", "b.d.2.e"});
  CHECK(all.next()->place.line == 1);
  CHECK_FALSE(all.next());
  CHECK(all.notes().skipped == 1);
  CHECK(rows_of("a.ndjson", "[\"x\",3]\n[\"y\",18446744073709551616]\n", {.columns = {"2", "1"}}) ==
        Rows{{"3", "x"}, {"18446744073709551616", "y"}});
}

TEST_CASE("jsonl: a list or an object may be a column as it is, when that is asked for") {
  const std::string content =
      "{\"m\": [ {\"role\": \"user\", \"n\": 1.5}, \"\\u00e9\" ], \"t\": \"x\"}\n"
      "{\"t\": \"[1]\", \"m\": {}}\n";
  CHECK(rows_of("a.jsonl", content, {.columns = {"t", "m"}, .nested = true}) ==
        Rows{{"x", "[{\"n\":1.5,\"role\":\"user\"},\"\xc3\xa9\"]"}, {"[1]", "{}"}});
  CHECK(rows_of("a.json", "[" + content.substr(0, content.find('\n')) + "]",
                {.columns = {"m"}, .nested = true}) ==
        Rows{{"[{\"n\":1.5,\"role\":\"user\"},\"\xc3\xa9\"]"}});
  refuses<FileError>([&] { rows_of("a.jsonl", content, {.columns = {"m"}}); },
                     {"a.jsonl: line 1, column m", "holds more than one value"});
  refuses<FileError>(
      [&] { rows_of("a.jsonl", "{\"m\":[]}\n{\"n\":[1]}\n", {.columns = {"m"}, .nested = true}); },
      {"a.jsonl: line 2", "no column 'm'"});
  refuses<FileError>(
      [&] { rows_of("a.jsonl", "{\"m\":[\"\\u0000\"]}\n", {.columns = {"m"}, .nested = true}); },
      {"a.jsonl: line 1", "NUL"});
}

TEST_CASE("json: an array of objects, however it is laid out") {
  CHECK(rows_of("a.json", " [\n{\"t\": \"a,]}\\\"\\\\\"},{\"t\":\"b\"} ,\n\n {\"t\":\n\"c\"}\n]\n ",
                {.columns = {"t"}}) == Rows{{"a,]}\"\\"}, {"b"}, {"c"}});
  CHECK(rows_of("a.json", "\xef\xbb\xbf[[1,2],[3,4]]") == Rows{{"1", "2"}, {"3", "4"}});
  const Folder folder;
  CHECK(lines_read(folder.write("a.json", "[\n{\"t\":1},{\"t\":2},\n\n {\"t\":\n3}]")) ==
        std::vector<int64_t>{2, 2, 4});
}

TEST_CASE("jsonl and json: each error names its place") {
  const auto says = [](const std::string& name, const std::string& content, const std::string& text,
                       const O& options = {}) {
    CAPTURE(content);
    CHECK(refusal_of(name, content, options) == text);
  };
  says("a.jsonl", "{\"a\":1}\n{\"a\":x}\n", "a.jsonl: line 2: is no JSON at byte 6 of the line");
  says("a.jsonl", "{\"a\":1}\n{\"a\":1\n", "a.jsonl: line 2: is no JSON at byte 7 of the line");
  says("a.jsonl", "{\"a\":1} {\"a\":2}\n", "a.jsonl: line 1: is no JSON at byte 9 of the line");
  says("a.jsonl", "{\"a\":1}\n\"x\"\n", "a.jsonl: line 2: is one value, not an object with a key a column");
  says("a.jsonl", "{\"a\":1,\"b\":1,\"a\":2}\n", "a.jsonl: line 1: holds 'a' twice");
  says("a.jsonl", "{\"a\":\"x\\u0000\"}\n", "a.jsonl: line 1: 'a' holds a NUL; a text has none");
  says("a.jsonl", "{\"a\":\"\\ud800\"}\n", "a.jsonl: line 1: is no JSON at byte 13 of the line");
  says("a.jsonl", "{\"a\":1e999}\n", "a.jsonl: line 1: holds a number that is out of range");
  says("a.jsonl", "{\"text\":1}\n{\"test\":1,\"b\":2}\n",
       "a.jsonl: line 2: there is no column 'text'; there are test, b; did you mean 'test'?");
  says("a.jsonl", "{\"text\":1}\n", "a.jsonl: line 1: there is no column 'label'; there is text",
       {.columns = {"label"}, .empty = O::Empty::keep});
  says("a.jsonl", "{\"a\":{\"b\":1}}\n",
       "a.jsonl: line 1, column a: holds more than one value; ask for one of them, a.b say",
       {.columns = {"a"}});
  says("a.jsonl", "{\"a\":null}\n",
       "a.jsonl: line 1, column a: is empty; empty=skip passes such records over, empty=keep takes them");
  says("a.jsonl", "{}\n", "a.jsonl: line 1: holds no field");
  says("a.jsonl", "[\n{\"a\":1}\n]\n",
       "a.jsonl: line 1: is no JSON at byte 2 of the line; it is a JSON array: format=json reads it");
  says("a.json", "{\"a\":1}\n", "a.json: line 1: is no JSON array; format=jsonl reads objects one a line");
  says("a.json", "[{\"a\":1},\n{\"a\":\n x}]", "a.json: line 3: is no JSON at byte 18 of the file");
  says("a.json", "[{\"a\":1},\n]", "a.json: line 2: is no JSON at byte 11 of the file");
  says("a.json", "[{\"a\":1}\n",
       "a.json: line 1: the file ends in the middle of the record that begins here, or before its ']'");
  says("a.json", "[{\"a\":1}]\nx", "a.json: line 2: something follows the end of the array");
  says("a.json", "[{\"a\":1},}]", "a.json: line 1: is no JSON at byte 10 of the file");
  says("a.json", "[]", "a.json: holds no record");
  says("a.jsonl", std::string(300, '[') + "\n", "a.jsonl: line 1: is nested deeper than 256");
  says("a.json", "[{\"a\":\"xxxxxxxxxxxx\"}]",
       "a.json: line 1: the record that begins here has more than 8 bytes, the most one may have",
       {.most_bytes = 8});
  says("a.jsonl", "{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n",
       "a.jsonl: line 2: not UTF-8 at byte 16 of the file; invalid=replace takes U+FFFD for it, and iconv -f "
       "WINDOWS-1252 -t UTF-8 a.jsonl -o a.jsonl.utf8 makes text of it, if that is its encoding");
}

TEST_CASE("jsonl as others publish it") {
  const std::string train = real_data("gsm8k/train.jsonl");
  if (train.empty()) return;
  const Rows rows = read_rows({train}, {.columns = {"question", "answer"}});
  CHECK(rows.size() == 7473);
  for (const Row& row : rows) REQUIRE(row[1].find("\n#### ") != std::string::npos);
}

}  // namespace weft::test
