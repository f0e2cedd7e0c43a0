#include <weft/data/text/tokens.h>
#include <weft/exchange/token_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <array>

namespace weft {
namespace {

constexpr size_t header_numbers = 256, header_bytes = 4 * header_numbers;
constexpr uint32_t magic_16 = 20240520, magic_32 = 20240801;
constexpr uint32_t version_16 = 1, version_32 = 7;

uint32_t number_at(std::span<const uint8_t> bytes, size_t place) {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) number = number << 8 | bytes[4 * place + i];
  return number;
}

}  // namespace

TokenFileLayout token_file_layout_from(const std::string& name) {
  if (name == "nanogpt") return TokenFileLayout::nanogpt;
  if (name == "llm.c") return TokenFileLayout::llm_c;
  fail<ValueError>("layout of token ids: '", name, "' is neither nanogpt nor llm.c");
}

std::vector<int64_t> read_token_file(const std::string& path, int64_t vocab_size) {
  const std::vector<uint8_t> bytes = read_file(path);
  size_t begin = 0, width = 2;
  if (bytes.size() >= header_bytes) {
    const uint32_t magic = number_at(bytes, 0), version = number_at(bytes, 1), count = number_at(bytes, 2);
    if (magic == magic_16 || magic == magic_32) {
      const uint32_t wanted = magic == magic_16 ? version_16 : version_32;
      if (version != wanted)
        fail<FileError>(path, ": is of llm.c's version ", version, "; weft knows ", wanted);
      width = magic == magic_16 ? 2 : 4;
      begin = header_bytes;
      if (bytes.size() - begin != width * count)
        fail<FileError>(path, ": says it has ", count, " ids, but holds ", bytes.size() - begin, " bytes of ",
                        width, " each");
    }
  }
  if ((bytes.size() - begin) % width != 0)
    fail<FileError>(path, ": has ", bytes.size(), " bytes, not a whole number of ids of ", width);
  std::vector<int64_t> ids((bytes.size() - begin) / width);
  unpack_ids(reinterpret_cast<const char*>(bytes.data()) + begin, static_cast<int>(width), ids);
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocab_size)
      fail<FileError>(path, ": id ", i, " is ", ids[i], ", of a tokenizer of ", vocab_size,
                      "; it was written with another tokenizer");
  return ids;
}

void write_token_file(const std::string& path, std::span<const int64_t> ids, int64_t vocab_size,
                      TokenFileLayout layout) {
  const int width = vocab_size <= 1 << 16 ? 2 : 4;
  if (layout == TokenFileLayout::nanogpt && width > 2)
    fail<ValueError>("nanoGPT's files have 16 bits an id, too few for ", vocab_size,
                     " tokens; llm.c's have 32");
  std::string packed;
  if (layout == TokenFileLayout::llm_c) {
    if (ids.size() > UINT32_MAX) fail<ValueError>("a file of llm.c holds at most ", UINT32_MAX, " ids");
    std::array<int64_t, header_numbers> header{};
    header[0] = width == 2 ? magic_16 : magic_32;
    header[1] = width == 2 ? version_16 : version_32;
    header[2] = static_cast<int64_t>(ids.size());
    pack_ids(header, 4, packed);
  }
  pack_ids(ids, width, packed);
  write_file(path, packed);
}

}  // namespace weft
