// Digests: 128-bit XXH3. They tell damage and name content; they are no defence against somebody who wants a
// collision.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// The digest's canonical (big-endian) bytes: the same on every machine.
using Digest = std::array<uint8_t, 16>;

Digest digest_of(std::span<const uint8_t> bytes);

/// 32 hexadecimal digits.
std::string to_hex(const Digest& digest);

/// The digest of bytes that come in pieces; the cut does not matter.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const uint8_t> bytes);
  void update(std::string_view text) {
    update(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
  /// Of all bytes so far; more may follow.
  Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
