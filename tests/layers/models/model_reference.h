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
      for (int64_t b = begin; b < begin + micro && !batch.documents.empty(); ++b)
        some.documents.push_back(batch.documents[static_cast<size_t>(b)]);
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

/// A document that shares a row has the logits that it has alone, and gradients are those of the documents as
/// micro-batches in the same order, bit for bit; computed anew in backward, too.
inline void check_documents_of(Model& model, int64_t vocab_size) {
  constexpr int64_t B = 2, T = 30;
  const DocumentBegins documents = {{0, 11, 12, 25}, {0, 9}};
  const auto ids = [&](uint64_t stream) {
    return random_uniform({B, T}, 0, static_cast<double>(vocab_size), random_key(7, stream)).to(int64);
  };
  const Batch packed{.inputs = ids(7), .targets = ids(8), .lengths = {T, T - 4}, .documents = documents};
  Batch counted = packed;  // what pads is not learned
  for (int64_t t = T - 4; t < T; ++t) counted.targets.mutable_data<int64_t>()[T + t] = Batch::ignored;
  CHECK(model.takes_documents());
  const auto gradients = [&] {
    std::vector<Array> grads;
    for (const auto& [name, tensor] : model.parameters()) grads.push_back(tensor.grad().value().copy());
    return grads;
  };
  model.zero_grad();
  const Tensor logits = model.logits(counted);
  model.loss(counted).sum.backward();
  const std::vector<Array> together = gradients();
  model.zero_grad();
  for (const Document& of : documents_of(documents, B, T)) {
    CAPTURE(of.row);
    CAPTURE(of.first);
    const int64_t tokens = of.row == 1 && of.first > 0 ? of.tokens - 4 : of.tokens;
    const auto own = [&](const Tensor& x) {
      return slice(slice(x, 0, of.row, of.row + 1), 1, of.first, of.first + tokens).value();
    };
    const Batch alone{own(Tensor(counted.inputs)), own(Tensor(counted.targets))};
    CHECK(own(logits).identical(model.logits(alone).value()));
    model.loss(alone).sum.backward();
  }
  const std::vector<Array> apart = gradients();
  model.zero_grad();
  model.recompute_blocks = true;
  model.loss(counted).sum.backward();
  model.recompute_blocks = false;
  const std::vector<Array> recomputed = gradients();
  for (size_t k = 0; k < together.size(); ++k) {
    CAPTURE(model.parameters()[k].name);
    CHECK(together[k].identical(apart[k]));
    CHECK(together[k].identical(recomputed[k]));
  }
  refuses<ValueError>(
      [&] {
        model.logits({.inputs = packed.inputs, .targets = {}, .documents = {{0}, {2}}});
      },
      {"row 1", "begin with 2"});
  refuses<ValueError>(
      [&] {
        model.loss({packed.inputs, packed.targets, {}, {{0, 30}, {0}}});
      },
      {"row 0", "begins at 30", "30 tokens"});
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
