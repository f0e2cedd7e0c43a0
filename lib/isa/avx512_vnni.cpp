// clang-format off
#include <weft/lib/isa/vec_avx512.h>
#include <weft/lib/isa/vector.h>
#include <weft/lib/isa/int8.inc>
// clang-format on

#include <weft/lib/isa/table_functions.h>

namespace weft::isa {

constinit const Int8Functions avx512_vnni_functions = int8_functions_here;

}  // namespace weft::isa
