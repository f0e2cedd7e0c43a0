// Token ids that are ready made, as other programs keep them.
//   .bin    nanoGPT: the ids alone, little-endian, 16 bits each (numpy's uint16 tofile); llm.c: 256 int32 before them:
//           20240520, 1, how many ids of 16 bits, or 20240801, 7, how many of 32
//   .npy    NumPy's file of one axis: uint8, uint16, uint32, int32 or int64
//   .h5     HDF5 with one dataset of int32 or int64 and one axis, or one that is called "ids"; read into memory
#pragma once

#include <weft/data/text/tokens.h>
#include <weft/lib/base/file.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// llm.c's files begin with 256 int32, of which the first three are magic, version and how many ids of `width` bytes
/// follow.
struct LlmcFile {
  uint32_t magic, version;
  int width;
};
inline constexpr LlmcFile llmc_files[] = {{20240520, 1, 2}, {20240801, 7, 4}};
inline constexpr size_t llmc_header_numbers = 256;

/// Ids in a file, read by pread.
class IdFile : public Tokens {
 public:
  /// FileError, beginning with the path, for what is none of the above, a header that does not fit the file, and a number
  /// of bytes that are no whole ids.
  explicit IdFile(std::string path);

  int64_t size() const override { return count_; }

 private:
  void fetch(int64_t begin, std::span<int64_t> out) const override;
  void read_bin_header();
  void read_npy_header();

  InputFile file_;
  uint64_t begin_ = 0;
  int width_ = 2;
  int64_t count_ = 0;
};

/// One row of ids behind the other.
class JoinedTokens : public Tokens {
 public:
  explicit JoinedTokens(std::vector<std::shared_ptr<const Tokens>> parts);
  int64_t size() const override { return ends_.empty() ? 0 : ends_.back(); }

 private:
  void fetch(int64_t begin, std::span<int64_t> out) const override;

  std::vector<std::shared_ptr<const Tokens>> parts_;
  std::vector<int64_t> ends_;
};

struct ReadyIds {
  std::shared_ptr<const Tokens> ids;
  std::string content_hash;  ///< of the ids, however they are kept
  int64_t largest = 0;
};
/// All files in order, with nothing between; each is read once, in bounded memory but for .h5. FileError as IdFile throws
/// them, for a file of another ending, and for an id below 0 or from 2^31 on, with its number.
ReadyIds read_ids(const std::vector<std::string>& paths);

}  // namespace weft
