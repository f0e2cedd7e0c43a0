// The products of whole pairs as avx512_bf16.cpp makes them, by loops.
#include <cstdint>
// clang-format off
#include <weft/lib/isa/vec_scalar.h>
#include <weft/lib/isa/vector.h>
#include <weft/lib/isa/transpose.inc>
#include <weft/lib/isa/gemm_tile.inc>
#include <weft/lib/isa/gemm_pack.inc>
#include <weft/lib/isa/gemm_block.inc>
#include <weft/lib/isa/gemm_pairs.inc>
// clang-format on

#include "whole_pairs.h"

namespace weft::test {

const isa::PairFunctions& whole_pairs_by_loops() { return isa::whole_pair_functions; }

}  // namespace weft::test
