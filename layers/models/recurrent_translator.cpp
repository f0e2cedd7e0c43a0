#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/recurrent_translator.h>

namespace weft {

namespace {

constexpr const char* name = "RecurrentTranslator";

RecurrentTranslatorConfig checked(const RecurrentTranslatorConfig& config) {
  config.check();
  return config;
}

Tensor side_by_side(const Tensor& forwards, const Tensor& backwards) {
  return cat({forwards, backwards}, -1);
}

}  // namespace

void RecurrentTranslatorConfig::check() const {
  settings().check(name, *this);
  if (n_embd % 2 != 0)
    fail<ValueError>(name, ": n_embd = ", n_embd, " is odd: the encoder has half of it in each direction");
  if (start_id >= vocab_size)
    fail<ValueError>(name, ": start_id = ", start_id, " is no id below vocab_size = ", vocab_size);
}

const Settings<RecurrentTranslatorConfig>& RecurrentTranslatorConfig::settings() {
  using C = RecurrentTranslatorConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two")
          .in_runs(int64_t{4}),
      Field(&C::n_embd, "n_embd", 2, 1 << 17, "width of the model"),
      Field(&C::start_id, "start_id", 0, 1 << 24).from_data(),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::tie_embeddings, "tie_embeddings", "the output layer is the token embedding")};
  return all;
}

StateDict RecurrentTranslatorConfig::state() const { return settings().state(*this); }

RecurrentTranslatorConfig RecurrentTranslatorConfig::from_state(const StateDict& state) {
  return checked(settings().from_state(state));
}

RecurrentTranslator::RecurrentTranslator(const RecurrentTranslatorConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::uniform(-0.1, 0.1))),
      dropout(child<Dropout>("dropout", config.dropout)),
      encoder(child<LSTM>(
          "encoder", config.n_embd, config.n_embd / 2,
          RecurrentOptions{.layers = config.n_layer, .dropout = config.dropout, .bidirectional = true})),
      decoder(child<LSTM>("decoder", config.n_embd, config.n_embd,
                          RecurrentOptions{.layers = config.n_layer, .dropout = config.dropout})),
      attention(child<AdditiveAttention>("attention", config.n_embd, config.n_embd, config.n_embd)),
      combine(child<Linear>("combine", 2 * config.n_embd, config.n_embd)),
      head(config.tie_embeddings
               ? nullptr
               : &child<Linear>("head", config.n_embd, config.vocab_size, LinearOptions{.bias = false})) {}

RecurrentTranslator::Source RecurrentTranslator::encode(const Array& ids,
                                                        const std::vector<int64_t>& lengths) const {
  if (ids.rank() != 2) fail<ShapeError>(name, ": the ids to be read are ", ids.shape(), ": needs (B, S)");
  const RecurrentOutput out = encoder(dropout(token_embedding(ids)), lengths);
  Source source{attention.read(out.y, lengths), {}};
  for (size_t k = 0; k < out.states.size(); k += 2) {
    const RecurrentState &forwards = out.states[k], &backwards = out.states[k + 1];
    source.states.push_back({side_by_side(forwards.h, backwards.h), side_by_side(forwards.c, backwards.c)});
  }
  return source;
}

Tensor RecurrentTranslator::predict(const Tensor& h, const AdditiveAttention::Memory& memory) const {
  const Tensor found = attention(h, memory);
  const Tensor y = dropout(tanh(combine(cat({found, h}, -1))));
  const LayerScope layer = profile_scope("head");
  return head ? head->forward(y) : linear(y, token_embedding.weight);
}

Tensor RecurrentTranslator::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Array ids = shifted_right(name, batch.targets, config.start_id);
  const Source source = encode(batch.inputs, batch.lengths);
  return predict(decoder(dropout(token_embedding(ids)), std::vector<int64_t>{}, source.states).y,
                 source.memory);
}

HiddenStates RecurrentTranslator::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  check_documents(batch.documents);
  if (batch.inputs.rank() != 2)
    fail<ShapeError>(name, ": the ids to be read are ", batch.inputs.shape(), ": needs (B, S)");
  const Tensor x = dropout(token_embedding(batch.inputs));
  return {layer == 0 ? x : encoder(x, batch.lengths).y, batch.lengths};
}

std::unique_ptr<DecoderState> RecurrentTranslator::start(const Batch& source) const {
  const NoGrad no_grad;
  Source read = encode(source.inputs, source.lengths);
  return std::make_unique<RecurrentDecoderState>(std::move(read.states), std::move(read.memory));
}

Tensor RecurrentTranslator::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  const NoGrad no_grad;
  RecurrentDecoderState& state = RecurrentDecoderState::of(name, of, decoder.weights.size(), ids, lengths);
  if (!state.memory().states.defined())
    fail<ValueError>(name, ": the state has read no sequence to answer: start() from one");
  RecurrentOutput out = decoder(dropout(token_embedding(ids)),
                                std::vector<int64_t>(lengths.begin(), lengths.end()), state.states());
  const Tensor h = out.states.back().h;  // (B, C)
  const Tensor y = predict(reshape(h, {h.dim(0), 1, h.dim(1)}), state.memory());
  state.advance(std::move(out.states), lengths, ids.dim(1));
  return reshape(y, {y.dim(0), y.dim(2)});
}

}  // namespace weft
