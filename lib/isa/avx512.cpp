// clang-format off
#include <weft/lib/isa/vec_avx512.h>
#include <weft/lib/isa/bodies.inc>
// clang-format on

namespace weft::isa {

constinit const Table avx512_table = functions;

}  // namespace weft::isa
