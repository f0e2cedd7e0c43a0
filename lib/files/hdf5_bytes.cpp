#include <weft/lib/files/hdf5_bytes_internal.h>

#include <algorithm>

namespace weft::hdf5 {

bool Claims::add(uint64_t begin, uint64_t size) {
  if (size == 0) return true;
  const auto next = ends_.upper_bound(begin);
  if (next != ends_.end() && next->first - begin < size) return false;
  if (next != ends_.begin() && std::prev(next)->second > begin) return false;
  ends_.emplace_hint(next, begin, begin + size);
  return true;
}

std::span<const uint8_t> UntrustedBytes::take(uint64_t at, uint64_t size, const char* what) {
  if (at > bytes_.size() || size > bytes_.size() - at)
    refuse("its ", what, " would be ", size, " bytes at ", at, ", beyond the ", bytes_.size(), " there are");
  if (!claims_.add(at, size))
    refuse("its ", what, ", ", size, " bytes at ", at, ", would lie on bytes that hold something else");
  return bytes_.subspan(at, size);
}

Fields UntrustedBytes::fields(uint64_t at, uint64_t size, const char* what) {
  return {*this, take(at, size, what), what};
}

std::span<const uint8_t> Fields::bytes(uint64_t size) {
  if (size > rest_.size()) file_.refuse("its ", what_, " ends too early");
  const auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

uint64_t Fields::number(size_t width) {
  const auto from = bytes(width);
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | from[i];
  return value;
}

void Fields::expect(size_t width, uint64_t wanted, const char* name) {
  if (const uint64_t found = number(width); found != wanted)
    file_.refuse("the ", name, " of its ", what_, " is ", found, ", not ", wanted);
}

void Fields::expect(std::string_view signature) {
  const auto found = bytes(signature.size());
  if (!std::ranges::equal(found, signature, {}, {}, [](char c) { return static_cast<uint8_t>(c); }))
    file_.refuse("there is no ", what_, " where it should be");
}

void Fields::expect_end() {
  if (std::ranges::any_of(rest_, [](uint8_t byte) { return byte != 0; }))
    file_.refuse("its ", what_, " goes on where it should end");
}

}  // namespace weft::hdf5
