#include <doctest/doctest.h>
#include <weft/data/text/byte_stream.h>
#include <weft/lib/base/error.h>

#include <random>
#include <string>
#include <vector>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

// gzip -n and zstd of "hello text\n".
const std::string gzipped(
    "\037\213\010\000\000\000\000\000\002\003\313\110\315\311\311\127\050\111\255\050\341\002\000\341\332\321"
    "\000\013\000\000\000",
    31);
const std::string zstandard(
    "\050\265\057\375\004\130\131\000\000\150\145\154\154\157\040\164\145\170\164\012\333\145\071\114", 24);

std::string all_of(const std::string& path, size_t at_once = 3) {
  ByteStream stream(path);
  std::string all, piece(at_once, '\0');
  for (;;) {
    const size_t got = stream.read({reinterpret_cast<uint8_t*>(piece.data()), piece.size()});
    all.append(piece, 0, got);
    if (got < piece.size()) return all;
  }
}

std::string error_of(const std::string& path) {
  return refusal<FileError>([&] { all_of(path); });
}

}  // namespace

TEST_CASE("byte stream: what is compressed comes decompressed, one stream behind the other") {
  const Folder folder;
  for (const size_t at_once : {1U, 3U, 11U, 100U}) {
    CHECK(all_of(folder.write("a", "hello text\n"), at_once) == "hello text\n");
    CHECK(all_of(folder.write("a.gz", gzipped), at_once) == "hello text\n");
    CHECK(all_of(folder.write("b.gz", gzipped + gzipped), at_once) == "hello text\nhello text\n");
    CHECK(all_of(folder.write("a.zst", zstandard), at_once) == "hello text\n");
    CHECK(all_of(folder.write("b.zst", zstandard + zstandard), at_once) == "hello text\nhello text\n");
  }
  // By name and by content: neither alone.
  CHECK(all_of(folder.write("c.gz", "plain")) == "plain");
  CHECK(all_of(folder.write("gz", gzipped)) == gzipped);
  CHECK(all_of(folder.write("empty.gz", "")).empty());
  CHECK(ByteStream(folder.path("a.gz")).beginning() == "hello text\n");
  CHECK(ByteStream(folder.path("a.gz")).is_compressed());
}

TEST_CASE("byte stream: what is cut or damaged is refused by name, never shortened in silence") {
  const Folder folder;
  for (const auto& [name, whole] :
       {std::pair{std::string("x.gz"), gzipped}, {std::string("x.zst"), zstandard}}) {
    for (size_t size = 4; size < whole.size(); ++size) {
      CAPTURE(size);
      const std::string path = folder.write(name, whole.substr(0, size));
      CHECK(error_of(path).starts_with(path + ": ends at byte "));
    }
    const std::string garbage = folder.write(name, whole + "garbage");
    CHECK(error_of(garbage).starts_with(garbage + ": is no "));
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
      std::string damaged = whole;
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      const std::string path = folder.write(name, damaged);
      const std::string error = error_of(path);  // a flag or the name in a header may change without harm
      CHECK((error == refusal<FileError>([] {}) || error.starts_with(path + ": ")));
    }
  }
}

}  // namespace weft::test
