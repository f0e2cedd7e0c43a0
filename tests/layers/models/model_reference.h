// Models of PyTorch and transformers from tests/reference/<file>, against ours.
#pragma once

#include <weft/layers/models/model.h>

#include "../reference.h"

namespace weft::test {

inline StateDict model_file(const std::string& file) {
  return read_hdf5(str(WEFT_SOURCE_DIR "/tests/reference/", file));
}

inline Batch batch_of(const StateDict& expected) {
  Batch batch{expected.array("inputs"), expected.array("targets")};
  if (expected.contains("lengths")) {
    const std::span<const int64_t> lengths = expected.array("lengths").values<int64_t>();
    batch.lengths.assign(lengths.begin(), lengths.end());
  }
  return batch;
}

/// The model of the case's config has its names, and from its weights gives its logits, its loss and all its
/// gradients, in float and in double.
template <class M, class Config>
void check_model(const StateDict& expected, double label_smoothing = 0.0) {
  const NoInit no_init;
  M model(Config::from_state(expected.dict("config")));
  model.label_smoothing = label_smoothing;
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const double tolerance = dtype == float32 ? 1e-5 : 2e-7;  // the file's numbers are rounded to float
    model.to(dtype);
    model.load_state_dict(converted(expected.dict("weights"), dtype));
    Batch batch = batch_of(expected);
    if (is_floating(batch.inputs.dtype())) batch.inputs = batch.inputs.to(dtype);
    CHECK(difference(model.logits(batch).value(), expected.array("logits"), tolerance) == "");
    for (const bool recomputed : {false, true}) {
      CAPTURE(recomputed);
      model.zero_grad();
      model.recompute_blocks = recomputed;
      const Tensor loss = model.loss(batch).mean();
      CHECK(difference(loss.value(), expected.array("loss"), tolerance) == "");
      loss.backward();
      check_grads(model, expected.dict("grads"), tolerance);
    }
  }
}

/// Gradients of a batch in parts have the bits of the batch at once, dropout on.
inline void check_micro_batches(Model& model, const Batch& batch) {
  const int64_t B = batch.inputs.dim(0);
  const auto run = [&](int64_t micro) {
    model.zero_grad();
    for (int64_t begin = 0; begin < B; begin += micro) {
      const RandomScope random({.seed = 2, .step = 9, .first_sample = static_cast<uint64_t>(begin)});
      const auto part = [&](const Array& all) { return slice(Tensor(all), 0, begin, begin + micro).value(); };
      Batch some{part(batch.inputs), part(batch.targets)};
      for (int64_t b = begin; b < begin + micro && !batch.lengths.empty(); ++b)
        some.lengths.push_back(batch.lengths[static_cast<size_t>(b)]);
      model.loss(some).sum.backward();
    }
    std::vector<Array> grads;
    for (const auto& [name, tensor] : model.parameters()) grads.push_back(tensor.grad().value().copy());
    return grads;
  };
  const std::vector<Array> whole = run(B), parts = run(1);
  for (size_t k = 0; k < whole.size(); ++k) {
    CAPTURE(model.parameters()[k].name);
    CHECK(parts[k].identical(whole[k]));
  }
}

/// Standard deviation of the first values of each kind of parameter: zeros for biases, ones for norms'
/// weights, `deviation` for the rest.
inline void check_first_values(const Model& model, double deviation) {
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    if (p.name.ends_with("bias")) {
      CHECK(p.tensor.value().identical(Array::zeros(p.tensor.shape())));
    } else if (p.tensor.rank() == 1) {
      CHECK(p.tensor.value().identical(Array::ones(p.tensor.shape())));
    } else if (p.tensor.size() >= 1000) {
      CHECK(std::sqrt(var(p.tensor).item()) == doctest::Approx(deviation).scale(0).epsilon(0.05));
    }
  }
}

inline Array some_ids(const Shape& shape, int64_t vocab_size) {
  return random_uniform(shape, 0, static_cast<double>(vocab_size), random_key(7, 7)).to(int64);
}

}  // namespace weft::test
