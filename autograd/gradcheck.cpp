#include <weft/autograd/gradcheck.h>
#include <weft/autograd/ops.h>
#include <weft/lib/array/random.h>

#include <cmath>

namespace weft {

namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// A number from the function's result that every element of it takes part in with its own weight.
Tensor weighed(const Tensor& y, uint64_t stream) {
  return sum(y * Tensor(random_uniform(y.shape(), 0.5, 1.5, random_key(0, stream), y.dtype())));
}

double* values_of(Tensor& input) {
  const NoGrad no_grad;
  return input.mutable_value().mutable_data<double>();
}

/// Compares one order: `scalar` is a function of the inputs, `analytic` its gradients there.
void compare(const char* order, const std::function<double()>& scalar, std::vector<Tensor>& inputs,
             const std::vector<std::string>& names, const std::vector<Tensor>& analytic,
             const GradcheckOptions& options, GradcheckResult& result) {
  for (size_t k = 0; k < inputs.size() && result; ++k) {
    double* const values = values_of(inputs[k]);
    for (int64_t i = 0; i < inputs[k].size(); ++i) {
      const double at = values[i];
      values[i] = at + options.eps;
      const double above = scalar();
      values[i] = at - options.eps;
      const double below = scalar();
      values[i] = at;
      const double numeric = (above - below) / (2 * options.eps);
      const double found = analytic[k].value().data<double>()[i];
      const double error = std::abs(found - numeric) / (1 + std::abs(numeric));
      result.worst = std::max(result.worst, error);
      if (!(error <= options.tolerance)) {
        result.failure = str("gradcheck: ", order, " of ", names[k], " ", inputs[k].shape(), " at element ",
                             i, ": the rule gives ", found, ", central differences ", numeric);
        return;
      }
    }
  }
}

}  // namespace

GradcheckResult gradcheck(const Function& f, std::vector<Tensor> inputs, GradcheckOptions options) {
  std::vector<Tensor> wanted;
  std::vector<std::string> names;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Tensor& input = inputs[k];
    if (!input.requires_grad()) continue;
    if (input.dtype() != float64)
      fail<TypeError>("gradcheck: needs float64 inputs, one is ", input.dtype(), " ", input.shape());
    if (!input.is_leaf())
      fail<StateError>("gradcheck: needs leaves, one input is the result of ", input.op_name());
    wanted.push_back(input);
    const bool named = k < options.names.size() && !options.names[k].empty();
    names.push_back(named ? options.names[k] : str("input ", k));
  }
  if (wanted.empty()) fail<StateError>("gradcheck: no input requires a gradient");

  GradcheckResult result;
  const auto value = [&] {
    const NoGrad no_grad;
    return weighed(f(inputs), 1).item();
  };
  const Tensor total = weighed(f(inputs), 1);
  if (!total.requires_grad()) {
    result.failure = "gradcheck: the result depends on no input that requires a gradient";
    return result;
  }
  compare("the gradient", value, wanted, names, grad({total}, wanted), options, result);
  if (!result || !options.second_order) return result;

  // The gradients themselves, weighed into one number, are the function to differentiate.
  const auto slope = [&] {
    const std::vector<Tensor> grads = grad({weighed(f(inputs), 1)}, wanted, {}, {.create_graph = true});
    Tensor sum_of_all;
    for (size_t k = 0; k < grads.size(); ++k) {
      const Tensor part = weighed(grads[k], 2 + k);
      sum_of_all = sum_of_all.defined() ? sum_of_all + part : part;
    }
    return sum_of_all;
  };
  const Tensor slopes = slope();
  std::vector<Tensor> second;
  if (slopes.requires_grad()) {
    second = grad({slopes}, wanted);
  } else {
    for (const Tensor& input : wanted) second.push_back(zeros(input.shape(), float64));
  }
  compare(
      "the second derivative", [&] { return slope().item(); }, wanted, names, second, options, result);
  return result;
}

}  // namespace weft
