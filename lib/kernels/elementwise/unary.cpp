#include <weft/lib/base/math.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/elementwise/gelu.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>
#include <weft/lib/xt.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>

namespace weft::kernels {

namespace {

/// y = f(x), tile by tile, f taking and giving an xtensor expression.
template <class T, class F>
void evaluate(const T* x, T* y, int64_t n, F f) {
  const auto in = as_xt(x, n);
  auto out = as_xt_mutable(y, n);
  xt::noalias(out) = f(in);
}

template <class T, class F>
void each(const T* x, T* y, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

template <class T>
T sign_of(T x) {
  return x > T{0} ? T{1} : x < T{0} ? T{-1} : x;
}
bool arithmetic(Unary op) {
  return op == Unary::neg || op == Unary::abs || op == Unary::sign || op == Unary::square ||
         op == Unary::relu;
}

template <class T>
void run_integer(Unary op, const T* x, T* y, int64_t n) {
  using Wrap = std::make_unsigned_t<T>;  // signed overflow would be undefined
  switch (op) {
    case Unary::neg:
      return each(x, y, n, [](T v) { return static_cast<T>(Wrap{0} - static_cast<Wrap>(v)); });
    case Unary::abs:
      return each(x, y, n, [](T v) { return v < 0 ? static_cast<T>(Wrap{0} - static_cast<Wrap>(v)) : v; });
    case Unary::sign:
      return each(x, y, n, sign_of<T>);
    case Unary::square:
      return each(x, y, n, [](T v) { return static_cast<T>(static_cast<Wrap>(v) * static_cast<Wrap>(v)); });
    default:
      return each(x, y, n, [](T v) { return std::max(v, T{0}); });
  }
}

/// What both floating types share: arithmetic, as xtensor expressions.
template <class T>
void run_arithmetic(Unary op, const T* x, T* y, int64_t n) {
  switch (op) {
    case Unary::neg:
      return evaluate(x, y, n, [](const auto& v) { return -v; });
    case Unary::abs:
      return evaluate(x, y, n, [](const auto& v) { return xt::abs(v); });
    case Unary::sign:
      return each(x, y, n, sign_of<T>);
    case Unary::sqrt:
      return evaluate(x, y, n, [](const auto& v) { return xt::sqrt(v); });
    case Unary::reciprocal:
      return evaluate(x, y, n, [](const auto& v) { return T{1} / v; });
    case Unary::square:
      return evaluate(x, y, n, [](const auto& v) { return v * v; });
    case Unary::relu:
      return each(x, y, n, [](T v) { return v < T{0} ? T{0} : v; });
    case Unary::sin:
      return each(x, y, n, [](T v) { return static_cast<T>(math::sin(static_cast<double>(v))); });
    default:
      return each(x, y, n, [](T v) { return static_cast<T>(math::cos(static_cast<double>(v))); });
  }
}

void run(Unary op, const float* x, float* y, int64_t n) {
  const isa::ElementwiseFunctions& f = isa::table().elementwise;
  switch (op) {
    case Unary::exp:
      return f.exp(x, y, n);
    case Unary::log:
      return f.log(x, y, n);
    case Unary::tanh:
      return f.tanh(x, y, n);
    case Unary::erf:
      return f.erf(x, y, n);
    case Unary::sigmoid:
      return f.sigmoid(x, y, n);
    case Unary::silu:
      return f.silu(x, y, n);
    case Unary::gelu:
      return f.gelu(x, y, n);
    case Unary::gelu_tanh:
      return f.gelu_tanh(x, y, n);
    default:
      return run_arithmetic(op, x, y, n);
  }
}

void run(Unary op, const double* x, double* y, int64_t n) {
  switch (op) {
    case Unary::exp:
      return each(x, y, n, math::exp);
    case Unary::log:
      return each(x, y, n, math::log);
    case Unary::tanh:
      return each(x, y, n, math::tanh);
    case Unary::erf:
      return each(x, y, n, math::erf);
    case Unary::sigmoid:
      return each(x, y, n, math::sigmoid);
    case Unary::silu:
      return each(x, y, n, [](double v) { return std::max(-1000.0, v) * math::sigmoid(v); });
    case Unary::gelu:
      return each(x, y, n, [](double v) { return std::max(-50.0, v) * normal_below(v); });
    case Unary::gelu_tanh:
      return each(x, y, n, [](double v) {
        return std::max(-50.0, v) * math::sigmoid(gelu_tanh_argument(within(v, 50)));
      });
    default:
      return run_arithmetic(op, x, y, n);
  }
}

}  // namespace

const char* name_of(Unary op) {
  switch (op) {
    case Unary::neg:
      return "neg";
    case Unary::abs:
      return "abs";
    case Unary::sign:
      return "sign";
    case Unary::exp:
      return "exp";
    case Unary::log:
      return "log";
    case Unary::sqrt:
      return "sqrt";
    case Unary::reciprocal:
      return "reciprocal";
    case Unary::square:
      return "square";
    case Unary::sin:
      return "sin";
    case Unary::cos:
      return "cos";
    case Unary::tanh:
      return "tanh";
    case Unary::erf:
      return "erf";
    case Unary::sigmoid:
      return "sigmoid";
    case Unary::relu:
      return "relu";
    case Unary::silu:
      return "silu";
    case Unary::gelu:
      return "gelu";
    default:
      return "gelu_tanh";
  }
}

Array unary(Unary op, const Array& x) {
  Array y(x.shape(), x.dtype());
  const KernelScope profile(name_of(op), 0, x, y);
  const auto tiles = [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(x.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_floating_point_v<T>) {
        run(op, from + begin, to + begin, end - begin);
      } else {
        run_integer(op, from + begin, to + begin, end - begin);
      }
    });
  };
  if (is_single(x.dtype())) {
    for_float_pieces<1>({&x}, y, [&](const auto& from, float* to, int64_t n) { run(op, from[0], to, n); });
  } else if (arithmetic(op) && x.dtype() == int32) {
    tiles(int32_t{});
  } else if (arithmetic(op) && x.dtype() == int64) {
    tiles(int64_t{});
  } else {
    visit_floating(name_of(op), x.dtype(), tiles);
  }
  return y;
}

Array clamp(const Array& x, double low, double high) {
  if (low != low || high != high) fail<ValueError>("clamp: a bound is NaN: low is ", low, ", high is ", high);
  Array y(x.shape(), x.dtype());
  const KernelScope profile("clamp", 0, x, y);
  const auto clamped = []<class T>(const T* from, T* to, int64_t n, T lowest, T highest) {
    each(from, to, n, [=](T v) {
      const T raised = v < lowest ? lowest : v;
      return highest < raised ? highest : raised;
    });
  };
  if (is_single(x.dtype())) {
    for_float_pieces<1>({&x}, y, [&](const auto& from, float* to, int64_t n) {
      clamped(from[0], to, n, static_cast<float>(low), static_cast<float>(high));
    });
    return y;
  }
  visit_floating("clamp", x.dtype(), [&]<class T>(T) {
    const T *from = x.data<T>(), lowest = static_cast<T>(low), highest = static_cast<T>(high);
    T* to = y.mutable_data<T>();
    parallel_for(x.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      clamped(from + begin, to + begin, end - begin, lowest, highest);
    });
  });
  return y;
}

}  // namespace weft::kernels
