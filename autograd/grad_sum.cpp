#include <weft/autograd/grad_sum.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/reduce.h>

#include <algorithm>
#include <cstring>

namespace weft {

Array& GradSum::whole(const Shape& shape, DType dtype) {
  if (!whole_.defined()) {
    Array sum = Array::zeros(shape, dtype);
    add_to(sum);
    whole_ = sum;
    rows_ = {};
    ids_.clear();
    place_.clear();
  }
  return whole_;
}

Array& GradSum::room(const Shape& shape, DType dtype, bool& fresh) {
  fresh = !whole_.defined() && ids_.empty();
  if (!fresh) return whole(shape, dtype);
  return whole_ = Array(shape, dtype);
}

void GradSum::add_rows(const Array& ids, const Array& rows, const Shape& shape) {
  if (whole_.defined()) return kernels::add_rows(whole_, ids, rows);
  const Array wide = ids.to(int64);
  Array places(ids.shape(), int64);
  int64_t* const place = places.mutable_data<int64_t>();
  for (int64_t i = 0; i < ids.size(); ++i) {
    const int64_t id = wide.data<int64_t>()[i];
    const auto [found, first] = place_.try_emplace(id, static_cast<int64_t>(ids_.size()));
    if (first) ids_.push_back(id);
    place[i] = found->second;
  }
  const auto wanted = static_cast<int64_t>(ids_.size());
  const DType dtype = rows.dtype() == bfloat16 ? float32 : rows.dtype();
  if (!rows_.defined() || rows_.dim(0) < wanted) {
    const int64_t had = rows_.defined() ? rows_.dim(0) : 0;
    Array more = Array::zeros({std::max(wanted, std::min(2 * had, shape[0])), shape[1]}, dtype);
    if (had > 0) std::memcpy(more.mutable_bytes(), rows_.bytes(), rows_.nbytes());
    rows_ = more;
  }
  kernels::add_rows(rows_, places, rows);
}

void GradSum::add_to(Array& total) const {
  if (whole_.defined()) return kernels::add_into(total, whole_);
  if (ids_.empty()) return;
  const auto count = static_cast<int64_t>(ids_.size());
  kernels::add_rows(total, Array::from(ids_, {count}), kernels::slice(rows_, 0, 0, count));
}

}  // namespace weft
