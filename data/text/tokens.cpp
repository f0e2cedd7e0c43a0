#include <weft/data/text/tokens.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

void check_range(const char* op, int64_t begin, size_t count, int64_t size) {
  if (begin < 0 || begin > size || static_cast<int64_t>(count) > size - begin)
    fail<ValueError>(op, ": ", count, " tokens from number ", begin, " on are not all among the ", size,
                     " there are");
}

int width_for(std::span<const int64_t> ids) {
  int64_t largest = 0;
  for (const int64_t id : ids) {
    if (id < 0 || id > int64_t{UINT32_MAX}) fail<ValueError>("MemoryTokens: id ", id, " is not in [0, 2^32)");
    largest = std::max(largest, id);
  }
  return id_width(largest + 1);
}

}  // namespace

void Tokens::read(int64_t begin, std::span<int64_t> out) const {
  check_range("Tokens", begin, out.size(), size());
  fetch(begin, out);
}

MemoryTokens::MemoryTokens(std::span<const int64_t> ids) : width_(width_for(ids)) {
  pack_ids(ids, width_, packed_);
}

MemoryTokens::MemoryTokens(std::string packed, int width) : packed_(std::move(packed)), width_(width) {}

int64_t MemoryTokens::size() const { return static_cast<int64_t>(packed_.size()) / width_; }

void MemoryTokens::fetch(int64_t begin, std::span<int64_t> out) const {
  unpack_ids(packed_.data() + begin * width_, width_, out);
}

void TokenRange::read(int64_t from, std::span<int64_t> out) const {
  check_range(name.c_str(), from, out.size(), size);
  tokens->read(begin + from, out);
}

TokenRange all_tokens(std::shared_ptr<const Tokens> tokens, std::string name) {
  const int64_t size = tokens->size();
  return {.tokens = std::move(tokens), .begin = 0, .size = size, .name = std::move(name)};
}

TokenSplit split_tokens(std::shared_ptr<const Tokens> tokens, const std::string& name) {
  const int64_t size = tokens->size();
  return split_tokens_at(size / 10 * 9 + size % 10 * 9 / 10, std::move(tokens), name);
}

TokenSplit split_tokens_at(int64_t train, std::shared_ptr<const Tokens> tokens, const std::string& name) {
  const int64_t size = tokens->size();
  return {.train = {tokens, 0, train, "the training part of " + name},
          .validation = {tokens, train, size - train, "the validation part of " + name}};
}

int id_width(int64_t vocab_size) { return vocab_size <= 1 << 8 ? 1 : vocab_size <= 1 << 16 ? 2 : 4; }

void pack_ids(std::span<const int64_t> ids, int width, std::string& packed) {
  packed.reserve(packed.size() + ids.size() * static_cast<size_t>(width));
  for (const int64_t id : ids)
    for (int byte = 0; byte < width; ++byte)
      packed += static_cast<char>(static_cast<uint8_t>(id >> (8 * byte)));
}

void unpack_ids(const char* packed, int width, std::span<int64_t> ids) {
  for (int64_t& id : ids) {
    id = 0;
    for (int byte = 0; byte < width; ++byte) id |= int64_t{static_cast<uint8_t>(*packed++)} << (8 * byte);
  }
}

}  // namespace weft
