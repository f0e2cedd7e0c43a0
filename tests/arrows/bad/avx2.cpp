// Everything that symbols.cmake refuses, so that its test can be seen to fail.
#include <cmath>

template <class T>
[[gnu::noinline]] T twice(T x) {
  return x + x;
}

double bad(double x) { return std::exp(twice(x)); }
