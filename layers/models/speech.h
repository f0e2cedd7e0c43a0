// Speech: what hears. Convolutions and an encoder over log-mel frames, and behind them one of three heads: the class of a
// whole sound, labels by connectionist temporal classification (Graves et al. 2006), or the decoder of the Transformer
// ("Listen, Attend and Spell", Chan et al. 2016, with the layers of Vaswani et al. 2017; the front is that of Whisper, Radford
// et al. 2022).
#pragma once

#include <weft/layers/conv.h>
#include <weft/layers/models/decoding/transcriber.h>
#include <weft/layers/models/text_decoder.h>
#include <weft/lib/settings/settings.h>

#include <memory>
#include <vector>

namespace weft {

enum class SpeechHead { ctc, decoder };

struct SpeechConfig {
  int64_t n_mels = 80;      ///< M, numbers of a frame
  int64_t sample_rate = 0;  ///< these four: what the frames were made from (data/sounds/log_mel.h)
  int64_t n_fft = 0;
  int64_t hop_length = 0;
  bool centred = false;
  int64_t longest_frames =
      0;                   ///< that it was trained on; longer sounds are best heard in windows; 0: not known
  int64_t n_class = 0;     ///< > 0: tells classes, and writes nothing
  int64_t vocab_size = 0;  ///< of what is written
  int64_t pad_id = 0;      ///< said where nothing is: CTC's blank, as Wav2Vec2's in transformers
  int64_t start_id = 0, end_id = 0;
  SpeechHead head = SpeechHead::ctc;  ///< of what writes
  double ctc_weight = 0.3;   ///< with a decoder: share of the loss of a CTC head beside it, in training
  int64_t block_size = 512;  ///< with a decoder: longest answer, in tokens
  int64_t subsampling = 2;   ///< frames of the input to one of the encoder: 1, 2 or 4
  int64_t n_layer = 4;       ///< of the encoder, and as many of a decoder
  int64_t n_head = 4;
  int64_t n_embd = 128;
  int64_t n_inner = 0;   ///< width of the feed-forward layers; 0: 4 n_embd
  double dropout = 0.0;  ///< of embeddings, attention weights and each sublayer's result
  double drop_path =
      0.0;  ///< of the encoder's last block's sublayers; grows evenly from 0, that of the first
  double layer_norm_eps = 1e-5;

  void check() const;
  /// Of sounds with classes there is no vocabulary, and the other way round.
  void fit(const DataShape& data);
  StateDict state() const;
  static SpeechConfig from_state(const StateDict& state);
  static const Settings<SpeechConfig>& settings();
};

/// convolutions.0 .. (along time, kernels of 3, GELU; as many with a stride of 2 as subsampling asks for), dropout,
/// encoder.blocks.0 .. n_layer - 1 (pre-norm, GELU, rotary positions, so that no length is the longest), encoder.norm; then
///   classes   head, of the mean over all frames
///   ctc       head, V classes a frame of which pad_id is the blank
///   decoder   token_embedding, position_encoding, decoder.blocks (ReLU), decoder.norm, and with ctc_weight head as of ctc
/// First values: convolutions as Conv1d's, the embedding normal(0, 1 / sqrt(C)), matrices Xavier-uniform, biases 0.
class Speech : public GenerativeModel, public Transcriber {
 public:
  using Config = SpeechConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::sounds, TaskKind::transcripts}; }
  explicit Speech(const SpeechConfig& config);

  /// inputs (B, T, M), floating, of which lengths[b] frames count -> (B, n_class), (B, T', V), or, with a decoder, which
  /// reads start_id and all but the last of targets (B, U), (B, U, V).
  Tensor logits(const Batch& batch) const override;
  /// Of CTC per label, the end of targets being none; of a decoder per token, in training with ctc_weight of CTC's in it.
  Loss loss(const Batch& batch) const override;
  /// (B, T, M), of which lengths[b] count (empty: all) -> (B, T', C). What lies behind a length is as if it were not there.
  Tensor encode(const Array& frames, const std::vector<int64_t>& lengths = {}) const;
  int64_t hidden_layers() const override { return config.n_layer; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;
  /// Frames of the encoder for so many of the input.
  int64_t encoded(int64_t frames) const;

  bool writes() const override { return config.n_class == 0 && config.head == SpeechHead::decoder; }
  bool has_encoder() const override { return true; }
  int64_t context() const override { return config.block_size; }
  using GenerativeModel::start;
  std::unique_ptr<DecoderState> start(const Batch& source) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  /// Of CTC by prefix beam search (decoding/ctc.h), of a decoder by beam search (decoding/generation.h); times are those of
  /// the likeliest alignment of a CTC head, if there is one.
  std::vector<Transcript> transcribe(const Batch& sounds, const TranscribeOptions& options) const override;
  Array frame_log_p(const Batch& sounds) const override;
  int64_t blank() const override { return config.pad_id; }
  bool by_frames() const override { return config.n_class == 0 && !writes(); }
  int64_t subsampling() const override { return config.subsampling; }

  const SpeechConfig config;
  ModuleList<Conv1d>& convolutions;
  Dropout& dropout;
  ModuleList<EncoderBlock>& encoder_blocks;
  LayerNorm& encoder_norm;
  Linear* const head;                ///< null of a decoder without ctc_weight
  Embedding* const token_embedding;  ///< these: null without a decoder
  SinusoidalPositionalEncoding* const position_encoding;
  ModuleList<DecoderBlock>* const decoder_blocks;
  LayerNorm* const decoder_norm;

 private:
  /// What the encoder's first `count` blocks make of frames; of all of them, behind the norm.
  Tensor encode_by(int64_t count, const Array& frames, const std::vector<int64_t>& lengths) const;
  TextDecoder decoder() const;
  std::vector<int64_t> encoded(const std::vector<int64_t>& lengths) const;
  /// Of labels alone, by the encoder's output.
  Loss ctc(const Tensor& x, const Batch& batch) const;
};

}  // namespace weft
