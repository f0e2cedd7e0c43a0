#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/data/text/text.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include "folder.h"

using namespace weft;

namespace {

std::string read_all(TextReader& text) {
  std::string all;
  for (std::string_view piece = text.next(); !piece.empty(); piece = text.next()) all += piece;
  return all;
}

std::string message_of(const std::vector<std::string>& paths, TextReader::Options options = {}) {
  try {
    TextReader text(paths, options);
    read_all(text);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("files are joined with nothing between, whatever the pieces, and no character is cut") {
  const Folder folder;
  const std::string a = "one \u00e9\u20ac\U0001F600 two", b = "\U0001F600",
                    c = "\nthree \u20ac\u20ac\u20ac\n";
  const std::vector<std::string> paths{folder.write("a", a), folder.write("b", b), folder.write("c", c)};
  TextReader whole(paths, {});
  CHECK(read_all(whole) == a + b + c);
  for (int64_t piece_bytes = 4; piece_bytes < 40; ++piece_bytes) {
    TextReader text(paths, {.piece_bytes = piece_bytes});
    CHECK(text.size() == 0);
    std::string all;
    for (std::string_view piece = text.next(); !piece.empty(); piece = text.next()) {
      CHECK((static_cast<uint8_t>(piece[0]) & 0xc0) != 0x80);
      CHECK(piece.size() <= static_cast<size_t>(piece_bytes));
      all += piece;
    }
    CHECK(all == a + b + c);
    CHECK(text.size() == static_cast<int64_t>(all.size()));
    CHECK(text.next().empty());
    CHECK(text.content_hash() == whole.content_hash());
  }
}

TEST_CASE("the content hash knows the bytes and not how they are cut into files") {
  const Folder folder;
  const auto hash = [](const std::vector<std::string>& paths) {
    TextReader text(paths, {});
    read_all(text);
    return text.content_hash();
  };
  const std::string ab = hash({folder.write("ab", "hello world")});
  CHECK(ab.size() == 32);
  CHECK(hash({folder.write("a", "hello "), folder.write("b", "world")}) == ab);
  CHECK(hash({folder.path("b"), folder.path("a")}) != ab);
}

TEST_CASE("what cannot be read is refused with its path") {
  const Folder folder;
  CHECK_THROWS_AS(TextReader({}, {}), ValueError);
  CHECK_THROWS_AS(TextReader({folder.write("x", "x")}, {.piece_bytes = 3}), ValueError);
  const std::string empty = folder.write("empty", "");
  CHECK(message_of({empty}) == empty + ": is empty; a text needs at least one character");
  CHECK(message_of({empty, empty, empty}) ==
        empty + ": is empty, as are the 2 after it; a text needs at least one character");
  CHECK(message_of({folder.path("none")}).starts_with(folder.path("none") + ": "));
  std::filesystem::create_directory(folder.path("below"));
  CHECK(message_of({folder.path("below")}) == folder.path("below") + ": is a folder without a file");
  CHECK(message_of({folder.path("*.none")}) == folder.path("*.none") + ": matches no file");
  CHECK(message_of({"/dev/zero"}).starts_with("/dev/zero: "));
  const std::string pipe = folder.path("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(message_of({pipe}).starts_with(pipe));
}

TEST_CASE("empty files among others are passed over, and named") {
  const Folder folder;
  const std::string empty = folder.write("empty", ""), none = folder.write("none", "");
  const std::vector<std::string> paths{empty, folder.write("a", "ab"), none,
                                       empty, folder.write("b", "cd"), none};
  for (const int64_t piece_bytes : {4, 100}) {
    TextReader text(paths, {.piece_bytes = piece_bytes});
    CHECK(text.next() == "ab");
    CHECK(text.file() == 1);
    CHECK(text.next() == "cd");
    CHECK(text.path() == paths[4]);
    CHECK(text.next().empty());
    CHECK(text.next().empty());
    CHECK(text.notes().empty_files == std::vector<std::string>{empty, none, empty, none});
  }
  TextReader without({paths[1], paths[4]}, {}), with(paths, {});
  CHECK(read_all(without) == read_all(with));
  CHECK(without.content_hash() == with.content_hash());
}

TEST_CASE("more files than may be open at once") {
  const Folder folder;
  std::vector<std::string> paths;
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += str(i, "\n");
    paths.push_back(folder.write(str("part", i), str(i, "\n")));
  }
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{40, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  std::string found, message = message_of(paths);
  if (message.empty()) {
    TextReader text(paths, {});
    found = read_all(text);
  }
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(message == "");
  CHECK(found == all);
}

TEST_CASE("a file that is another one when its turn comes is refused") {
  const Folder folder;
  const std::string a = folder.write("a", "aaaa"), b = folder.write("b", "bbbb");
  const auto after = [&](auto change) {
    folder.write("b", "bbbb");
    TextReader text({a, b}, {});
    text.next();
    change();
    try {
      text.next();
    } catch (const FileError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string changed = b + ": changed while the text was read; start again when nothing writes to it";
  CHECK(after([] {}) == "");
  CHECK(after([&] { folder.write("b", "longer"); }) == changed);
  CHECK(after([&] { folder.write("b", ""); }) == changed);
  CHECK(after([&] { std::filesystem::rename(folder.write("c", "cccc"), b); }) == changed);
  CHECK(after([&] { std::filesystem::remove(b); }).starts_with(b + ": cannot be opened"));
}

TEST_CASE("a file that shrinks under the reading is an error, not a crash") {
  const Folder folder;
  const std::string path = folder.write("text", std::string(100000, 'x'));
  TextReader text({path}, {.piece_bytes = 100});
  text.next();
  REQUIRE(truncate(path.c_str(), 50000) == 0);
  CHECK_THROWS_AS(read_all(text), FileError);
}

TEST_CASE("bad UTF-8 is refused with its offset in its file, wherever the pieces end") {
  const Folder folder;
  const std::string good = folder.write("good", "abc\u00e9");
  for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xe2\x82", "\xf0\x9f\x98", "\x80"})
    for (const char* rest : {"", "x", "xyz and more"})
      for (int64_t piece_bytes = 4; piece_bytes < 20; ++piece_bytes) {
        const std::string path = folder.write("bad", std::string("12345\u20ac7") + bad + rest);
        CHECK(
            message_of({good, path}, {.piece_bytes = piece_bytes}) ==
            path +
                ": not UTF-8 at byte 9; tokenizer=byte takes any bytes, and iconv -f WINDOWS-1252 -t UTF-8 " +
                path + " -o " + path + ".utf8 makes text of it, if that is its encoding");
        CHECK(message_of({good, path}, {.utf8 = false, .piece_bytes = piece_bytes}) == "");
      }
}

TEST_CASE("what is no text at all is said to be what it is, and taken with a note by those who take bytes") {
  const Folder folder;
  const std::string packed = folder.write("packed.xz", std::string("\xfd"
                                                                   "7zXZ\0\xff",
                                                                   7)),
                    wide = folder.write("wide", std::string("\xff\xfeh\0i\0", 6)),
                    bare = folder.write("bare", std::string("t\0h\0e\0 \0t\0e\0x\0t\0", 16)),
                    noise = folder.write("noise", std::string("ab\0\x01\xff", 5));
  const std::string message =
      packed + ": is xz-compressed, not text; unxz -k " + packed + " makes text of it";
  CHECK(message_of({packed}) == message);
  CHECK(message_of({wide}) == wide + ": is in UTF-16, not text; iconv -f UTF-16 -t UTF-8 " + wide + " -o " +
                                  wide + ".utf8 makes text of it");
  CHECK(message_of({noise}) == noise + ": not UTF-8 at byte 4; tokenizer=byte takes any bytes");
  TextReader bytes({packed, noise}, {.utf8 = false});
  read_all(bytes);
  CHECK(bytes.notes().foreign_files == std::vector<std::string>{message});
  // These bytes are UTF-8 too: zeros are characters.
  TextReader zeros({bare}, {.piece_bytes = 4});
  CHECK(read_all(zeros).size() == 16);
  REQUIRE(zeros.notes().foreign_files.size() == 1);
  CHECK(zeros.notes().foreign_files[0].find("is in UTF-16LE") != std::string::npos);
}

TEST_CASE("a NUL is refused where it is asked for, with file and byte, in pieces of any size") {
  const Folder folder;
  const std::string good = folder.write("good", "some text\n"),
                    bad = folder.write("bad", std::string("abcdefghij\0k\0", 13));
  for (const int64_t piece : {4, 7, 1 << 20}) {
    CHECK(message_of({good, bad}, {.refuse_nul = true, .piece_bytes = piece}) ==
          bad + ": a NUL at byte 10, which no text has; tokenizer=byte and tokenizer=bpe take any bytes");
    TextReader any({good, bad}, {.piece_bytes = piece});
    CHECK(read_all(any).size() == 23);
  }
  // What it is instead of a text is told where that is known.
  const std::string wide = folder.write("wide", std::string("t\0h\0e\0 \0t\0e\0x\0t\0", 16));
  CHECK(message_of({wide}, {.refuse_nul = true}).find("is in UTF-16LE, not text; iconv") !=
        std::string::npos);
}

TEST_CASE("a character may not lie across two files") {
  const Folder folder;
  const std::string first = folder.write("first", "a\xe2\x82"), second = folder.write("second", "\xac b");
  CHECK(message_of({first, second})
            .starts_with(first + ": not UTF-8 at byte 1; tokenizer=byte takes any bytes"));
  TextReader bytes({first, second}, {.utf8 = false});
  CHECK(read_all(bytes) == "a\u20ac b");
}

TEST_CASE("random bytes are taken or refused alike in every cut") {
  const Folder folder;
  constexpr std::string_view parts[] = {"a",          "\n",           "\r",   "\u00e9", "\u20ac",
                                        "\U0001F600", "\xef\xbb\xbf", "\xe2", "\xff"};
  for (uint64_t i = 0; i < 150; ++i) {
    std::string content;
    const uint64_t kinds = i % 3 == 0 ? std::size(parts) : std::size(parts) - 2;
    for (uint64_t draw = 0; draw < 20; ++draw) content += parts[integer_at({7, 7}, i, draw, kinds)];
    const std::string path = folder.write("random", content), wanted = message_of({path});
    for (int64_t piece_bytes = 4; piece_bytes < 12; ++piece_bytes)
      CHECK(message_of({path}, {.piece_bytes = piece_bytes}) == wanted);
  }
}

TEST_CASE("byte-order marks and carriage returns are counted, and altered only when asked") {
  const Folder folder;
  const std::string dos = "\xef\xbb\xbfone\r\ntwo\r\n\xef\xbb\xbf", mac = "\r\r\r\rx\r";
  const std::vector<std::string> paths{folder.write("dos", dos), folder.write("mac", mac)};
  for (const int64_t piece_bytes : {4, 5, 1000})
    for (const bool utf8 : {true, false}) {
      TextReader keep(paths, {.utf8 = utf8, .piece_bytes = piece_bytes});
      CHECK(read_all(keep) == dos + mac);
      TextReader lf(paths, {.utf8 = utf8, .newlines = Newlines::lf, .piece_bytes = piece_bytes});
      CHECK(read_all(lf) == "\xef\xbb\xbfone\ntwo\n\xef\xbb\xbfx");
      for (const TextReader* text : {&keep, &lf}) {
        CHECK(text->notes().byte_order_marks == 1);
        CHECK(text->notes().carriage_returns == 7);
      }
      CHECK(keep.content_hash() == lf.content_hash());
    }
  CHECK(newlines_from("lf") == Newlines::lf);
  CHECK(newlines_from(name_of(Newlines::keep)) == Newlines::keep);
  CHECK_THROWS_WITH_AS(newlines_from("crlf"), "newlines: must be keep or lf, not 'crlf'", ValueError);
}

TEST_CASE("progress counts every byte") {
  const Folder folder;
  std::vector<int64_t> done;
  TextReader text({folder.write("a", std::string(10, 'a')), folder.write("b", std::string(5, 'b'))},
                  {.piece_bytes = 4, .progress = [&](int64_t bytes, int64_t size) {
                     CHECK(size == 15);
                     done.push_back(bytes);
                   }});
  read_all(text);
  CHECK(done == std::vector<int64_t>{4, 8, 10, 14, 15});
}
