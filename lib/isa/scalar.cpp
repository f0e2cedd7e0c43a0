// clang-format off
#include <weft/lib/isa/vec_scalar.h>
#include <weft/lib/isa/bodies.inc>
// clang-format on

namespace weft::isa {

constinit const Table scalar_table = functions;

}  // namespace weft::isa
