#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/recurrent_lm.h>

namespace weft {

namespace {

RecurrentLMConfig checked(const RecurrentLMConfig& config) {
  config.check();
  return config;
}

}  // namespace

void RecurrentLMConfig::check() const { settings().check("RecurrentLM", *this); }

const Settings<RecurrentLMConfig>& RecurrentLMConfig::settings() {
  using C = RecurrentLMConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two")
          .in_runs(int64_t{4}),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::tie_embeddings, "tie_embeddings", "the output layer is the token embedding"),
      Field(&C::n_class, "n_class", 0, 1 << 20).from_data(),
      Field(&C::cell, "cell", {{"lstm", RecurrentCell::lstm}, {"gru", RecurrentCell::gru}})
          .from_data()
          .required()};
  return all;
}

StateDict RecurrentLMConfig::state() const { return settings().state(*this); }

RecurrentLMConfig RecurrentLMConfig::from_state(const StateDict& state) {
  return checked(settings().from_state(state));
}

RecurrentLM::RecurrentLM(const RecurrentLMConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::uniform(-0.1, 0.1))),
      dropout(child<Dropout>("dropout", config.dropout)),
      recurrent(child<Recurrent>("recurrent", config.cell, config.n_embd, config.n_embd,
                                 RecurrentOptions{.layers = config.n_layer, .dropout = config.dropout})),
      head(config.tie_embeddings || config.n_class > 0
               ? nullptr
               : &child<Linear>("head", config.n_embd, config.vocab_size, LinearOptions{.bias = false})),
      classifier(config.n_class == 0 ? nullptr
                                     : &child<Linear>("classifier", config.n_embd, config.n_class,
                                                      LinearOptions{.bias = false})) {}

Tensor RecurrentLM::predict(const Tensor& h) const {
  const LayerScope layer = profile_scope("head");
  return head ? head->forward(h) : linear(h, token_embedding.weight);
}

Tensor RecurrentLM::hidden(int64_t layer, const Batch& batch) const {
  if (batch.inputs.rank() != 2)
    fail<ShapeError>(kind(), ": ids are ", batch.inputs.shape(), ": needs (B, T)");
  check_documents(batch.documents);
  const Tensor x = dropout(token_embedding(batch.inputs));  // (B, T, C)
  return layer == 0 ? x : recurrent(x, batch.lengths, RecurrentStates{}, batch.documents).y;
}

HiddenStates RecurrentLM::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  return {hidden(layer, batch), batch.lengths};
}

Tensor RecurrentLM::logits(const Batch& batch) const {
  const Tensor y = hidden(1, batch);
  if (classifier) return (*classifier)(dropout(last_tokens(kind(), y, batch.lengths)));  // (B, n_class)
  return predict(dropout(y));                                                            // (B, T, V)
}

std::unique_ptr<DecoderState> RecurrentLM::start(int64_t rows) const {
  check_writes();
  return std::make_unique<RecurrentDecoderState>(recurrent.zero_states(rows));
}

Tensor RecurrentLM::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  check_writes();
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
