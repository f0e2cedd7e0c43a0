#include <weft/lib/base/math.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>
#include <weft/lib/xt.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>

namespace weft::kernels {

namespace {

/// Signed integers wrap around instead of being undefined.
template <class T, class F>
T wrapping(T a, T b, F f) {
  using Wrap = std::make_unsigned_t<T>;
  return static_cast<T>(f(static_cast<Wrap>(a), static_cast<Wrap>(b)));
}

template <class T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;
}
template <class T>
T smaller(T a, T b) {
  return a < b || a != a ? a : b;
}

/// Powers that people write most, without logarithms; float goes through double and is rounded once.
template <class T>
T power(T x, T y) {
  const auto wide = static_cast<double>(x);
  if (y == T{2}) return x * x;
  if (y == T{3}) return static_cast<T>(wide * wide * wide);
  if (y == T{-1}) return T{1} / x;
  if (y == T{0.5} || y == T{-0.5}) {
    // As C's pow: the roots of -0 and -inf are 0 and inf.
    const double root = math::sqrt(wide == -std::numeric_limits<double>::infinity() ? -wide : wide + 0.0);
    return static_cast<T>(y > T{0} ? root : 1 / root);
  }
  return static_cast<T>(math::pow(wide, static_cast<double>(y)));
}

/// Either operand of a run: n values one after the other, or one value for all of them.
template <class T>
struct Run {
  const T* data;
  bool still;
};

template <class T, class F>
void each(T* y, int64_t n, Run<T> a, Run<T> b, F f) {
  if (a.still) {
    const T value = *a.data;
    for (int64_t i = 0; i < n; ++i) y[i] = f(value, b.data[i]);
  } else if (b.still) {
    const T value = *b.data;
    for (int64_t i = 0; i < n; ++i) y[i] = f(a.data[i], value);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a.data[i], b.data[i]);
  }
}

/// The same as an xtensor expression: f takes expressions and numbers.
template <class T, class F>
void evaluate(T* y, int64_t n, Run<T> a, Run<T> b, F f) {
  auto out = as_xt_mutable(y, n);
  if (a.still) {
    const auto right = as_xt(b.data, n);
    xt::noalias(out) = f(*a.data, right);
  } else if (b.still) {
    const auto left = as_xt(a.data, n);
    xt::noalias(out) = f(left, *b.data);
  } else {
    const auto left = as_xt(a.data, n);
    const auto right = as_xt(b.data, n);
    xt::noalias(out) = f(left, right);
  }
}

template <class T>
void run(Binary op, T* y, int64_t n, Run<T> a, Run<T> b) {
  if (op == Binary::maximum) return each(y, n, a, b, larger<T>);
  if (op == Binary::minimum) return each(y, n, a, b, smaller<T>);
  if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case Binary::add:
        return evaluate(y, n, a, b, [](const auto& u, const auto& v) { return u + v; });
      case Binary::sub:
        return evaluate(y, n, a, b, [](const auto& u, const auto& v) { return u - v; });
      case Binary::mul:
        return evaluate(y, n, a, b, [](const auto& u, const auto& v) { return u * v; });
      case Binary::div:
        return evaluate(y, n, a, b, [](const auto& u, const auto& v) { return u / v; });
      default:
        return each(y, n, a, b, power<T>);
    }
  } else {
    switch (op) {
      case Binary::add:
        return each(y, n, a, b,
                    [](T u, T v) { return wrapping(u, v, [](auto p, auto q) { return p + q; }); });
      case Binary::sub:
        return each(y, n, a, b,
                    [](T u, T v) { return wrapping(u, v, [](auto p, auto q) { return p - q; }); });
      default:
        return each(y, n, a, b,
                    [](T u, T v) { return wrapping(u, v, [](auto p, auto q) { return p * q; }); });
    }
  }
}

