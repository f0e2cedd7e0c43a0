// Products told by the names of their axes: torch.einsum.
#pragma once

#include <weft/autograd/tensor.h>

#include <string>
#include <vector>

namespace weft {

/// Each axis has a letter; letters that the result lacks are summed over:
///   einsum("bij,bjk->bik", {a, b})             products of matrices
///   einsum("bthd,bshd->bhts", {q, k})          scores of attention
///   einsum("ij->ji", {a}), einsum("ij->j", {a}), einsum("i,j->ij", {a, b})
/// Without "->" the result has the letters that stand once, in alphabetical order. Several tensors are
/// multiplied from left to right, each time as one matmul(). ValueError for an equation that is none, for a
/// letter twice in one tensor, and for "..."; ShapeError when ranks or extents differ.
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);

}  // namespace weft
