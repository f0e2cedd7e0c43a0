#include <doctest/doctest.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

std::vector<OpCase> einsum_cases() {
  std::vector<OpCase> cases;
  const auto row = [&](const std::string& equation, const std::vector<Draw>& inputs) {
    cases.push_back({"einsum(std::string, std::vector<Tensor>)", "einsum: " + equation,
                     [equation](const std::vector<Tensor>& in) { return square(einsum(equation, in)); },
                     inputs});
  };
  row("ij,jk->ik", {{{2, 3}}, {{3, 4}}});
  row("bij,bjk->bik", {{{2, 2, 3}}, {{2, 3, 4}}});
  row("bthd,bshd->bhts", {{{2, 3, 2, 2}}, {{2, 4, 2, 2}}});
  row("i,j->ij", {{{2}}, {{3}}});
  row("ij->ji", {{{2, 3}}});
  row("ijk->j", {{{2, 3, 2}}});
  row("ij,ij->", {{{2, 3}}, {{2, 3}}});
  row("ij,kj", {{{2, 3}}, {{4, 3}}});
  row("ij,jk,kl->li", {{{2, 3}}, {{3, 2}}, {{2, 4}}});
  row("ijm,jk->ik", {{{2, 3, 2}}, {{3, 4}}});
  row("ij,jk->ki", {{{2, 0}}, {{0, 3}}});
  return cases;
}

TEST_CASE("einsum: each case passes gradcheck, float against double, and PyTorch") {
  check_cases(einsum_cases());
}

TEST_CASE("einsum: equations that are none, and tensors that do not fit") {
  const Tensor x = ones({2, 3});
  refuses<ValueError>([&] { einsum("ij,jk->ik", {x}); }, {"einsum", "2 tensors", "1"});
  refuses<ValueError>([&] { einsum("ii->i", {ones({2, 2})}); }, {"letter i", "twice"});
  refuses<ValueError>([&] { einsum("...j->j", {x}); }, {"'.'", "no letter"});
  refuses<ValueError>([&] { einsum("ij->ik", {x}); }, {"'k'", "no letter of a tensor"});
  refuses<ValueError>([&] { einsum("ij->ii", {x}); }, {"'i'", "twice"});
  refuses<ShapeError>([&] { einsum("ijk->i", {x}); }, {"(2, 3)", "3 letters"});
  refuses<ShapeError>([&] { einsum("ij,jk->ik", {x, x}); }, {"j is 3", "tensor 1", "2"});
  CHECK(einsum(" ij , kj -> ik ", {x, x}).value().identical(Array::full({2, 2}, 3)));
}

}  // namespace weft::test
