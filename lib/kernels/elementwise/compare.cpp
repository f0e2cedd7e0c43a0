#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <type_traits>

namespace weft::kernels {

namespace {

const char* name_of(Compare op) {
  switch (op) {
    case Compare::eq:
      return "eq";
    case Compare::ne:
      return "ne";
    case Compare::lt:
      return "lt";
    case Compare::le:
      return "le";
    case Compare::gt:
      return "gt";
    default:
      return "ge";
  }
}

/// Calls use(f) with the comparison as a function object.
template <class Use>
void visit(Compare op, Use use) {
  switch (op) {
    case Compare::eq:
      return use([](auto u, auto v) { return u == v; });
    case Compare::ne:
      return use([](auto u, auto v) { return u != v; });
    case Compare::lt:
      return use([](auto u, auto v) { return u < v; });
    case Compare::le:
      return use([](auto u, auto v) { return u <= v; });
    case Compare::gt:
      return use([](auto u, auto v) { return u > v; });
    default:
      return use([](auto u, auto v) { return u >= v; });
  }
}

/// y = f(a, b) with broadcasting, to bool.
template <class T, class F>
Array combine(const char* op, const Array& a, const Array& b, F f) {
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  Array y(shape, boolean);
  const KernelScope profile(op, 0, a, b, y);
  const Broadcast<2> walk(shape, {&a.shape(), &b.shape()});
  const T *left = a.data<T>(), *right = b.data<T>();
  bool* to = y.mutable_data<bool>();
  parallel_for(shape.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
    walk.for_runs(begin, end, [&](const auto& at, int64_t first, int64_t n) {
      const T *u = left + at[0], *v = right + at[1];
      if (walk.stands_still(0)) {
        for (int64_t i = 0; i < n; ++i) to[first + i] = f(*u, v[i]);
      } else if (walk.stands_still(1)) {
        for (int64_t i = 0; i < n; ++i) to[first + i] = f(u[i], *v);
      } else {
        for (int64_t i = 0; i < n; ++i) to[first + i] = f(u[i], v[i]);
      }
    });
  });
  return y;
}

void check_bool(const char* op, const Array& x) {
  if (x.dtype() != boolean) fail<TypeError>(op, ": needs bool, not ", x.dtype());
}

}  // namespace

Array compare(Compare op, const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() && is_single(a.dtype()) && is_single(b.dtype()))
    return compare(op, a.to(float32), b.to(float32));
  check_same_type(name_of(op), "a", a, "b", b);
  Array y;
  visit_dtype(a.dtype(),
              [&]<class T>(T) { visit(op, [&](auto f) { y = combine<T>(name_of(op), a, b, f); }); });
  return y;
}

Array compare(Compare op, const Array& a, double b) {
  Array y(a.shape(), boolean);
  const KernelScope profile(name_of(op), 0, a, y);
  bool* to = y.mutable_data<bool>();
  visit_dtype(a.dtype(), [&]<class T>(T) {
    // A number takes the array's floating type, as in PyTorch; integers are compared exactly, in 64 bits of
    // mantissa.
    using Float = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;
    using Wide = std::conditional_t<std::is_floating_point_v<Float>, Float, long double>;
    const T* from = a.data<T>();
    const auto other = static_cast<Wide>(b);
    visit(op, [&](auto f) {
      parallel_for(a.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = f(static_cast<Wide>(from[i]), other);
      });
    });
  });
  return y;
}

Array logical_not(const Array& a) {
  check_bool("logical_not", a);
  Array y(a.shape(), boolean);
  const KernelScope profile("logical_not", 0, a, y);
  const bool* from = a.data<bool>();
  bool* to = y.mutable_data<bool>();
  parallel_for(a.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = !from[i];
  });
  return y;
}

Array logical_and(const Array& a, const Array& b) {
  check_bool("logical_and", a);
  check_bool("logical_and", b);
  return combine<bool>("logical_and", a, b, [](bool u, bool v) { return u && v; });
}

Array logical_or(const Array& a, const Array& b) {
  check_bool("logical_or", a);
  check_bool("logical_or", b);
  return combine<bool>("logical_or", a, b, [](bool u, bool v) { return u || v; });
}

Array where(const Array& condition, const Array& a, const Array& b) {
  check_bool("where", condition);
  if (a.dtype() != b.dtype() && is_single(a.dtype()) && is_single(b.dtype()))
    return where(condition, a.to(bfloat16), b.to(bfloat16));
  check_same_type("where", "a", a, "b", b);
  const Shape shape =
      broadcast_shapes("where", condition.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  Array y(shape, a.dtype());
  const KernelScope profile("where", 0, condition, a, b, y);
  const Broadcast<3> walk(shape, {&condition.shape(), &a.shape(), &b.shape()});
  const bool* choose = condition.data<bool>();
  visit_dtype(a.dtype(), [&]<class T>(T) {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(shape.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      walk.for_runs(begin, end, [&](const auto& at, int64_t first, int64_t n) {
        const bool* c = choose + at[0];
        const T *u = left + at[1], *v = right + at[2];
        const int64_t c_step = walk.stands_still(0) ? 0 : 1;
        const int64_t u_step = walk.stands_still(1) ? 0 : 1, v_step = walk.stands_still(2) ? 0 : 1;
        if (c_step == 1 && u_step == 1 && v_step == 1) {
          for (int64_t i = 0; i < n; ++i) to[first + i] = c[i] ? u[i] : v[i];
        } else {
          for (int64_t i = 0; i < n; ++i) to[first + i] = c[i * c_step] ? u[i * u_step] : v[i * v_step];
        }
      });
    });
  });
  return y;
}

}  // namespace weft::kernels
