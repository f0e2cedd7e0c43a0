#include <weft/data/text/foreign_file.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace weft {
namespace {

using namespace std::string_view_literals;

/// Bytes at a place of the file. In a remedy, FILE is the file; where there is an ending, the first remedy is for a
/// file that has it, which the tool insists on.
struct Kind {
  size_t at;
  std::string_view bytes, what, ending, remedy, else_remedy = {};
};

constexpr std::array kinds = {
    Kind{0, "\x1f\x8b"sv, "gzip-compressed", ".gz", "gunzip -k FILE", "gunzip -c < FILE > FILE.txt"},
    Kind{0, "\x28\xb5\x2f\xfd"sv, "zstd-compressed", ".zst", "zstd -d FILE", "zstd -dc < FILE > FILE.txt"},
    Kind{0, "\xfd\x37zXZ\0"sv, "xz-compressed", ".xz", "unxz -k FILE", "unxz -c < FILE > FILE.txt"},
    Kind{4, "1AY&SY"sv, "bzip2-compressed", ".bz2", "bunzip2 -k FILE", "bunzip2 -c < FILE > FILE.txt"},
    Kind{0, "\x04\x22\x4d\x18"sv, "lz4-compressed", ".lz4", "lz4 -dk FILE", "lz4 -dc < FILE > FILE.txt"},
    Kind{0, "PK\x03\x04"sv, "a Word document", ".docx", "pandoc -t plain FILE -o FILE.txt"},
    Kind{0, "PK\x03\x04"sv, "a document of OpenOffice", ".odt", "pandoc -t plain FILE -o FILE.txt"},
    Kind{0, "PK\x03\x04"sv, "a book in EPUB", ".epub", "pandoc -t plain FILE -o FILE.txt"},
    Kind{0, "PK\x03\x04"sv, "a zip archive", "", "unzip FILE"},
    Kind{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", "", "7z x FILE"},
    Kind{0, "Rar!\x1a\x07"sv, "a rar archive", "", "unrar x FILE"},
    Kind{257, "ustar"sv, "a tar archive", "", "tar -xf FILE"},
    Kind{0, "%PDF-"sv, "a PDF document", "", "pdftotext FILE FILE.txt"},
    Kind{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, "an old document of Microsoft Office", "",
         "soffice --headless --convert-to txt:Text FILE"},
    Kind{0, "SQLite format 3\0"sv, "a database of SQLite", "", "sqlite3 FILE .dump > FILE.sql"},
    Kind{0, "weft checkpoint\n"sv, "a checkpoint of weft", "", ""},
    Kind{0, "weft ids"sv, "a cache of token ids", "", ""},
    Kind{0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file", "", ""},
    Kind{0, "\x93NUMPY"sv, "an array of NumPy", "", ""},
    Kind{0, "PAR1"sv, "a Parquet table", "", ""},
    Kind{0, "ARROW1\0"sv, "an Arrow table", "", ""},
    Kind{0, "\x89PNG\r\n\x1a\n"sv, "a PNG image", "", ""},
    Kind{0, "\xff\xd8\xff"sv, "a JPEG image", "", ""},
    Kind{0, "GIF87a"sv, "a GIF image", "", ""},
    Kind{0, "GIF89a"sv, "a GIF image", "", ""},
    Kind{0, "II*\0"sv, "a TIFF image", "", ""},
    Kind{0, "MM\0*"sv, "a TIFF image", "", ""},
    Kind{8, "WEBP"sv, "a WebP image", "", ""},
    Kind{8, "WAVEfmt "sv, "a WAVE sound", "", ""},
    Kind{0, "OggS\0"sv, "an Ogg sound", "", ""},
    Kind{0, "fLaC\0"sv, "a FLAC sound", "", ""},
    Kind{0, "ID3\x02"sv, "an MP3 sound", "", ""},
    Kind{0, "ID3\x03"sv, "an MP3 sound", "", ""},
    Kind{0, "ID3\x04"sv, "an MP3 sound", "", ""},
    Kind{4, "ftypmp4"sv, "an MP4 film", "", ""},
    Kind{4, "ftypiso"sv, "an MP4 film", "", ""},
    Kind{4, "ftypqt"sv, "a QuickTime film", "", ""},
    Kind{0,
         "\x7f"
         "ELF"sv,
         "a program", "", ""}};

std::string with_path(std::string_view remedy, const std::string& path) {
  std::string line(remedy);
  const std::string file = weft::quoted(path);
  for (size_t at = line.find("FILE"); at != std::string::npos; at = line.find("FILE", at + file.size()))
    line.replace(at, 4, file);
  return line;
}

/// "UTF-16LE" and the like for many zeros in the same places of every two or four bytes, few in the others.
std::string_view encoding_by_zeros(std::string_view begin) {
  constexpr size_t least = 16;
  const size_t units = begin.size() / 4;
  if (begin.size() < least) return {};
  std::array<size_t, 4> zeros{};
  for (size_t i = 0; i < 4 * units; ++i) zeros[i % 4] += begin[i] == '\0';
  const auto many = [&](size_t place) { return 10 * zeros[place] >= 7 * units; };
  const auto few = [&](size_t place) { return 20 * zeros[place] <= units; };
  if (few(0) && many(1) && many(2) && many(3)) return "UTF-32LE";
  if (many(0) && many(1) && many(2) && few(3)) return "UTF-32BE";
  if (few(0) && many(1) && few(2) && many(3)) return "UTF-16LE";
  if (many(0) && few(1) && many(2) && few(3)) return "UTF-16BE";
  return {};
}

std::string_view encoding_of(std::string_view begin) {
  if (begin.starts_with("\xff\xfe\0\0"sv) || begin.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (begin.starts_with("\xff\xfe"sv) || begin.starts_with("\xfe\xff"sv)) return "UTF-16";
  return encoding_by_zeros(begin);
}

/// A line, and the file that it ends with, if that is one that it makes of this.
Advice remedied(const std::string& line, const std::string& path) {
  Advice advice{.lines = {line}};
  for (const char* ending : {".txt", ".utf8"})
    if (line.ends_with(" " + weft::quoted(path) + ending)) {
      advice.typed = {path};
      advice.meant = {path + ending};
    }
  return advice;
}

}  // namespace

std::string beginning_of(const std::string& path) {
  const InputFile file(path);
  std::vector<uint8_t> bytes(std::min<uint64_t>(file.size(), foreign_file_bytes));
  file.read(0, bytes);
  return {bytes.begin(), bytes.end()};
}

std::string ForeignFile::message(const std::string& path) const {
  return str(path, ": is ", what, ", not text", remedy.empty() ? "" : str("; ", remedy, " makes text of it"));
}

Advice ForeignFile::advice(const std::string& path) const {
  if (what.ends_with(" image")) return {.settings = {"model=vit", "task=classify"}};
  if (what.ends_with(" sound")) return {.settings = {"model=speech", "task=classify"}};
  return remedy.empty() ? Advice() : remedied(remedy, path);
}

Advice recoding_advice(const std::string& encoding, const std::string& path) {
  return remedied(recoding_line(encoding, path), path);
}

std::string recoding_line(const std::string& encoding, const std::string& path) {
  return with_path(str("iconv -f ", encoding, " -t UTF-8 FILE -o FILE.utf8"), path);
}

bool looks_like_text(std::string_view begin) {
  return std::ranges::none_of(begin, [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte < 0x20 && (byte < '\t' || byte > '\r') && byte != 0x1b;
  });
}

std::optional<ForeignFile> foreign_file(std::string_view begin, const std::string& path) {
  for (const Kind& kind : kinds) {
    if (begin.size() < kind.at || !begin.substr(kind.at).starts_with(kind.bytes)) continue;
    const bool ends = path.ends_with(kind.ending);
    if (!ends && kind.else_remedy.empty()) continue;
    return ForeignFile{std::string(kind.what), with_path(ends ? kind.remedy : kind.else_remedy, path)};
  }
  if (const std::string_view encoding = encoding_of(begin.substr(0, foreign_file_bytes)); !encoding.empty())
    return ForeignFile{str("in ", encoding), recoding_line(std::string(encoding), path)};
  return {};
}

}  // namespace weft
