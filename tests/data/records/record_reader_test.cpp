#include <weft/data/records/record_reader.h>
#include <weft/lib/base/error.h>

#include <nlohmann/json.hpp>
#include <random>

#include "checks.h"
#include "reading.h"

namespace weft::test {
namespace {

using O = RecordOptions;

/// What a field may hold in a format: characters between which it has to tell.
std::string random_field(std::mt19937& random, const std::vector<std::string>& parts) {
  std::string field;
  for (auto n = random() % 8; n > 0; --n) field += parts[random() % parts.size()];
  return field;
}

Rows random_rows(std::mt19937& random, const std::vector<std::string>& parts, size_t width) {
  Rows rows(1 + random() % 6, Row(width));
  for (Row& row : rows)
    for (std::string& field : row) field = random_field(random, parts);
  return rows;
}

std::string csv_of(const Rows& rows, std::mt19937& random, char delimiter) {
  const char* const end = random() % 2 == 0 ? "\n" : "\r\n";
  std::string text = random() % 4 == 0 ? "\xef\xbb\xbf" : "";
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += delimiter;
      const bool must =
          row[i].empty() || row[i].find_first_of(std::string("\r\n\"") + delimiter) != row[i].npos;
      if (!must && random() % 2 == 0) {
        text += row[i];
        continue;
      }
      text += '"';
      for (const char c : row[i]) text += c == '"' ? "\"\"" : std::string(1, c);
      text += '"';
    }
    text += end;
  }
  return text;
}

std::string lines_of_rows(const Rows& rows, const std::string& delimiter, const char* end) {
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) text += (i > 0 ? delimiter : "") + row[i];
    text += end;
  }
  return text;
}

nlohmann::json json_of(const Row& row) {
  nlohmann::json object;
  for (size_t i = 0; i < row.size(); ++i) object["a"]["c" + std::to_string(i)] = row[i];
  return object;
}

const std::vector<std::string> plain_parts = {"a",  " ",  "\"", "'", ",", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                              "\\", "\r."};

}  // namespace

TEST_CASE("records: random tables come back from each format, however they are cut") {
  std::mt19937 random(1);
  std::vector<std::string> any = plain_parts;
  any.insert(any.end(), {"\n", "\r", "\r\n", "\t", "{", "]", "\x01"});
  const O options{.header = O::Header::no, .empty = O::Empty::keep, .quotes = O::Quotes::yes};
  O bare = options;
  bare.quotes = O::Quotes::no;
  for (int i = 0; i < 150; ++i) {
    CAPTURE(i);
    const size_t width = 1 + random() % 3;
    const Rows rows = random_rows(random, any, width), plain = random_rows(random, plain_parts, width + 1);
    CHECK(rows_of("a.csv", csv_of(rows, random, ','), options) == rows);
    CHECK(rows_of("a.tsv", csv_of(rows, random, '\t'), options) == rows);
    CHECK(rows_of("a.tsv", lines_of_rows(plain, "\t", i % 2 == 0 ? "\n" : "\r\n"), bare) == plain);
    std::string lines;
    nlohmann::json array = nlohmann::json::array();
    for (const Row& row : rows) {
      lines += json_of(row).dump() + "\n";
      array.push_back(json_of(row));
    }
    CHECK(rows_of("a.jsonl", lines, options) == rows);
    CHECK(rows_of("a.json", array.dump(i % 3 - 1), options) == rows);
    const Rows one = random_rows(random, plain_parts, 1);
    CHECK(rows_of("a.txt", lines_of_rows(one, "", "\n"), options) == one);
  }
}

TEST_CASE("records: several files, each with its header; their order of columns is their own") {
  const Folder folder;
  folder.with("d/a.csv", "t,l\nx,1\n")
      .with("d/b.csv", "l,t\n2,y\n")
      .with("d/c.csv", "")
      .with("e.csv", "t\nz\n");
  CHECK(read_rows({folder.path("d")}, {.columns = {"t", "l"}}) == Rows{{"x", "1"}, {"y", "2"}});
  CHECK(read_rows({folder.path("d/*.csv")}) == Rows{{"x", "1"}, {"y", "2"}});
  refuses<FileError>(
      [&] {
        read_rows({folder.path("d/a.csv"), folder.path("e.csv")});
      },
      {folder.path("e.csv") + ": line 1: there is no column 'l'"});
  folder.with("f.tsv", "1\t2\n").with("g.tsv", "1\n");
  refuses<FileError>(
      [&] {
        read_rows({folder.path("f.tsv"), folder.path("g.tsv")});
      },
      {folder.path("g.tsv") + ": line 1: there is no column '2'"});
}

TEST_CASE("records: the format is what the ending says, or what is told") {
  const Folder folder;
  folder.with("a.data", "x,1\n")
      .with("b.tsv", "x\t1\n")
      .with("c.csv", "x,1\n")
      .with("C.csv.gz", "x,1\ny,2\n");
  CHECK(read_rows({folder.path("a.data")}, {.format = "csv", .header = O::Header::no}) == Rows{{"x", "1"}});
  CHECK(read_rows({folder.path("C.csv.gz")}) == Rows{{"y", "2"}});
  refuses<ValueError>([&] { read_rows({folder.path("a.data")}); },
                      {"a.data: its ending names no format; format= says it: csv, tsv, jsonl, json, txt"});
  refuses<ValueError>(
      [&] {
        read_rows({folder.path("b.tsv"), folder.path("c.csv")});
      },
      {"c.csv: its ending says csv, that of ", "b.tsv tsv"});
  refuses<ValueError>([&] { read_rows({folder.path("c.csv")}, {.format = "cvs"}); },
                      {"there is no format 'cvs'; did you mean 'csv'?"});
}

