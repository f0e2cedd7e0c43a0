// Bytes of a file that nobody vouches for: read within their bounds, each once, and refused by name. Internal to lib.
#pragma once

#include <weft/lib/base/error.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace weft::hdf5 {

/// Stretches of bytes, none of which overlap.
class Claims {
 public:
  /// False, and nothing is claimed, when one of these bytes has been claimed before.
  bool add(uint64_t begin, uint64_t size);

 private:
  std::map<uint64_t, uint64_t> ends_;  ///< by where they begin
};

class Fields;

/// The bytes of a file. What is taken is taken for good: so whatever the addresses in a file say, reading ends, and gives
/// no more than the file holds.
class UntrustedBytes {
 public:
  UntrustedBytes(std::span<const uint8_t> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  /// FileError that calls them `what` when they are not all there, or one was taken before.
  std::span<const uint8_t> take(uint64_t at, uint64_t size, const char* what);
  Fields fields(uint64_t at, uint64_t size, const char* what);

  uint64_t size() const { return bytes_.size(); }
  /// The object that is being read, as messages name it: "/model/weights".
  std::string place = {};
  /// FileError: "PATH: 'PLACE' is not as weft writes it: WHY".
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... why) const {
    fail<FileError>(path_, ": '", place.empty() ? "/" : place, "' is not as weft writes it: ", why...);
  }

 private:
  std::span<const uint8_t> bytes_;
  const std::string& path_;
  Claims claims_;
};

/// Little-endian numbers out of some bytes, one after the other. FileError, which calls the bytes `what`, where they end
/// before, or hold another number than the one expected.
class Fields {
 public:
  Fields(const UntrustedBytes& file, std::span<const uint8_t> bytes, const char* what)
      : file_(file), rest_(bytes), what_(what) {}

  std::span<const uint8_t> bytes(uint64_t size);
  uint64_t number(size_t width);
  template <std::unsigned_integral T>
  T number() {
    return static_cast<T>(number(sizeof(T)));
  }
  void expect(size_t width, uint64_t wanted, const char* name);
  void expect(std::string_view signature);
  /// All that is left is padding, of zeros.
  void expect_end();
  size_t left() const { return rest_.size(); }

 private:
  const UntrustedBytes& file_;
  std::span<const uint8_t> rest_;
  const char* what_;
};

/// Where nothing is.
constexpr uint64_t no_address = UINT64_MAX;

}  // namespace weft::hdf5
