// clang-format off
#include <weft/lib/isa/vec_avx2.h>
#include <weft/lib/isa/bodies.inc>
// clang-format on

namespace weft::isa {

constinit const Table avx2_table = functions;

}  // namespace weft::isa
