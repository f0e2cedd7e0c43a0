#include <weft/layers/models/config_fields.h>
#include <weft/layers/models/recurrent_lm.h>

namespace weft {

namespace {

const ConfigField<RecurrentLMConfig> fields[] = {
    {"vocab_size", &RecurrentLMConfig::vocab_size, 1, 1 << 24},
    {"n_layer", &RecurrentLMConfig::n_layer, 1, 1024},
    {"n_embd", &RecurrentLMConfig::n_embd, 1, 1 << 17},
    {"dropout", &RecurrentLMConfig::dropout, 0, 1},
    {"tie_embeddings", &RecurrentLMConfig::tie_embeddings},
};

RecurrentLMConfig checked(const RecurrentLMConfig& config) {
  config.check();
  return config;
}

std::string name_of(RecurrentCell cell) { return cell == RecurrentCell::lstm ? "lstm" : "gru"; }

}  // namespace

void RecurrentLMConfig::check() const { check_fields("RecurrentLM", *this, fields); }

StateDict RecurrentLMConfig::state() const {
  StateDict state = state_of(*this, fields);
  state.set("cell", name_of(cell));
  return state;
}

RecurrentLMConfig RecurrentLMConfig::from_state(const StateDict& state) {
  RecurrentLMConfig config = config_of<RecurrentLMConfig>(state, fields);
  const std::string cell = state.text("cell");
  if (cell != "lstm" && cell != "gru")
    fail<ValueError>("RecurrentLM: cell = ", cell, " is neither lstm nor gru");
  config.cell = cell == "lstm" ? RecurrentCell::lstm : RecurrentCell::gru;
  return checked(config);
}

RecurrentLM::RecurrentLM(const RecurrentLMConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::uniform(-0.1, 0.1))),
      dropout(child<Dropout>("dropout", config.dropout)),
      recurrent(child<Recurrent>("recurrent", config.cell, config.n_embd, config.n_embd,
                                 RecurrentOptions{.layers = config.n_layer, .dropout = config.dropout})),
      head(config.tie_embeddings
               ? nullptr
               : &child<Linear>("head", config.n_embd, config.vocab_size, LinearOptions{.bias = false})) {}

std::string RecurrentLM::kind() const { return name_of(config.cell); }

Tensor RecurrentLM::predict(const Tensor& h) const {
  const LayerScope layer = profile_scope("head");
  return linear(h, head ? head->weight : token_embedding.weight);
}

Tensor RecurrentLM::logits(const Batch& batch) const {
  if (batch.inputs.rank() != 2)
    fail<ShapeError>(kind(), ": ids are ", batch.inputs.shape(), ": needs (B, T)");
  const Tensor x = dropout(token_embedding(batch.inputs));  // (B, T, C)
  return predict(dropout(recurrent(x, batch.lengths).y));   // (B, T, V)
}

std::unique_ptr<DecoderState> RecurrentLM::start(int64_t rows) const {
  return std::make_unique<RecurrentDecoderState>(recurrent.zero_states(rows));
}

Tensor RecurrentLM::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  const NoGrad no_grad;
  RecurrentDecoderState& state =
      RecurrentDecoderState::of(kind(), of, recurrent.weights.size(), ids, lengths);
  const Tensor x = dropout(token_embedding(ids));
  RecurrentOutput out = recurrent(x, std::vector<int64_t>(lengths.begin(), lengths.end()), state.states());
  const Tensor y = predict(dropout(out.states.back().h));  // (B, V)
  state.advance(std::move(out.states), lengths, ids.dim(1));
  return y;
}

}  // namespace weft
