// A recurrent language model: an LSTM or a GRU between token embeddings and logits (Mikolov et al. 2010;
// Zaremba et al. 2014 for the dropout between layers). What it remembers does not grow, and has no end.
#pragma once

#include <weft/layers/dropout.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/decoding/recurrent_state.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace weft {

struct RecurrentLMConfig {
  RecurrentCell cell = RecurrentCell::lstm;
  int64_t vocab_size = 0;
  int64_t n_layer = 2;
  int64_t n_embd = 128;        ///< width of embeddings and of each layer
  double dropout = 0.0;        ///< of embeddings and of what each layer gives
  bool tie_embeddings = true;  ///< the output layer is the token embedding (Press and Wolf 2017)
  int64_t n_class = 0;         ///< classes of a text, told by its last token; 0: it writes

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static RecurrentLMConfig from_state(const StateDict& state);
  static const Settings<RecurrentLMConfig>& settings();
};

/// token_embedding, dropout, recurrent, and without tied embeddings head, a Linear without bias. With classes there is no
/// head but classifier, a Linear without bias on the last token that counts. First values: the embedding uniform within
/// 0.1, the rest PyTorch's.
class RecurrentLM : public GenerativeModel {
 public:
  using Config = RecurrentLMConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::language, TaskKind::classification}; }
  explicit RecurrentLM(const RecurrentLMConfig& config);
  /// inputs (B, T), of which lengths count -> (B, T, V); with classes (B, n_class), and no documents.
  Tensor logits(const Batch& batch) const override;
  bool takes_documents() const override { return writes(); }
  bool writes() const override { return config.n_class == 0; }
  /// All its recurrent layers are one.
  int64_t hidden_layers() const override { return 1; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;

  using GenerativeModel::start;
  std::unique_ptr<DecoderState> start(int64_t rows) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  const RecurrentLMConfig config;
  Embedding& token_embedding;
  Dropout& dropout;
  Recurrent& recurrent;
  Linear* const head;        ///< null with tied embeddings, and with classes
  Linear* const classifier;  ///< null without classes

 private:
  Tensor hidden(int64_t layer, const Batch& batch) const;
  Tensor predict(const Tensor& h) const;
};

}  // namespace weft
