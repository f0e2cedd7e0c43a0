#pragma once

#include <weft/lib/isa/table_functions.h>

namespace weft::test {

/// As avx512_bf16_functions, for every processor.
const isa::PairFunctions& whole_pairs_by_loops();

}  // namespace weft::test
