// Claims: who is to use the gradient of a leaf. One that backward gives to a leaf beside an optimizer's parameters, and
// that nobody claims, is lost without a word, and the leaf is never trained: Optimizer::step() looks for it here. For
// modules and optimizers alone.
#pragma once

#include <weft/autograd/named_tensor.h>

#include <string>
#include <vector>

namespace weft {

/// A leaf that a module has made as its parameter, `name` for messages: nobody's until the module is asked for it.
void declare_parameter(const Tensor& leaf, std::string name);
/// A leaf of that name that was frozen when what is to be trained was chosen: it stays out unless an optimizer is made of
/// it, also when it thaws.
void leave_out(const Tensor& leaf, std::string name);
/// An optimizer is made of it.
void hold(const Tensor& leaf);
/// Somebody knows of this leaf. To read, set or forget its gradient, and to hook into it, is a claim too.
void claim(const Tensor& leaf);
/// What the last backward of this thread has reached together with one of `own`, the parameters of an optimizer whose
/// step begins, without anybody's claim: a parameter of a module, or one that was left out and has thawed, at once; any
/// other leaf when that is so for a second step. Says what it is, and what to write instead; empty when there is none.
std::string unclaimed_beside(const std::vector<NamedTensor>& own);

}  // namespace weft
