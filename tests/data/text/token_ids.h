// The ids of tokens, to compare.
#pragma once

#include <weft/data/text/tokens.h>

#include <cstdint>
#include <vector>

namespace weft::test {

inline std::vector<int64_t> ids_of(const Tokens& tokens) {
  std::vector<int64_t> ids(static_cast<size_t>(tokens.size()));
  tokens.read(0, ids);
  return ids;
}

}  // namespace weft::test
