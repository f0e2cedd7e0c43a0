#include <weft/layers/recurrent.h>

namespace weft {

namespace {

const char* name_of(RecurrentCell cell) { return cell == RecurrentCell::lstm ? "LSTM" : "GRU"; }

RecurrentOptions checked(RecurrentCell cell, int64_t inputs, int64_t width, const RecurrentOptions& options) {
  if (inputs < 1 || width < 1 || options.layers < 1)
    fail<ValueError>(name_of(cell), ": ", inputs, " inputs, ", width, " units, ", options.layers,
                     " layers: each must be at least 1");
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>(name_of(cell), ": the dropout ", options.dropout, " is not in [0, 1)");
  return options;
}

}  // namespace

Recurrent::Recurrent(RecurrentCell kind, int64_t inputs, int64_t H, const RecurrentOptions& given)
    : cell(kind), width(H), options(checked(kind, inputs, H, given)) {
  const int64_t G = cell == RecurrentCell::lstm ? 4 : 3;
  const Init init = init::fan_in_uniform(H);
  for (int64_t layer = 0; layer < options.layers; ++layer)
    for (int64_t direction = 0; direction < directions(); ++direction) {
      const std::string suffix = str("_l", layer, direction == 1 ? "_reverse" : "");
      const int64_t I = layer == 0 ? inputs : H * directions();
      RecurrentWeights made;
      made.ih = parameter("weight_ih" + suffix, {G * H, I}, init);
      made.hh = parameter("weight_hh" + suffix, {G * H, H}, init);
      if (options.bias) {
        made.bias_ih = parameter("bias_ih" + suffix, {G * H}, init);
        made.bias_hh = parameter("bias_hh" + suffix, {G * H}, init);
      }
      weights.push_back(made);
    }
}

RecurrentStates Recurrent::zero_states(int64_t B) const {
  const DType dtype = weights[0].hh.dtype();
  const auto state = [&] { return zeros({B, width}, dtype); };
  RecurrentStates states;
  for (size_t k = 0; k < weights.size(); ++k)
    states.push_back({state(), cell == RecurrentCell::lstm ? state() : Tensor()});
  return states;
}

RecurrentOutput Recurrent::forward(const Tensor& x, const std::vector<int64_t>& lengths,
                                   const RecurrentStates& initial, const DocumentBegins& documents) const {
  if (!initial.empty() && initial.size() != weights.size())
    fail<ValueError>(name_of(cell), ": ", initial.size(), " initial states for ", weights.size(),
                     " layers and directions");
  RecurrentOutput out{x, {}};
  for (size_t k = 0; k < weights.size();) {
    if (k > 0 && options.dropout > 0 && training()) out.y = dropout(out.y, options.dropout, path());
    std::vector<Tensor> y;
    for (const bool reverse : {false, true}) {
      if (reverse && !options.bidirectional) continue;
      const RecurrenceOptions how{.initial = initial.empty() ? RecurrentState{} : initial[k],
                                  .lengths = lengths,
                                  .documents = documents,
                                  .reverse = reverse};
      const Recurrence made =
          cell == RecurrentCell::lstm ? lstm(out.y, weights[k], how) : gru(out.y, weights[k], how);
      y.push_back(made.y);
      out.states.push_back(made.state);
      ++k;
    }
    out.y = y.size() == 1 ? y[0] : cat(y, -1);
  }
  return out;
}

}  // namespace weft
