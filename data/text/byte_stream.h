// The bytes of a file one after another, decompressed where the file is compressed.
#pragma once

#include <weft/lib/base/file.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// Files whose names end in .gz or .zst, and that begin as such do, give what was compressed; all others give their
/// bytes. FileError, beginning with the path, as InputFile, and for a compressed file that is damaged or ends early.
class ByteStream {
 public:
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;

  /// The next bytes; fewer than fit only at the end.
  size_t read(std::span<uint8_t> out);
  /// The first bytes, at most as many as foreign_file() looks at, whatever has been read.
  const std::string& beginning() const { return beginning_; }
  bool is_compressed() const;
  const FileIdentity& identity() const { return file_.identity(); }
  /// Bytes of the file itself that have been read; some more than were needed where it is compressed.
  int64_t consumed() const { return decoder_ ? at_ : at_ - static_cast<int64_t>(beginning_.size() - begun_); }

  /// What makes bytes of those that are in the file.
  class Decoder;

 private:
  size_t read_more(std::span<uint8_t> out);
  size_t read_file(std::span<uint8_t> out);

  InputFile file_;
  int64_t at_ = 0;
  std::string beginning_;
  size_t begun_ = 0;  ///< of the beginning, handed out
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace weft
