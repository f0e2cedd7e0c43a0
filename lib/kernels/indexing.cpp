#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

namespace weft::kernels {

namespace {

/// The ids as int64, all in [0, count).
Array checked_ids(const char* op, const Array& ids, int64_t count) {
  if (ids.dtype() != int64 && ids.dtype() != int32)
    fail<TypeError>(op, ": ids are int64 or int32, not ", ids.dtype());
  const Array wide = ids.to(int64);
  const auto values = wide.values<int64_t>();
  const auto outside =
      std::find_if(values.begin(), values.end(), [count](int64_t id) { return id < 0 || id >= count; });
  if (outside == values.end()) return wide;
  const Strides strides = dense_strides(ids.shape());
  Strides place{};
  for (int i = 0; i < ids.rank(); ++i) {
    const auto axis = static_cast<size_t>(i);
    place[axis] = (outside - values.begin()) / strides[axis] % ids.shape()[i];
  }
  fail<ValueError>(op, ": the id ", *outside, " at ",
                   Shape(std::span<const int64_t>(place.data(), static_cast<size_t>(ids.rank()))), " of ",
                   ids.shape(), " lies outside [0, ", count, ")");
}

/// I + (row extents): the shape of one row of a table for each id.
Shape rows_shape(const char* op, const Shape& table, const Shape& ids) {
  if (table.rank() == 0) fail<ShapeError>(op, ": the table needs an axis of rows, it is ()");
  Shape shape = ids;
  for (int i = 1; i < table.rank(); ++i) shape = shape.inserted(shape.rank(), table[i]);
  return shape;
}

int64_t row_size(const Shape& table) { return table.with(0, 1).size(); }

/// gather and scatter_add pair the elements of `part`, which has the extents of the index, with those of
/// `whole`.
int checked_index(const char* op, const Shape& whole, int axis, const Array& index) {
  const int place = normal_axis(op, axis, whole.rank());
  if (index.dtype() != int64) fail<TypeError>(op, ": the index is int64, not ", index.dtype());
  bool fits = index.rank() == whole.rank();
  for (int i = 0; fits && i < whole.rank(); ++i) fits = i == place || index.shape()[i] <= whole[i];
  if (!fits)
    fail<ShapeError>(op, ": the index ", index.shape(), " does not fit ", whole, " around axis ", place);
  checked_ids(op, index, whole[place]);
  return place;
}

}  // namespace

Array take_rows(const Array& weight, const Array& ids) {
  Array y(rows_shape("take_rows", weight.shape(), ids.shape()), weight.dtype());
  const Array rows = checked_ids("take_rows", ids, weight.dim(0));
  const KernelScope profile("take_rows", 0, ids, y, y);
  const int64_t length = row_size(weight.shape());
  visit_dtype(weight.dtype(), [&]<class T>(T) {
    const T* from = weight.data<T>();
    const int64_t* row = rows.data<int64_t>();
    T* to = y.mutable_data<T>();
    parallel_for(rows.size(), tile_of_items(length), [=](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) std::copy_n(from + row[n] * length, length, to + n * length);
    });
  });
  return y;
}

void add_rows(Array& into, const Array& ids, const Array& rows) {
  const Shape wanted = rows_shape("add_rows", into.shape(), ids.shape());
  if (!(rows.shape() == wanted)) {
    fail<ShapeError>("add_rows: into ", into.shape(), " by ids ", ids.shape(), " go rows ", wanted, ", not ",
                     rows.shape());
  }
  if (rows.dtype() == bfloat16 && into.dtype() == float32) return add_rows(into, ids, rows.to(float32));
  if (rows.dtype() != into.dtype())
    fail<TypeError>("add_rows: into is ", into.dtype(), ", rows are ", rows.dtype());
  const Array row_of = checked_ids("add_rows", ids, into.dim(0));
  const KernelScope profile("add_rows", 0, rows, ids, rows, rows);
  const int64_t length = row_size(into.shape()), count = ids.size();
  visit_floating("add_rows", into.dtype(), [&]<class T>(T) {
    T* to = into.mutable_data<T>();
    const T* from = rows.data<T>();
    const int64_t* id = row_of.data<int64_t>();
    // Tiles of columns, so that each thread meets the ids in order; never less than a cache line of each row.
    const int64_t tile = std::max<int64_t>(16, tile_of_items(count));
    parallel_for(length, tile, [=](int64_t begin, int64_t end) {
      for (int64_t n = 0; n < count; ++n) {
        T* target = to + id[n] * length;
        const T* source = from + n * length;
        for (int64_t i = begin; i < end; ++i) target[i] += source[i];
      }
    });
  });
}

Array gather(const Array& x, int axis, const Array& index) {
  const int place = checked_index("gather", x.shape(), axis, index);
  const int64_t step = dense_strides(x.shape())[static_cast<size_t>(place)];
  Strides strides = dense_strides(x.shape());
  strides[static_cast<size_t>(place)] = 0;
  Array y(index.shape(), x.dtype());
  const KernelScope profile("gather", 0, index, y, y);
  visit_dtype(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    const int64_t* at = index.data<int64_t>();
    T* to = y.mutable_data<T>();
    parallel_for(y.size(), tile_of_items(1), [&, from, at, to](int64_t begin, int64_t end) {
      Walk walk(index.shape(), strides, begin);
      for (int64_t i = begin; i < end; ++i, walk.next()) to[i] = from[walk.offset() + at[i] * step];
    });
  });
  return y;
}

Array scatter_add(const Array& x, const Shape& shape, int axis, const Array& index) {
  if (x.dtype() == bfloat16) return scatter_add(x.to(float32), shape, axis, index).to(bfloat16);
  const int place = checked_index("scatter_add", shape, axis, index);
  if (!(x.shape() == index.shape())) {
    fail<ShapeError>("scatter_add: x is ", x.shape(), ", the index ", index.shape());
  }
  const int64_t step = dense_strides(shape)[static_cast<size_t>(place)];
  Strides strides = dense_strides(shape);
  strides[static_cast<size_t>(place)] = 0;
  Array y = Array::zeros(shape, x.dtype());
  const KernelScope profile("scatter_add", 0, x, index, x, x);
  if (x.size() == 0) return y;
  // Elements that meet in one output share the indices of the axes before `axis`: those are cut into tiles.
  int64_t outer = 1;
  for (int i = 0; i < place; ++i) outer *= index.shape()[i];
  const int64_t inner = x.size() / outer;
  visit_floating("scatter_add", x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    const int64_t* at = index.data<int64_t>();
    T* to = y.mutable_data<T>();
    parallel_for(outer, tile_of_items(inner), [&, from, at, to](int64_t begin, int64_t end) {
      Walk walk(index.shape(), strides, begin * inner);
      for (int64_t i = begin * inner; i < end * inner; ++i, walk.next())
        to[walk.offset() + at[i] * step] += from[i];
    });
  });
  return y;
}

}  // namespace weft::kernels
