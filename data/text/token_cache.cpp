#include <sys/stat.h>
#include <unistd.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/bytes.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace weft {
namespace {

constexpr std::string_view magic = "weft ids";
constexpr int64_t version = 1;
constexpr size_t key_bytes = 32;
constexpr size_t header_bytes = magic.size() + 16 + key_bytes;
constexpr size_t digest_bytes = std::tuple_size_v<Digest>;
constexpr size_t footer_bytes = 8 + digest_bytes;

std::string packed_number(int64_t value) {
  std::string bytes;
  pack_ids({&value, 1}, 8, bytes);
  return bytes;
}

int64_t number_at(const uint8_t* bytes) {
  int64_t value = 0;
  unpack_ids(reinterpret_cast<const char*>(bytes), 8, {&value, 1});
  return value;
}

std::string header_of(int width, const std::string& key) {
  return std::string(magic) + packed_number(version) + packed_number(width) + key;
}

}  // namespace

TokenCacheWriter::TokenCacheWriter(const std::string& path, int width, const std::string& key)
    : file_(path), width_(width) {
  put(header_of(width, key));
}

void TokenCacheWriter::add(std::string_view packed) {
  count_ += static_cast<int64_t>(packed.size()) / width_;
  put(packed);
}

void TokenCacheWriter::commit() {
  put(packed_number(count_));
  file_.write(hasher_.digest());
  file_.commit();
}

void TokenCacheWriter::put(std::string_view bytes) {
  hasher_.update(bytes_of(bytes));
  file_.write(bytes);
}

std::shared_ptr<const TokenCache> open_cache(const std::string& path, const std::string& key,
                                             std::string& reason) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
  try {
    return std::make_shared<TokenCache>(path, key);
  } catch (const FileError& damage) {
    reason = damage.what();
    return nullptr;
  }
}

std::shared_ptr<const TokenCache> linked_cache(const std::string& path, const std::string& key,
                                               const std::vector<std::string>& folders) {
  const std::string name = path.substr(path.rfind('/'));
  for (const std::string& folder : folders) {
    const std::string other = folder + name;
    struct stat status {};
    if (::stat(other.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
      continue;
    // One that is there, and damaged, gives way; a process that made it meanwhile is as good.
    std::string ignored;
    if (!open_cache(path, key, ignored)) ::unlink(path.c_str());
    if (::link(other.c_str(), path.c_str()) != 0 && errno != EEXIST) continue;
    if (auto cache = open_cache(path, key, ignored)) return cache;
    ::unlink(path.c_str());
  }
  return nullptr;
}

TokenCache::TokenCache(const std::string& path, const std::string& key) : file_(path) {
  const auto refuse = [&](const auto&... why) {
    fail<FileError>(path, ": no cache of token ids that can be used: ", why...);
  };
  if (file_.size() < header_bytes + footer_bytes) refuse("only ", file_.size(), " bytes long");
  std::vector<uint8_t> header(header_bytes), footer(footer_bytes);
  file_.read(0, header);
  file_.read(file_.size() - footer_bytes, footer);
  if (std::memcmp(header.data(), magic.data(), magic.size()) != 0) refuse("it does not begin as one");
  const uint8_t* fields = header.data() + magic.size();
  if (number_at(fields) != version) refuse("version ", number_at(fields), ", not ", version);
  const int64_t width = number_at(fields + 8);
  if (width != 1 && width != 2 && width != 4 && width != 8) refuse("ids of ", width, " bytes");
  if (key.size() != key_bytes || std::memcmp(fields + 16, key.data(), key_bytes) != 0)
    refuse("made from another text or for another tokenizer");
  const auto id_bytes = static_cast<int64_t>(file_.size() - header_bytes - footer_bytes);
  count_ = number_at(footer.data());
  if (id_bytes % width != 0 || count_ != id_bytes / width)
    refuse("cut or damaged: ", count_, " ids announced, ", id_bytes / width, " found");
  width_ = static_cast<int>(width);

  Hasher hasher;
  const uint64_t hashed = file_.size() - digest_bytes;
  std::vector<uint8_t> bytes(std::min<uint64_t>(hashed, 1 << 20));
  for (uint64_t at = 0; at < hashed; at += bytes.size()) {
    const std::span part(bytes.data(), std::min<uint64_t>(bytes.size(), hashed - at));
    file_.read(at, part);
    hasher.update(part);
  }
  if (!std::ranges::equal(hasher.digest(), std::span(footer).last(digest_bytes)))
    refuse("damaged: its digest differs");
}

void TokenCache::fetch(int64_t begin, std::span<int64_t> out) const {
  std::string bytes(out.size() * static_cast<size_t>(width_), '\0');
  file_.read(header_bytes + static_cast<uint64_t>(begin * width_),
             {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  unpack_ids(bytes.data(), width_, out);
}

}  // namespace weft
