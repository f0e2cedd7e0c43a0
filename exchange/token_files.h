// Token ids as nanoGPT and llm.c keep them, both ways: little-endian, 16 bits an id, or 32.
//   nanoGPT   the ids alone, as numpy's uint16 tofile writes them (train.bin, val.bin)
//   llm.c     256 int32 before them: 20240520, 1, how many ids (16 bits); 20240801, 7, how many (32 bits)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

enum class TokenFileLayout { nanogpt, llm_c };
/// "nanogpt", "llm.c"; ValueError on another text.
TokenFileLayout token_file_layout_from(const std::string& name);

/// The ids of a file, whose layout is told by how it begins. FileError, beginning with the path, for a header that does
/// not fit the file, an odd number of bytes, and an id that is not below `vocab_size`.
std::vector<int64_t> read_token_file(const std::string& path, int64_t vocab_size);

/// `vocab_size` tells whether an id takes 16 bits or, of llm.c alone, 32; ValueError for more in nanoGPT's layout. The
/// file appears whole or not at all.
void write_token_file(const std::string& path, std::span<const int64_t> ids, int64_t vocab_size,
                      TokenFileLayout layout);

}  // namespace weft