/// Calls f with a zero of the element type. Integers take what stays whole: not div and pow.
template <class F>
void visit(Binary op, DType dtype, F f) {
  const bool whole = op != Binary::div && op != Binary::pow;
  if (whole && dtype == int32) return f(int32_t{});
  if (whole && dtype == int64) return f(int64_t{});
  visit_floating(name_of(op), dtype, f);
}

template <class T>
T number(Binary op, double value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value);
  } else {
    if (!fits<T>(value)) fail<ValueError>(name_of(op), ": ", value, " is not a value of ", dtype_of<T>());
    return static_cast<T>(value);
  }
}

/// One operand is the array x, the other one number.
Array with_number(Binary op, const Array& x, double value, bool number_first) {
  Array y(x.shape(), x.dtype());
  const KernelScope profile(name_of(op), 0, x, y);
  if (x.dtype() == bfloat16) {
    for_float_pieces<1>({&x}, y, [&](const auto& from, float* to, int64_t n) {
      const auto other = static_cast<float>(value);
      const Run<float> many{from[0], false}, one{&other, true};
      run(op, to, n, number_first ? one : many, number_first ? many : one);
    });
    return y;
  }
  visit(op, x.dtype(), [&]<class T>(T) {
    const T other = number<T>(op, value);
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(x.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      const Run<T> many{from + begin, false}, one{&other, true};
      run(op, to + begin, end - begin, number_first ? one : many, number_first ? many : one);
    });
  });
  return y;
}

/// One operand or both are bfloat16; of two, y is.
void run_narrow(Binary op, const Broadcast<2>& walk, const Array& a, const Array& b, Array& y) {
  const FloatReader left(a), right(b);
  const FloatWriter to(y);
  parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
    alignas(64) float rooms[3][narrow_piece];
    walk.for_runs(begin, end, [&](const auto& at, int64_t first, int64_t n) {
      const bool left_stays = walk.stands_still(0), right_stays = walk.stands_still(1);
      for (int64_t done = 0; done < n; done += narrow_piece) {
        const int64_t some = std::min(narrow_piece, n - done);
        const auto read = [&](const FloatReader& from, int64_t place, bool stays, float* room) {
          return Run<float>{stays ? from.at(place, 1, room) : from.at(place + done, some, room), stays};
        };
        float* const out = to.at(first + done, rooms[2]);
        run(op, out, some, read(left, at[0], left_stays, rooms[0]),
            read(right, at[1], right_stays, rooms[1]));
        to.put(first + done, some, out);
      }
    });
  });
}

}  // namespace

const char* name_of(Binary op) {
  switch (op) {
    case Binary::add:
      return "add";
    case Binary::sub:
      return "sub";
    case Binary::mul:
      return "mul";
    case Binary::div:
      return "div";
    case Binary::pow:
      return "pow";
    case Binary::maximum:
      return "maximum";
    default:
      return "minimum";
  }
}

Array binary(Binary op, const Array& a, const Array& b) {
  const Shape shape = broadcast_shapes(name_of(op), a.shape(), b.shape());
  const bool mixed = is_single(a.dtype()) && is_single(b.dtype()) && a.dtype() != b.dtype(),
             narrow = mixed || a.dtype() == bfloat16;
  if (!mixed) check_same_type(name_of(op), "a", a, "b", b);
  Array y(shape, mixed ? float32 : a.dtype());
  const KernelScope profile(name_of(op), 0, a, b, y);
  const Broadcast<2> walk(shape, {&a.shape(), &b.shape()});
  if (narrow) {
    run_narrow(op, walk, a, b, y);
    return y;
  }
  visit(op, a.dtype(), [&]<class T>(T) {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(shape.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      walk.for_runs(begin, end, [&](const auto& at, int64_t first, int64_t n) {
        run(op, to + first, n, Run<T>{left + at[0], walk.stands_still(0)},
            Run<T>{right + at[1], walk.stands_still(1)});
      });
    });
  });
  return y;
}

Array binary(Binary op, const Array& a, double b) { return with_number(op, a, b, false); }
Array binary(Binary op, double a, const Array& b) { return with_number(op, b, a, true); }

}  // namespace weft::kernels
