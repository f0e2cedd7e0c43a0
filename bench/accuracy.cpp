// The error of the float functions over all 2^32 floats, in ulp of the exact value, against the C library's
// double.
//
//   accuracy [STEP [FUNCTION...]]     every STEP-th float (default 1: all, a minute or two a function on one
//   core)
//
// Prints for each function the largest error and where it is, the number of results that are wrong outright
// (NaN, infinity or zero where the exact value rounds to something else), and for exp the number of places
// where it is not monotone.
#include <weft/lib/isa/table_functions.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using Functions = weft::isa::ElementwiseFunctions;

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
/// x s with the limit 0 where x is infinite and s is 0.
double product(double x, double s) { return s == 0 ? -0.0 : x * s; }

struct Function {
  const char* name;
  Functions::Map Functions::*member;
  double (*exact)(double);
};

const Function functions[] = {
    {"exp", &Functions::exp, [](double x) { return std::exp(x); }},
    {"log", &Functions::log, [](double x) { return std::log(x); }},
    {"tanh", &Functions::tanh, [](double x) { return std::tanh(x); }},
    {"erf", &Functions::erf, [](double x) { return std::erf(x); }},
    {"sigmoid", &Functions::sigmoid, sigmoid},
    {"silu", &Functions::silu, [](double x) { return product(x, sigmoid(x)); }},
    {"gelu", &Functions::gelu, [](double x) { return product(x, normal_below(x)); }},
    {"gelu_tanh", &Functions::gelu_tanh,
     [](double x) { return product(x, sigmoid(std::sqrt(8 / M_PI) * (x + 0.044715 * x * x * x))); }},
};

/// Error in ulp of the exact value; -1 for a result that is wrong outright.
double error_of(float found, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(found) || std::isnan(rounded)) return std::isnan(found) == std::isnan(rounded) ? 0 : -1;
  if (std::isinf(found) || std::isinf(rounded) || exact == 0) return found == rounded ? 0 : -1;
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::fabs(static_cast<double>(found) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

void measure(const Function& function, uint64_t step) {
  constexpr size_t block = 4096;
  std::vector<float> x(block), y(block);
  double worst = 0, worst_normal = 0;
  float at = 0, at_normal = 0;
  long wrong = 0, falls = 0;
  float before = NAN;
  for (uint64_t first = 0; first < (uint64_t{1} << 32); first += block * step) {
    for (size_t i = 0; i < block; ++i) x[i] = std::bit_cast<float>(static_cast<uint32_t>(first + i * step));
    (weft::isa::table().elementwise.*function.member)(x.data(), y.data(), block);
    for (size_t i = 0; i < block; ++i) {
      // In order of their bits the positive floats rise and the negative ones fall.
      const bool turned = x[i] < 0 ? y[i] > before : y[i] < before;
      if (turned && x[i] != 0) ++falls;
      before = y[i];
      const double exact = function.exact(static_cast<double>(x[i]));
      const double error = error_of(y[i], exact);
      if (error < 0) ++wrong;
      if (error > worst) worst = error, at = x[i];
      if (error > worst_normal && std::fabs(exact) > 1e-4) worst_normal = error, at_normal = x[i];
    }
  }
  std::printf("%-10s %9.3f ulp at %-13.7g %7.3f ulp at %-13.7g where |y| > 1e-4; %ld wrong", function.name,
              worst, at, worst_normal, at_normal, wrong);
  if (function.member == &Functions::exp) std::printf(", %ld not monotone", falls);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  const long step = count > 1 ? std::atol(arguments[1]) : 1;
  const std::vector<std::string> names(arguments + std::min(count, 2), arguments + count);
  const auto known = [](const std::string& name) {
    return std::any_of(std::begin(functions), std::end(functions),
                       [&](const auto& f) { return f.name == name; });
  };
  if (step < 1 || !std::all_of(names.begin(), names.end(), known)) {
    std::fprintf(stderr, "usage: accuracy [STEP [FUNCTION...]]; the functions are");
    for (const Function& function : functions) std::fprintf(stderr, " %s", function.name);
    std::fprintf(stderr, "\n");
    return 2;
  }
  std::printf("%s, every %ld-th float\n", weft::isa::name_of(weft::isa::active_set()), step);
  for (const Function& function : functions)
    if (names.empty() || std::find(names.begin(), names.end(), function.name) != names.end())
      measure(function, static_cast<uint64_t>(step));
  return 0;
}
