#include <doctest/doctest.h>
#include <weft/autograd/claims.h>
#include <weft/autograd/ops.h>

#include <algorithm>

#include "checks.h"

namespace weft::test {

namespace {

Tensor leaf() { return Tensor(Array::ones({3}), true); }

bool says(const std::string& text, const std::vector<std::string>& parts) {
  return std::ranges::all_of(parts, [&](const auto& part) { return text.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("claims: a module's parameter beside others, and asked for by nobody, is told at once") {
  const Tensor own = leaf(), other = leaf();
  claim(own);
  declare_parameter(other, "the parameter 'scale' of a Gate");
  const std::vector<NamedTensor> optimized = {{"own", own}};
  sum(own * other).backward();
  CHECK(says(unclaimed_beside(optimized), {"the parameter 'scale' of a Gate (3,)", "child<M>", "freeze()"}));
  // Not of a backward that reached nothing of theirs, nor of one that came later.
  sum(other * 2.0).backward();
  CHECK(unclaimed_beside(optimized) == "");
  sum(own * other).backward();
  sum(own * 2.0).backward();
  CHECK(unclaimed_beside(optimized) == "");
  // Each of these is a claim, between backward and the step too.
  const std::vector<std::function<void(Tensor)>> claims = {
      [](Tensor t) { claim(t); }, [](Tensor t) { t.grad(); }, [](Tensor t) { t.zero_grad(); },
      [](Tensor t) { t.set_grad(Array::ones({3})); },
      [](Tensor t) { t.register_hook([](const Tensor&) { return Tensor(); }); }};
  for (const auto& ask : claims) {
    const Tensor more = leaf();
    declare_parameter(more, "the parameter 'more' of a Gate");
    sum(own * more).backward();
    ask(more);
    CHECK(unclaimed_beside(optimized) == "");
    sum(own * more).backward();
    CHECK(unclaimed_beside(optimized) == "");
  }
}

TEST_CASE("claims: a module's parameter that is gone by the step is told") {
  const Tensor own = leaf();
  claim(own);
  {
    const Tensor passing = leaf();
    declare_parameter(passing, "the parameter 'weight' of a Linear");
    sum(own * passing).backward();
  }
  CHECK(says(unclaimed_beside({{"own", own}}), {"'weight' of a Linear", "forward()"}));
}

TEST_CASE("claims: what was left out is told once it has a gradient, unless an optimizer holds it") {
  const Tensor own = leaf(), other = leaf();
  claim(own);
  leave_out(other, "head.weight");
  claim(other);
  sum(own * other).backward();
  CHECK(says(unclaimed_beside({{"own", own}}), {"'head.weight' (3,)", "parameter_groups()"}));
  hold(other);
  CHECK(unclaimed_beside({{"own", own}}) == "");
  sum(own * other).backward();
  CHECK(unclaimed_beside({{"own", own}}) == "");
}

TEST_CASE("claims: any other leaf is told when nobody looks at it for two steps") {
  const Tensor own = leaf(), other = leaf(), frozen(Array::ones({3}));
  claim(own);
  const std::vector<NamedTensor> optimized = {{"own", own}};
  for (int64_t micro = 0; micro < 3; ++micro) sum(own * other * frozen).backward();
  CHECK(unclaimed_beside(optimized) == "");
  sum(own * other).backward();
  CHECK(
      says(unclaimed_beside(optimized), {"a tensor (3,)", "parameter(\"name\"", "set_requires_grad(false)"}));
  // As inputs are whose gradient is read after the step, or that are made anew.
  const Tensor read = leaf();
  for (int64_t step = 0; step < 3; ++step) {
    const Tensor fresh = leaf();
    sum(own * read * fresh).backward();
    CHECK(unclaimed_beside(optimized) == "");
    read.grad();
  }
}

}  // namespace weft::test
