#include <weft/optim/clip.h>
#include <weft/optim/train_step.h>

#include <algorithm>
#include <cmath>

namespace weft {

TrainStep::TrainStep(Optimizer& optimizer, Options options) : optimizer_(optimizer), options_(options) {
  for (const auto& [name, tensor] : optimizer.parameters())
    if (tensor.grad().defined())
      fail<StateError>(
          "TrainStep: '", name,
          "' has a gradient already, of a backward() outside of this step; optimizer.zero_grad() forgets "
          "it, and step.backward(model, batch) takes its place");
}

void TrainStep::add(const Loss& part, int64_t rows) {
  if (rows < 1) fail<ValueError>("TrainStep: a micro-batch of ", rows, " samples");
  meter_.add(part);
  if (const double sum = meter_.sum(); !std::isfinite(sum))
    fail<NumericError>("the loss is ", std::isnan(sum) ? "NaN" : "infinite");
  part.sum.backward();
  samples_ += rows;
}

double TrainStep::finish(const FinishOptions& options) {
  if (meter_.count() < 1)
    fail<StateError>(
        "TrainStep: no loss was added, so that there is no mean; step.backward(model, batch) adds one");
  const PhaseScope phase("optimizer");
  const std::vector<NamedTensor> parameters = optimizer_.parameters();
  if (std::ranges::none_of(parameters, [](const NamedTensor& p) { return p.tensor.grad().defined(); }))
    fail<StateError>("TrainStep: backward gave none of the optimizer's ", parameters.size(),
                     " parameters a gradient: the loss is of another model, or they are all frozen");
  const double average = 1.0 / static_cast<double>(meter_.count());
  const double norm = finite_grad_norm("TrainStep", parameters, average);
  const double factor = options.max_norm > 0 ? std::min(1.0, options.max_norm / (norm + 1e-6)) : 1.0;
  optimizer_.set_lr(options.lr);
  optimizer_.step(average * factor);
  optimizer_.zero_grad();
  meter_ = {};
  samples_ = 0;
  return norm;
}

}  // namespace weft
