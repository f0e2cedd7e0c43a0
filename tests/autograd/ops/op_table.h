// The table of operations, and what each of its cases is put through. Every public operation of
// autograd/*.h stands in it (op_table_test.cpp sees to that); its rows are beside the tests of its family.
#pragma once

#include <weft/autograd/ops.h>

#include <functional>
#include <string>
#include <vector>

namespace weft::test {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// An input: uniform numbers in [low, high).
struct Draw {
  Shape shape;
  double low = -1.5, high = 1.5;
};

struct OpCase {
  std::string op;    ///< its declaration, types alone: "softmax(Tensor, int)"
  std::string name;  ///< unique; tests/reference/ops.h5 holds PyTorch's numbers under it
  Function f;
  std::vector<Draw> inputs;  ///< none: compared with PyTorch's numbers alone
};

std::vector<OpCase> arithmetic_cases();
std::vector<OpCase> pointwise_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> shaping_cases();
std::vector<OpCase> product_cases();
std::vector<OpCase> einsum_cases();
std::vector<OpCase> indexing_cases();
std::vector<OpCase> normalization_cases();
std::vector<OpCase> attention_cases();
std::vector<OpCase> rotary_cases();
std::vector<OpCase> recurrent_cases();
std::vector<OpCase> convolution_cases();
std::vector<OpCase> additive_attention_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> ctc_cases();
std::vector<OpCase> dropout_cases();
/// All of the above.
std::vector<OpCase> op_table();

/// Leaves of `dtype` that require a gradient; the same numbers, which float holds exactly, for every type.
std::vector<Tensor> drawn(const std::string& name, const std::vector<Draw>& draws, DType dtype = float64);

/// Everything that a function gives: its value; its gradients by grad(), by grad() with create_graph, and by
/// backward() into the leaves; and gradients of a weighed sum of its gradients.
struct Outcome {
  Tensor y;
  std::vector<Tensor> grads, grads_with_graph, leaf_grads, second;
};
/// Starts from `seed`, or from fixed random numbers.
Outcome run(const Function& f, std::vector<Tensor> inputs, Tensor seed = {});

/// Empty when all agree within tolerance (1 + largest expected); else what does not.
std::string difference(const Outcome& found, const Outcome& expected, double tolerance);

/// Gradcheck of both orders, float against double, and PyTorch's numbers.
void check_cases(const std::vector<OpCase>& cases);

/// A fused operation against the same formula composed of small ones, in float32, all of Outcome.
void check_composed(const Function& fused, const Function& composed, const std::vector<Draw>& draws);

}  // namespace weft::test
