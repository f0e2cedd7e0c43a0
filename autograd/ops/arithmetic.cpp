#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/arithmetic.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

namespace weft {

using kernels::Binary;
using kernels::Compare;

Tensor add(const Tensor& a, const Tensor& b) {
  return make_op("add", kernels::binary(Binary::add, a.value(), b.value()),
                 {{a, [](const Tensor& g) { return g; }}, {b, [](const Tensor& g) { return g; }}});
}

Tensor sub(const Tensor& a, const Tensor& b) {
  return make_op("sub", kernels::binary(Binary::sub, a.value(), b.value()),
                 {{a, [](const Tensor& g) { return g; }}, {b, [](const Tensor& g) { return -g; }}});
}

Tensor mul(const Tensor& a, const Tensor& b) {
  return make_op("mul", kernels::binary(Binary::mul, a.value(), b.value()),
                 {{a, [b = save(b)](const Tensor& g) { return g * b(); }},
                  {b, [a = save(a)](const Tensor& g) { return g * a(); }}});
}

Tensor div(const Tensor& a, const Tensor& b) {
  return make_op("div", kernels::binary(Binary::div, a.value(), b.value()),
                 {{a, [b = save(b)](const Tensor& g) { return g / b(); }},
                  {b, [b = save(b)](const Tensor& g, const Tensor& y) { return -(g * y) / b(); }}});
}

Tensor pow(const Tensor& a, const Tensor& b) {
  const auto for_base = [a = save(a), b = save(b)](const Tensor& g) {
    // b a^(b-1) is 0 at b = 0 even where a^(b-1) is infinite.
    const Tensor slope = b() * pow(a(), b() - 1.0);
    return g * masked_fill(slope, kernels::compare(Compare::eq, b().value(), 0.0), 0.0);
  };
  const auto for_exponent = [a = save(a), b = save(b)](const Tensor& g, const Tensor& y) {
    const Array dead = kernels::logical_and(kernels::compare(Compare::eq, a().value(), 0.0),
                                            kernels::compare(Compare::ge, b().value(), 0.0));
    return g * y * log(masked_fill(a(), dead, 1.0));
  };
  return make_op("pow", kernels::binary(Binary::pow, a.value(), b.value()),
                 {{a, for_base}, {b, for_exponent}});
}

Tensor pow(const Tensor& a, double exponent) {
  return make_op("pow", kernels::binary(Binary::pow, a.value(), exponent),
                 {{a, [a = save(a), exponent](const Tensor& g) {
                     if (exponent == 0.0) return g * 0.0;
                     return g * exponent * pow(a(), exponent - 1.0);
                   }}});
}

namespace {

/// 0 where a loses, 1/2 where both are equal, 1 elsewhere: a NaN reaches both.
Tensor share(Compare loses, const Array& a, const Array& b) {
  const Array behind = kernels::compare(loses, a, b);
  const Array tied = kernels::compare(Compare::eq, a, b);
  return 1.0 - Tensor(behind.to(a.dtype())) - Tensor(tied.to(a.dtype())) * 0.5;
}

Tensor extremum(const char* op, Binary kind, Compare loses, const Tensor& a, const Tensor& b) {
  return make_op(op, kernels::binary(kind, a.value(), b.value()),
                 {{a, [a = save(a), b = save(b),
                       loses](const Tensor& g) { return g * share(loses, a().value(), b().value()); }},
                  {b, [a = save(a), b = save(b), loses](const Tensor& g) {
                     return g * share(loses, b().value(), a().value());
                   }}});
}

}  // namespace

Tensor maximum(const Tensor& a, const Tensor& b) {
  return extremum("maximum", Binary::maximum, Compare::lt, a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
  return extremum("minimum", Binary::minimum, Compare::gt, a, b);
}

Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

Tensor operator+(const Tensor& a, double b) {
  return make_op("add", kernels::binary(Binary::add, a.value(), b), {{a, [](const Tensor& g) { return g; }}});
}

Tensor operator*(const Tensor& a, double b) {
  return make_op("mul", kernels::binary(Binary::mul, a.value(), b),
                 {{a, [b](const Tensor& g) { return g * b; }}});
}

Tensor operator-(const Tensor& a, double b) { return a + -b; }

Tensor operator/(const Tensor& a, double b) {
  return make_op("div", kernels::binary(Binary::div, a.value(), b),
                 {{a, [b](const Tensor& g) { return g / b; }}});
}

Tensor operator+(double a, const Tensor& b) { return b + a; }
Tensor operator*(double a, const Tensor& b) { return b * a; }

Tensor operator-(double a, const Tensor& b) {
  return make_op("sub", kernels::binary(Binary::sub, a, b.value()),
                 {{b, [](const Tensor& g) { return -g; }}});
}

Tensor operator/(double a, const Tensor& b) {
  return make_op("div", kernels::binary(Binary::div, a, b.value()),
                 {{b, [b = save(b)](const Tensor& g, const Tensor& y) { return -(g * y) / b(); }}});
}

Tensor operator-(const Tensor& x) {
  return make_op("neg", kernels::unary(kernels::Unary::neg, x.value()),
                 {{x, [](const Tensor& g) { return -g; }}});
}

Array operator<(const Tensor& a, const Tensor& b) {
  return kernels::compare(Compare::lt, a.value(), b.value());
}
Array operator<=(const Tensor& a, const Tensor& b) {
  return kernels::compare(Compare::le, a.value(), b.value());
}
Array operator>(const Tensor& a, const Tensor& b) {
  return kernels::compare(Compare::gt, a.value(), b.value());
}
Array operator>=(const Tensor& a, const Tensor& b) {
  return kernels::compare(Compare::ge, a.value(), b.value());
}
Array operator<(const Tensor& a, double b) { return kernels::compare(Compare::lt, a.value(), b); }
Array operator<=(const Tensor& a, double b) { return kernels::compare(Compare::le, a.value(), b); }
Array operator>(const Tensor& a, double b) { return kernels::compare(Compare::gt, a.value(), b); }
Array operator>=(const Tensor& a, double b) { return kernels::compare(Compare::ge, a.value(), b); }

}  // namespace weft
