// Model: what every model has in common, whatever it reads: logits, a loss, and a configuration that builds
// it again. GenerativeModel adds writing, one token after another.
#pragma once

#include <weft/autograd/ops/loss.h>
#include <weft/layers/module.h>
#include <weft/lib/array/batch.h>
#include <weft/lib/array/data_shape.h>
#include <weft/lib/array/state_dict.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// What a model makes of a batch on its way to an answer.
struct HiddenStates {
  Tensor states{};                 ///< (B, T, C)
  std::vector<int64_t> lengths{};  ///< how many of the T count in each row; empty: all
};

class Model : public Module {
 public:
  /// The name that it was registered under (registry.h), which `weft train --model` takes: "gpt2", "bert".
  /// StateError for a model of a class that is not registered.
  std::string kind() const;
  /// What makes the same model again, weights apart: its settings, by name.
  StateDict config_state() const;
  /// What the model says to a batch: (B, T, V) for tokens, (B, classes) for classes. An encoder-decoder reads
  /// batch.targets too, shifted right by one behind its start token.
  virtual Tensor logits(const Batch& batch) const = 0;
  /// Whether logits() keeps attention, positions and states inside Batch::documents. By default not, and loss() refuses
  /// a batch that has some (ValueError).
  virtual bool takes_documents() const { return false; }
  /// How many layers hidden_states() tells apart; 0 of a model that has none to show.
  virtual int64_t hidden_layers() const { return 0; }
  /// What the first `layer` layers make of a batch, of an encoder-decoder those of the encoder: with 0 what the first one
  /// reads, with hidden_layers() what the last one gives, behind the norm that follows it: transformers' hidden_states[layer].
  /// Each row has the bits that it has alone. ValueError for a layer that is not there.
  virtual HiddenStates hidden_states(const Batch& batch, int64_t layer) const;
  /// The cross-entropy of the logits against batch.targets.
  virtual Loss loss(const Batch& batch) const;

  /// Backward computes each block's activations anew instead of keeping them (autograd/recompute.h): less
  /// memory, more time, the same bits. May be switched between any two passes; the model must outlive
  /// backward. Models without blocks take no notice.
  bool recompute_blocks = false;
  /// Share of each target spread over all classes, in the loss of training (not in evaluation).
  double label_smoothing = 0.0;
  /// loss() in evaluation, not in training, counts the targets whose logit is the largest, too (Loss::right).
  bool count_right = false;

 protected:
  /// loss(), once the logits are there.
  Loss loss_of(const Tensor& logits, const Array& targets) const;
  /// ValueError, naming the model, for documents of a batch that the model does not take: for a logits() or a
  /// loss() of its own.
  void check_documents(const DocumentBegins& documents) const;
  /// ValueError, naming the model, unless 0 <= layer <= hidden_layers().
  void check_layer(int64_t layer) const;
};

/// What a model remembers of the rows that it reads and writes, between two steps of decoding.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  /// Row i becomes what row rows[i] was, for all i: rows may be repeated, dropped and reordered (beams).
  /// ValueError for a row that is not there.
  virtual void select(std::span<const int64_t> rows) = 0;
  /// The rows of `other`, which has none then, stand behind these. False, and nothing is changed, where rows cannot be
  /// joined: by default never, and with the state of another model. What each row gives does not depend on it.
  virtual bool join(DecoderState&) { return false; }
  /// Tokens that row `row` has read.
  virtual int64_t length(int64_t row) const = 0;
  virtual int64_t rows() const = 0;
};

/// A model that writes. All that it needs is logits(), causal in the tokens that are written: what a token is
/// given may depend on those up to it alone. Then generation and beam search (decoding/generation.h) run with
/// it, each step reading all that was written so far again. A model that can remember what it has read
/// overrides start() and next(), which changes how long a step takes and no bit of what it gives.
class GenerativeModel : public Model {
 public:
  /// Whether this one writes. One with a head for classes (n_class of GPT, Llama and RecurrentLM) does not, and refuses
  /// start() and next() (ValueError).
  virtual bool writes() const { return true; }
  /// By default "vocab_size" of config_state(); StateError when it has none.
  virtual int64_t vocab_size() const;
  /// The most tokens a row may read; INT64_MAX when there is no limit. By default "block_size" of
  /// config_state(), or no limit when it has none.
  virtual int64_t context() const;
  /// Whether it writes in answer to a sequence that it reads whole first.
  virtual bool has_encoder() const { return false; }
  /// The id that an encoder-decoder's answer begins with: by default "start_id" of config_state(). ValueError
  /// without an encoder.
  virtual int64_t start_id() const;

  /// `rows` rows that have read nothing. By default the state is what each row has read.
  virtual std::unique_ptr<DecoderState> start(int64_t rows) const;
  /// Rows that answer source.inputs, of which source.lengths count. Encoder-decoders only.
  virtual std::unique_ptr<DecoderState> start(const Batch& source) const;
  /// Reads ids (B, T), of which lengths[b] in row b count, the rest being padding on the right (empty: all of
  /// them) -> logits (B, V) after the last token of each row. Each row has the bits that it has alone, and
  /// that the full pass over all its tokens gives. No gradient. ShapeError beyond the context.
  ///
  /// By default logits() of all that was read, (B, T) ids with lengths; of an encoder-decoder, of the source
  /// with as targets what was read behind the start id, which each row must begin with (ValueError).
  virtual Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const;

 protected:
  /// ValueError, naming the model, unless it writes.
  void check_writes() const;
};

/// The model as one that writes; null when it does not.
const GenerativeModel* as_writer(const Model& model);
GenerativeModel* as_writer(Model& model);

}  // namespace weft
