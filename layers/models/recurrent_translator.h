// A recurrent encoder-decoder with attention: a bidirectional LSTM reads a sequence, a second LSTM answers it
// (Sutskever et al. 2014), looking back by additive attention (Bahdanau et al. 2015).
//
// Bahdanau et al. let the state before a token ask, and feed what it found into the step. Here the state
// after it asks, as in Luong et al. 2015 (section 3.1, with their score "concat", which is Bahdanau's): so
// the decoder is one operation over all its time, and all its tokens ask at once.
#pragma once

#include <weft/layers/dropout.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/decoding/recurrent_state.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace weft {

struct RecurrentTranslatorConfig {
  int64_t vocab_size = 0;  ///< one vocabulary for what is read and what is written
  int64_t n_layer = 1;     ///< of the encoder, and as many of the decoder
  int64_t n_embd = 128;    ///< width C of embeddings, states and attention; the encoder has C / 2 each way
  int64_t start_id = 0;    ///< what an answer begins with
  double dropout = 0.0;    ///< of embeddings, between layers, and of what is predicted from
  bool tie_embeddings = true;  ///< the output layer is the token embedding

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static RecurrentTranslatorConfig from_state(const StateDict& state);
  static const Settings<RecurrentTranslatorConfig>& settings();
};

/// token_embedding, dropout, encoder, decoder, attention, combine (Linear 2 C -> C) and, without tied
/// embeddings, head (Linear without bias). Layer k of the decoder begins with the last states of the
/// encoder's layer k, both directions side by side; with h_t its last layer's state and c_t what attention
/// found, logits = head(tanh(combine(c_t, h_t))) (Luong et al. 2015, equation 5).
class RecurrentTranslator : public GenerativeModel {
 public:
  using Config = RecurrentTranslatorConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::pairs}; }
  explicit RecurrentTranslator(const RecurrentTranslatorConfig& config);

  /// Reads inputs (B, S), of which lengths count, and start_id followed by all but the last of targets (B, T)
  /// -> (B, T, V). In place of targets that are ignored it reads start_id.
  Tensor logits(const Batch& batch) const override;

  bool has_encoder() const override { return true; }
  /// All recurrent layers of the encoder are one.
  int64_t hidden_layers() const override { return 1; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;
  using GenerativeModel::start;
  std::unique_ptr<DecoderState> start(const Batch& source) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  const RecurrentTranslatorConfig config;
  Embedding& token_embedding;
  Dropout& dropout;
  LSTM &encoder, &decoder;
  AdditiveAttention& attention;
  Linear& combine;
  Linear* const head;  ///< null with tied embeddings

 private:
  struct Source {
    AdditiveAttention::Memory memory;
    RecurrentStates states;  ///< that the decoder begins with
  };
  Source encode(const Array& ids, const std::vector<int64_t>& lengths) const;
  /// From the decoder's states after each token (B, T, C).
  Tensor predict(const Tensor& h, const AdditiveAttention::Memory& memory) const;
};

}  // namespace weft
