// clang-format off
#include <weft/lib/isa/vec_avx512.h>
#include <weft/lib/isa/vector.h>
#include <weft/lib/isa/transpose.inc>
#include <weft/lib/isa/gemm_tile.inc>
#include <weft/lib/isa/gemm_pack.inc>
#include <weft/lib/isa/gemm_block.inc>
#include <weft/lib/isa/gemm_pairs.inc>
// clang-format on

#include <weft/lib/isa/table_functions.h>

namespace weft::isa {

constinit const PairFunctions avx512_bf16_functions = whole_pair_functions;

}  // namespace weft::isa
