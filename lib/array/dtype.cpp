#include <weft/lib/array/dtype.h>

namespace weft {

namespace {
thread_local DType current_default = float32;
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::int32:
      return "int32";
    case DType::int64:
      return "int64";
    case DType::bfloat16:
      return "bfloat16";
    default:
      return "bool";
  }
}

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::bfloat16:
      return 2;
    default:
      return 1;
  }
}

DType default_dtype() { return current_default; }

DTypeScope::DTypeScope(DType dtype) : before_(current_default) {
  if (dtype != float32 && dtype != float64)
    fail<TypeError>("DTypeScope: needs float32 or float64, not ", dtype);
  current_default = dtype;
}

DTypeScope::~DTypeScope() { current_default = before_; }

}  // namespace weft
