// Files that are given for texts and are none: what they are by their first bytes, and how text is made of them.
#pragma once

#include <weft/lib/base/advice.h>

#include <optional>
#include <string>
#include <string_view>

namespace weft {

struct ForeignFile {
  std::string what;  ///< "gzip-compressed", "a PNG image"
  std::string
      remedy;  ///< a line for a shell that makes text of it: "gunzip -k corpus.txt.gz"; empty: nothing does

  /// "a.gz: is gzip-compressed, not text; gunzip -k a.gz makes text of it".
  std::string message(const std::string& path) const;
  /// The remedy, and the file that it makes in the place of this one; of pictures and sounds the models that read them.
  Advice advice(const std::string& path) const;
};

/// Bytes that foreign_file() looks at.
inline constexpr size_t foreign_file_bytes = 4096;
/// These of a file. FileError for one that cannot be read.
std::string beginning_of(const std::string& path);

/// Of a file at `path` that begins with these bytes: compressed files and archives, documents, pictures, sound, tables,
/// programs, checkpoints of ours, and UTF-16 and UTF-32, with a byte-order mark or by their many zeros. None for what
/// may be text in UTF-8 or of any 8-bit encoding.
std::optional<ForeignFile> foreign_file(std::string_view begin, const std::string& path);

/// The line that makes UTF-8 of a text in another encoding: "iconv -f WINDOWS-1252 -t UTF-8 a.txt -o a.txt.utf8".
std::string recoding_line(const std::string& encoding, const std::string& path);
/// Advice to do so.
Advice recoding_advice(const std::string& encoding, const std::string& path);
/// Whether bytes that are not UTF-8 look like text of an 8-bit encoding all the same: without zeros and the like.
bool looks_like_text(std::string_view begin);

}  // namespace weft
