#include <doctest/doctest.h>
#include <weft/data/text/foreign_file.h>
#include <weft/data/text/utf8.h>

#include <string>

using namespace weft;
using namespace std::string_literals;

namespace {

std::string said(const std::string& begin, const std::string& path = "a file") {
  const auto foreign = foreign_file(begin, path);
  return foreign ? foreign->what + "|" + foreign->remedy : "";
}

/// Characters in units of `width` bytes, without a mark.
std::string wide(const std::u32string& text, int width, bool big) {
  std::string all;
  for (const char32_t c : text)
    for (int i = 0; i < width; ++i)
      all += static_cast<char>(static_cast<uint8_t>(c >> (8 * (big ? width - 1 - i : i))));
  return all;
}

}  // namespace

TEST_CASE("files that are no text are known by their first bytes, with the line that makes text of them") {
  CHECK(said("\x1f\x8b\x08\0\0"s, "a.txt.gz") == "gzip-compressed|gunzip -k a.txt.gz");
  CHECK(said("\x1f\x8b\x08\0\0"s, "a b") == "gzip-compressed|gunzip -c < 'a b' > 'a b'.txt");
  CHECK(said("\x28\xb5\x2f\xfd"s, "a.zst") == "zstd-compressed|zstd -d a.zst");
  CHECK(said("\xfd\x37zXZ\0"s, "a.xz") == "xz-compressed|unxz -k a.xz");
  CHECK(said("BZh91AY&SY"s, "a.bz2") == "bzip2-compressed|bunzip2 -k a.bz2");
  CHECK(said("PK\x03\x04"s, "a.docx") == "a Word document|pandoc -t plain a.docx -o a.docx.txt");
  CHECK(said("PK\x03\x04"s, "a.zip") == "a zip archive|unzip a.zip");
  CHECK(said(std::string(257, '\0') + "ustar\0"s, "a.tar") == "a tar archive|tar -xf a.tar");
  CHECK(said("%PDF-1.4\n"s, "a.pdf") == "a PDF document|pdftotext a.pdf a.pdf.txt");
  CHECK(said("\x89PNG\r\n\x1a\n"s) == "a PNG image|");
  CHECK(said("\xff\xd8\xff\xe0"s) == "a JPEG image|");
  CHECK(said("RIFF....WAVEfmt "s) == "a WAVE sound|");
  CHECK(said("weft checkpoint\n\1\0\0"s) == "a checkpoint of weft|");
  CHECK(foreign_file("%PDF-", "a")->message("a") ==
        "a: is a PDF document, not text; pdftotext a a.txt makes text of it");
  CHECK(foreign_file("GIF89a", "a")->message("a") == "a: is a GIF image, not text");
}

TEST_CASE("wide encodings are known by their mark or by their zeros") {
  const std::u32string text = U"The quick brown fox, d\u00e9j\u00e0 vu.\n";
  CHECK(said("\xff\xfe"s + wide(text, 2, false), "a") == "in UTF-16|iconv -f UTF-16 -t UTF-8 a -o a.utf8");
  CHECK(said("\xfe\xff"s + wide(text, 2, true)).starts_with("in UTF-16|"));
  CHECK(said("\xff\xfe\0\0"s + wide(text, 4, false)).starts_with("in UTF-32|"));
  CHECK(said("\0\0\xfe\xff"s + wide(text, 4, true)).starts_with("in UTF-32|"));
  CHECK(said(wide(text, 2, false)).starts_with("in UTF-16LE|iconv -f UTF-16LE "));
  CHECK(said(wide(text, 2, true)).starts_with("in UTF-16BE|"));
  CHECK(said(wide(text, 4, false)).starts_with("in UTF-32LE|"));
  CHECK(said(wide(text, 4, true)).starts_with("in UTF-32BE|"));
}

TEST_CASE("text is text, whatever it begins with") {
  for (const std::string& text :
       {""s, "B"s, "\x1f"s, "PK"s, "BZh is a name\n"s, "II*"s, "GIF89 and 87\n"s, "RIFF raff\n"s,
        "%PDF is a format\n"s, "\xef\xbb\xbfmarked\n"s, "\u00e9t\u00e9 \u20ac\n"s,
        "one\0two\0three\0four\0five\0"s, std::string(100, '\0'), std::string(300, 'x') + "ustar"})
    CHECK_MESSAGE(said(text) == "", text);
  CHECK(looks_like_text("d\xe9j\xe0 vu\r\n"));
  CHECK_FALSE(looks_like_text("a\0b"s));
  CHECK_FALSE(looks_like_text("\x01"));
}
