#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/npy.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
/// NumPy's own limit on headers that it reads.
constexpr uint64_t longest_header = 10000;

constexpr std::array<std::pair<std::string_view, DType>, 5> types = {
    {{"<f4", float32}, {"<f8", float64}, {"<i4", int32}, {"<i8", int64}, {"|b1", boolean}}};

/// Reads the header: a Python literal of one dictionary with three known keys.
class Header {
 public:
  Header(const std::string& path, std::string_view text) : path_(path), rest_(text) {
    expect('{');
    bool seen[3] = {false, false, false};
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      const size_t which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (which == 3 || std::exchange(seen[which], true)) refuse();
      if (which == 0) read_type();
      if (which == 1) read_order();
      if (which == 2) read_shape();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (!rest_.empty() || !seen[0] || !seen[1] || !seen[2]) refuse();
  }

  DType type = float32;
  std::vector<int64_t> extents;

 private:
  [[noreturn]] void refuse() const { fail<FileError>(path_, ": is damaged: its header is none of NumPy's"); }
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse();
  }
  bool take_word(std::string_view word) {
    skip();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string_view quoted() {
    expect('\'');
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) refuse();
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  void read_type() {
    skip();
    if (!rest_.starts_with('\'')) fail<FileError>(path_, ": holds records; give a plain array");
    const std::string_view name = quoted();
    const auto found = std::ranges::find(types, name, &std::pair<std::string_view, DType>::first);
    if (found == types.end())
      fail<FileError>(path_, ": holds '", name, "'; numpy.save(path, x.astype('<f4')) makes it readable");
    type = found->second;
  }
  void read_order() {
    if (take_word("False")) return;
    if (!take_word("True")) refuse();
    fail<FileError>(path_,
                    ": is in Fortran order; numpy.save(path, numpy.ascontiguousarray(x)) makes it readable");
  }
  void read_shape() {
    expect('(');
    while (!take(')')) {
      skip();
      int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || extent < 0) refuse();
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      extents.push_back(extent);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string& path_;
  std::string_view rest_;
};

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

/// Bytes of such an array; more than any file has when they, or those of a part of it, cannot be counted.
uint64_t bytes_of(const Header& header) {
  uint64_t bytes = size_of(header.type);
  bool empty = false;
  for (const int64_t extent : header.extents) {
    empty = empty || extent == 0;
    const auto times = static_cast<uint64_t>(std::max<int64_t>(extent, 1));
    if (bytes > static_cast<uint64_t>(INT64_MAX) / times) return UINT64_MAX;
    bytes *= times;
  }
  return empty ? 0 : bytes;
}

}  // namespace

Array read_npy(const std::string& path) {
  const InputFile file(path);
  std::array<uint8_t, 8> start{};
  if (file.size() >= start.size()) file.read(0, start);
  if (std::memcmp(start.data(), magic.data(), magic.size()) != 0)
    fail<FileError>(path, ": is not an array of NumPy (.npy); numpy.save(path, x) makes one");
  if (start[6] < 1 || start[6] > 3)
    fail<FileError>(path, ": is of version ", int{start[6]}, " of NumPy's format; 1, 2 and 3 are known");
  std::array<uint8_t, 4> length{};
  const std::span<uint8_t> width(length.data(), start[6] == 1 ? 2 : 4);
  file.read(start.size(), width);
  const uint64_t header_bytes = little_endian(width), data = start.size() + width.size() + header_bytes;
  if (header_bytes > longest_header || data > file.size())
    fail<FileError>(path, ": is damaged: its header would have ", header_bytes, " bytes");
  std::vector<uint8_t> text(header_bytes);
  file.read(start.size() + width.size(), text);
  const Header header(path, {reinterpret_cast<const char*>(text.data()), text.size()});
  if (header.extents.size() > static_cast<size_t>(Shape::max_rank))
    fail<FileError>(path, ": has ", header.extents.size(), " axes; at most ", Shape::max_rank, " are read");
  const uint64_t wanted = bytes_of(header);
  if (wanted != file.size() - data)
    fail<FileError>(path, ": is damaged: has ", file.size() - data, " bytes of values, not ", wanted);
  Array array(Shape(header.extents), header.type);
  file.read(data, {static_cast<uint8_t*>(array.mutable_bytes()), array.nbytes()});
  if (header.type == boolean)  // any other byte than 0 and 1 would be no bool at all
    for (int64_t i = 0; i < array.size(); ++i)
      if (static_cast<const uint8_t*>(array.bytes())[i] > 1)
        fail<FileError>(path, ": is damaged: value ", i, " is neither true nor false");
  return array;
}

void write_npy(const std::string& path, const Array& array) {
  const auto type = std::ranges::find(types, array.dtype(), &std::pair<std::string_view, DType>::second);
  std::string shape = "(";
  for (const int64_t extent : array.shape()) shape += str(extent, ", ");
  std::string header = str("{'descr': '", type->first, "', 'fortran_order': False, 'shape': ", shape, "), }");
  // Values begin at a multiple of 64 bytes.
  const size_t before = magic.size() + 4;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  AtomicFile file(path);
  file.write(magic);
  const uint8_t version_and_length[] = {1, 0, static_cast<uint8_t>(header.size() & 0xff),
                                        static_cast<uint8_t>(header.size() >> 8)};
  file.write(version_and_length);
  file.write(header);
  file.write({static_cast<const uint8_t*>(array.bytes()), array.nbytes()});
  file.commit();
}

}  // namespace weft
