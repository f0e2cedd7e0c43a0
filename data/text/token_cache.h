// Files of token ids, read with pread: what tokenize.h makes of texts once.
#pragma once

#include <weft/data/text/tokens.h>
#include <weft/lib/base/file.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A file of ids: magic, version, width and key; the ids, little-endian; their count and a digest of all
/// before it. It appears whole or not at all (AtomicFile).
class TokenCache : public Tokens {
 public:
  /// Opens a cache and checks every byte of it. FileError with the reason when it is missing, damaged, of
  /// another kind, or made from something else than what `key` (32 hexadecimal digits) names.
  TokenCache(const std::string& path, const std::string& key);

  int64_t size() const override { return count_; }
  const std::string& path() const { return file_.path(); }

 private:
  void fetch(int64_t begin, std::span<int64_t> out) const override;

  InputFile file_;
  int width_ = 1;
  int64_t count_ = 0;
};

/// Writes one. Killed before commit(), or by two processes at once, it leaves what was there, or one whole file.
class TokenCacheWriter {
 public:
  /// Numbers of `width` bytes: 1, 2, 4 or 8.
  TokenCacheWriter(const std::string& path, int width, const std::string& key);
  /// Packed by pack_ids.
  void add(std::string_view packed);
  void commit();

 private:
  void put(std::string_view bytes);

  AtomicFile file_;
  Hasher hasher_;
  int width_;
  int64_t count_ = 0;
};

/// The cache of that key when it is whole; else nothing, and why in `reason`, unless there is just none.
std::shared_ptr<const TokenCache> open_cache(const std::string& path, const std::string& key,
                                             std::string& reason);
/// The first cache of that name in one of the folders that is whole, under its name here too: one file with two names, as
/// nobody ever writes into it. Of another user, on another disk or damaged, it is not taken.
std::shared_ptr<const TokenCache> linked_cache(const std::string& path, const std::string& key,
                                               const std::vector<std::string>& folders);

}  // namespace weft
