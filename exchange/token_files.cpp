#include <weft/data/text/id_file.h>
#include <weft/data/text/tokens.h>
#include <weft/exchange/token_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <array>

namespace weft {

TokenFileLayout token_file_layout_from(const std::string& name) {
  if (name == "nanogpt") return TokenFileLayout::nanogpt;
  if (name == "llm.c") return TokenFileLayout::llm_c;
  fail<ValueError>("layout of token ids: '", name, "' is neither nanogpt nor llm.c");
}

std::vector<int64_t> read_token_file(const std::string& path, int64_t vocab_size) {
  const IdFile file(path);
  std::vector<int64_t> ids(static_cast<size_t>(file.size()));
  file.read(0, ids);
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
    const LlmcFile& made = llmc_files[width == 2 ? 0 : 1];
    std::array<int64_t, llmc_header_numbers> header{};
    header[0] = made.magic;
    header[1] = made.version;
    header[2] = static_cast<int64_t>(ids.size());
    pack_ids(header, 4, packed);
  }
  pack_ids(ids, width, packed);
  write_file(path, packed);
}

}  // namespace weft
