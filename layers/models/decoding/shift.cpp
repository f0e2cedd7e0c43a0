#include <weft/layers/models/decoding/shift.h>
#include <weft/lib/array/batch.h>

namespace weft {

Array shifted_right(const char* model, const Array& targets, int64_t start_id) {
  if (!targets.defined() || targets.rank() != 2)
    fail<ShapeError>(model, ": reads the targets too, but they are ",
                     targets.defined() ? str(targets.shape()) : "missing", ": needs (B, T)");
  Array ids(targets.shape(), int64);
  const int64_t* const written = targets.data<int64_t>();
  int64_t* const read = ids.mutable_data<int64_t>();
  const int64_t T = targets.dim(1);
  for (int64_t i = 0; i < targets.size(); ++i) {
    const bool first = i % T == 0;
    read[i] = first || written[i - 1] == Batch::ignored ? start_id : written[i - 1];
  }
  return ids;
}

}  // namespace weft
