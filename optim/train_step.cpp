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
  if (options_.shards != nullptr) options_.shards->begin();
}

UpdatePiece TrainStep::whole(int64_t rows) const {
  if (options_.shards != nullptr && options_.shards->share().shards > 1)
    fail<StateError>(
        "TrainStep: samples in shards come as pieces: for (const UpdatePiece& piece : loader.update()) "
        "step.backward(model, loader.next(), piece)");
  return {.count = rows, .offset = samples_};
}

void TrainStep::add(const Loss& part, const UpdatePiece& piece) {
  if (piece.count < 1) fail<ValueError>("TrainStep: a micro-batch of ", piece.count, " samples");
  GradientShards* const shards = options_.shards;
  if (shards != nullptr) shards->processes().check();
  finished_ = false;
  meter_.add(part);
  if (const double sum = meter_.sum(); !std::isfinite(sum))
    fail<NumericError>("the loss is ", std::isnan(sum) ? "NaN" : "infinite");
  if (shards != nullptr) {
    part.sum.backward(shards->backward_options(piece));
    shards->end_piece(piece, part);
  } else {
    part.sum.backward();
  }
  samples_ += piece.count;
}

double TrainStep::finish(const FinishOptions& options) {
  const PhaseScope phase("optimizer");
  double loss = meter_.sum();
  int64_t rows = meter_.count();
  notes_ = {options.note};
  if (options_.shards != nullptr) {
    GradientShards::Total total = options_.shards->finish(options.note);
    loss = total.loss;
    rows = total.rows;
    notes_ = std::move(total.notes);
  }
  if (rows < 1)
    fail<StateError>(
        "TrainStep: no loss was added, so that there is no mean; step.backward(model, batch) adds one");
  const std::vector<NamedTensor> parameters = optimizer_.parameters();
  if (std::ranges::none_of(parameters, [](const NamedTensor& p) { return p.tensor.grad().defined(); }))
    fail<StateError>("TrainStep: backward gave none of the optimizer's ", parameters.size(),
                     " parameters a gradient: the loss is of another model, or they are all frozen");
  const double average = 1.0 / static_cast<double>(rows);
  const double norm = finite_grad_norm("TrainStep", parameters, average);
  if (options.on_gradients) options.on_gradients(average);
  const double factor = options.max_norm > 0 ? std::min(1.0, options.max_norm / (norm + 1e-6)) : 1.0;
  optimizer_.set_lr(options.lr);
  optimizer_.step(average * factor);
  optimizer_.zero_grad();
  meter_ = {};
  samples_ = 0;
  finished_ = true;
  rows_ = rows;
  loss_ = loss / static_cast<double>(rows);
  return norm;
}

}  // namespace weft
