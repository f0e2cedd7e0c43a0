// Computing in bfloat16: half the memory of activations, and products at twice the rate where the processor has an
// instruction for them.
//
//   {
//     const Autocast autocast(bfloat16);
//     loss = model.loss(batch);
//   }
//   loss.sum.backward();
//
// As torch.autocast: parameters stay float32, and so do their gradients, optimizer and checkpoints. Linear layers, products
// by a matrix and attention round what they take to bfloat16 and give bfloat16; norms compute in float32 and give bfloat16
// (PyTorch's give float32, which the layer above would round); activations, dropout and rotary positions give the type
// that they take; softmax, reductions, losses, convolutions and recurrent cells compute in float32 and give it. An operation
// of a bfloat16 and a float32 tensor gives float32. So tables of embeddings, and with them the sums around the layers of a
// model whose norms come first, stay float32, and only what layers add to them is rounded. Gradients have the type of what
// they are the gradient of. All bits are the same on every processor (lib/kernels/products/matmul.h), as in float32.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

/// While it lives, operations of this thread compute in `dtype`, bfloat16 or, as if there were none, float32 (TypeError for
/// others). Backward computes as forward did, whether one lives or not.
class Autocast {
 public:
  [[nodiscard]] explicit Autocast(DType dtype);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  DType before_;
};

/// That of this thread: float32 where no Autocast lives.
DType autocast_dtype();

/// x as another type, with a gradient between floating types; x itself when it has it.
Tensor to(const Tensor& x, DType dtype);

}  // namespace weft
