// Token ids, wherever they lie: in memory or in a file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// A row of ids that does not change. Any number of threads may read it.
class Tokens {
 public:
  virtual ~Tokens() = default;
  virtual int64_t size() const = 0;
  /// The ids [begin, begin + out.size()). ValueError when they are not all there.
  void read(int64_t begin, std::span<int64_t> out) const;

 private:
  virtual void fetch(int64_t begin, std::span<int64_t> out) const = 0;
};

/// Ids in memory, in as few bytes as the largest needs (1, 2 or 4). ValueError on an id below 0 or beyond 32
/// bits.
class MemoryTokens : public Tokens {
 public:
  explicit MemoryTokens(std::span<const int64_t> ids);
  MemoryTokens(std::string packed, int width);  ///< packed as pack_ids does
  int64_t size() const override;

 private:
  void fetch(int64_t begin, std::span<int64_t> out) const override;

  std::string packed_;
  int width_;
};

/// Where something was read.
struct TokenPlace {
  std::string file;
  int64_t line = 0;   ///< from 1; of a record, in which that begins
  int64_t byte = -1;  ///< of the text in the file, from 0; -1 in a record
  bool operator==(const TokenPlace&) const = default;
};
/// Knows where the tokens of a row come from.
class TokenOrigin {
 public:
  virtual ~TokenOrigin() = default;
  /// Of each token, by its number; they need not be in order. FileError when the files are not there any more.
  virtual std::vector<TokenPlace> places(std::span<const int64_t> tokens) const = 0;
};

/// A stretch [begin, begin + size) of a row of ids, with a name for messages.
struct TokenRange {
  std::shared_ptr<const Tokens> tokens;
  int64_t begin = 0;
  int64_t size = 0;
  std::string name = "the tokens";
  std::shared_ptr<const TokenOrigin> origin = nullptr;  ///< none: nobody knows

  /// Ids at [from, from + out.size()) of the stretch. ValueError when they are not all there.
  void read(int64_t from, std::span<int64_t> out) const;
};
/// All of them.
TokenRange all_tokens(std::shared_ptr<const Tokens> tokens, std::string name = "the tokens");

struct TokenSplit {
  TokenRange train;
  TokenRange validation;
};
/// The first floor(0.9 n) train, the rest validate. `name` is said in messages: the path, say.
TokenSplit split_tokens(std::shared_ptr<const Tokens> tokens, const std::string& name = "the tokens");
/// The first `train` train.
TokenSplit split_tokens_at(int64_t train, std::shared_ptr<const Tokens> tokens,
                           const std::string& name = "the tokens");

/// Bytes an id takes for a vocabulary of that size: 1, 2 or 4.
int id_width(int64_t vocab_size);
/// Appends ids as little-endian integers of `width` bytes.
void pack_ids(std::span<const int64_t> ids, int width, std::string& packed);
void unpack_ids(const char* packed, int width, std::span<int64_t> ids);

}  // namespace weft