TEST_CASE("records: JSON that is given as something else is told, with what reads it") {
  const std::string lines = "{\"text\": \"a, b\"}\n{\"text\": \"c\"}\n";
  CHECK(refusal_of("a.txt", lines) ==
        "a.txt: line 1: does not look like txt; its lines are JSON objects: format=jsonl reads them; "
        "format=txt "
        "takes it as it is");
  CHECK(rows_of("a.txt", lines, {.format = "txt"}).size() == 2);
  CHECK(rows_of("a.txt", lines, {.format = "jsonl"}) == Rows{{"a, b"}, {"c"}});
  CHECK(refusal_of("a.txt", lines, {.format = "csv", .columns = {"text"}})
            .ends_with("format=jsonl reads them"));
  CHECK(refusal_of("a.txt", " [\n {\"text\": 1}]") ==
        "a.txt: line 1: does not look like txt; it is a JSON array: format=json reads it; format=txt takes "
        "it as "
        "it is");
  CHECK(rows_of("a.txt", "[sic] a text\n{so}\n").size() == 2);
}

TEST_CASE("records: bytes that are not UTF-8 are replaced if asked, and counted") {
  const Folder folder;
  for (const int64_t piece : {4, 5, 1000}) {
    RecordReader reader({folder.write("a.txt", "a\xff\xe2\x82z\n\xc3\xa9\xe2\x82")},
                        {.invalid = O::Invalid::replace, .piece_bytes = piece});
    CHECK(reader.next()->fields == Row{"a\ufffd\ufffd\ufffdz"});
    CHECK(reader.next()->fields == Row{"\u00e9\ufffd\ufffd"});
    CHECK_FALSE(reader.next());
    CHECK(reader.notes().replaced == 5);
  }
  CHECK(refusal_of("a.txt", std::string("\xff\xfe"
                                        "a\0b\0",
                                        6))
            .starts_with("a.txt: is in UTF-16, not text; iconv"));
}

TEST_CASE("records: a gzip that ends early is refused") {
  const std::string whole(
      "\037\213\010\000\000\000\000\000\002\003\313\110\315\311\311\127\050\111\255\050\341\002"
      "\000\341\332\321\000\013\000\000\000",
      31);
  const Folder folder;
  CHECK(read_rows({folder.write("a.txt.gz", whole)}) == Rows{{"hello text"}});
  folder.write("b.txt.gz", whole.substr(0, 25));
  refuses<FileError>([&] { read_rows({folder.path("b.txt.gz")}); },
                     {"b.txt.gz: ends at byte 25, in the middle of what is compressed"});
}

TEST_CASE("records: a line of 100 MB is refused before it is in memory") {
  const Folder folder;
  const std::string path = folder.write("a.txt", "x\n" + std::string(100 << 20, 'y') + "\n");
  RecordReader reader({path}, {});
  CHECK(reader.next());
  refuses<FileError>([&] { reader.next(); },
                     {path + ": line 2: the record that begins here has more than 67,108,864 bytes"});
}

TEST_CASE("records: hash, bytes and progress") {
  const Folder folder;
  const auto hash = [&](const std::vector<std::string>& names, int64_t piece) {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(folder.path(name));
    int64_t done = 0, all = 0;
    RecordReader reader(paths, {.piece_bytes = piece, .progress = [&](int64_t d, int64_t a) {
                                  done = d;
                                  all = a;
                                }});
    CHECK_THROWS_AS(reader.content_hash(), StateError);
    while (reader.next()) {
    }
    CHECK(done == all);
    CHECK(reader.bytes() == all);
    return reader.content_hash();
  };
  folder.with("a.txt", "x\ny\n").with("b.txt", "x\ny\n").with("c.txt", "x\n").with("d.txt", "y\n");
  CHECK(hash({"a.txt"}, 4) == hash({"b.txt"}, 1000));
  CHECK(hash({"a.txt"}, 4) != hash({"c.txt", "d.txt"}, 4));
  CHECK(hash({"c.txt", "d.txt"}, 4) != hash({"d.txt", "c.txt"}, 4));
}

TEST_CASE("records: a format of a user's own") {
  struct Words : RowReader {
    explicit Words(RecordSource& lines) : source(lines) {}
    std::vector<std::string> columns() override { return {"word"}; }
    bool next(std::vector<std::string>& fields, int64_t& line) override {
      line = source.line_number();
      std::string text;
      if (!source.line(text)) return false;
      fields = {text + "!"};
      return true;
    }
    RecordSource& source;
  };
  register_record_format({.name = "words", .endings = {".words"}, .open = [](auto sources, const O&) {
                            return std::make_unique<Words>(sources[0]);
                          }});
  CHECK(rows_of("a.words", "a\nb") == Rows{{"a!"}, {"b!"}});
}

}  // namespace weft::test
