#include <weft/autograd/ops/ctc.h>
#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/speech.h>

#include <algorithm>
#include <cmath>

namespace weft {

namespace {

SpeechConfig checked(const SpeechConfig& config) {
  config.check();
  return config;
}

BlockOptions block_options(const SpeechConfig& config) {
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .layer_norm = {.eps = config.layer_norm_eps},
          .attention = {.dropout = config.dropout, .input = xavier_linear(), .output = xavier_linear()},
          .feed_forward = {.hidden = config.n_inner, .up = xavier_linear(), .down = xavier_linear()}};
}

BlockOptions encoder_options(const SpeechConfig& config, int64_t block) {
  BlockOptions options = block_options(config);
  options.drop_path = config.drop_path * static_cast<double>(block) /
                      static_cast<double>(std::max<int64_t>(1, config.n_layer - 1));
  options.attention.rotary = RotaryFrequencies{};
  return options;
}

BlockOptions decoder_options(const SpeechConfig& config) {
  BlockOptions options = block_options(config);
  options.feed_forward.activation = Activation::relu;
  return options;
}

constexpr int64_t kernel = 3;

int64_t halved(int64_t frames) { return (frames + 1) / 2; }

/// Zeros behind the lengths: x (B, C, T).
Tensor cut(const Tensor& x, const std::vector<int64_t>& lengths) {
  const int64_t T = x.dim(2);
  if (std::ranges::all_of(lengths, [T](int64_t length) { return length >= T; })) return x;
  Array behind({x.dim(0), 1, T}, boolean);
  bool* const to = behind.mutable_data<bool>();
  for (int64_t b = 0; b < x.dim(0); ++b)
    for (int64_t t = 0; t < T; ++t) to[b * T + t] = t >= lengths[static_cast<size_t>(b)];
  return masked_fill(x, behind, 0.0);
}

/// Without the end of each row.
Array without_end(const Array& targets, int64_t end_id) {
  Array labels = targets.copy();
  const int64_t B = labels.dim(0), U = labels.dim(1);
  for (int64_t b = 0; b < B; ++b) {
    int64_t* const row = labels.mutable_data<int64_t>() + b * U;
    int64_t* const end = std::find(row, row + U, Batch::ignored);
    if (end != row && end[-1] == end_id) end[-1] = Batch::ignored;
  }
  return labels;
}

}  // namespace

void SpeechConfig::check() const {
  settings().check("Speech", *this);
  if (n_class == 0 && vocab_size == 0)
    fail<ValueError>("Speech: n_class and vocab_size are 0: one of them tells what it says");
  if (n_embd % n_head != 0 || n_embd / n_head % 2 != 0)
    fail<ValueError>("Speech: n_embd = ", n_embd, " is not divided by n_head = ", n_head,
                     " into heads of an even width, which rotary positions need");
  if (subsampling != 1 && subsampling != 2 && subsampling != 4)
    fail<ValueError>("Speech: subsampling = ", subsampling, " is none of 1, 2 and 4");
  for (const int64_t id : {pad_id, start_id, end_id})
    if (n_class == 0 && (id < 0 || id >= vocab_size))
      fail<ValueError>("Speech: pad_id = ", pad_id, ", start_id = ", start_id, " and end_id = ", end_id,
                       " are not all ids below vocab_size = ", vocab_size);
}

void SpeechConfig::fit(const DataShape& data) {
  if (data.kind == TaskKind::sounds) vocab_size = pad_id = start_id = end_id = 0;
  if (data.kind == TaskKind::transcripts) n_class = 0;
}

const Settings<SpeechConfig>& SpeechConfig::settings() {
  using C = SpeechConfig;
  static const Settings<C> all = {
      Field(&C::n_mels, "n_mels", 1, 1 << 12).from_data().required(),
      Field(&C::sample_rate, "sample_rate", 0, 1 << 20).from_data(),
      Field(&C::n_fft, "n_fft", 0, 1 << 16).from_data(),
      Field(&C::hop_length, "hop_length", 0, 1 << 16).from_data(),
      Field(&C::centred, "normalize", {{"none", false}, {"mean", true}}).from_data(),
      Field(&C::longest_frames, "longest_frames", 0, int64_t{1} << 40).from_data(),
      Field(&C::n_class, "n_class", 0, 1 << 20).from_data(),
      Field(&C::vocab_size, "vocab_size", 0, 1 << 24).from_data(),
      Field(&C::pad_id, "pad_id", -1, 1 << 24).from_data(),
      Field(&C::start_id, "start_id", -1, 1 << 24).from_data(),
      Field(&C::end_id, "end_id", -1, 1 << 24).from_data(),
      Field(&C::head, "head", {{"ctc", SpeechHead::ctc}, {"decoder", SpeechHead::decoder}},
            "what writes: labels by frames, or a decoder that attends to them"),
      Field(&C::ctc_weight, "ctc_weight", 0.0, 1.0,
            "head=decoder: share of the loss that labels by frames have, in training"),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens").in_runs(int64_t{64}),
      Field(&C::subsampling, "subsampling", 1, 4,
            "frames of the sound to one that is attended to: 1, 2 or 4"),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 2, 1 << 17, "width of the model"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::drop_path, "drop_path", 0.0, 1.0,
            "stochastic depth, the probability that the last block is left out of a sample"),
      Field(&C::layer_norm_eps, "layer_norm_eps", 0.0, 1.0, "added to the variance in norms")};
  return all;
}

StateDict SpeechConfig::state() const { return settings().state(*this); }

SpeechConfig SpeechConfig::from_state(const StateDict& state) {
  return checked(settings().from_state(state));
}

Speech::Speech(const SpeechConfig& given)
    : config(checked(given)),
      convolutions([this]() -> ModuleList<Conv1d>& {
        auto& made = child<ModuleList<Conv1d>>("convolutions");
        made.append(config.n_mels, config.n_embd, kernel, Conv1dOptions{.padding = 1});
        for (int64_t by = config.subsampling; by > 1; by /= 2)
          made.append(config.n_embd, config.n_embd, kernel, Conv1dOptions{.stride = 2, .padding = 1});
        return made;
      }()),
      dropout(child<Dropout>("dropout", config.dropout)),
      encoder_blocks([this]() -> ModuleList<EncoderBlock>& {
        auto& made = child<ModuleList<EncoderBlock>>("encoder.blocks");
        for (int64_t i = 0; i < config.n_layer; ++i)
          made.append(config.n_embd, config.n_head, encoder_options(config, i));
        return made;
      }()),
      encoder_norm(
          child<LayerNorm>("encoder.norm", config.n_embd, LayerNormOptions{.eps = config.layer_norm_eps})),
      head(writes() && config.ctc_weight == 0
               ? nullptr
               : &child<Linear>("head", config.n_embd,
                                config.n_class > 0 ? config.n_class : config.vocab_size, xavier_linear())),
      token_embedding(
          writes() ? &child<Embedding>("token_embedding", config.vocab_size, config.n_embd,
                                       init::normal(0.0, 1.0 / std::sqrt(static_cast<double>(config.n_embd))))
                   : nullptr),
      position_encoding(writes() ? &child<SinusoidalPositionalEncoding>("position_encoding",
                                                                        config.block_size, config.n_embd)
                                 : nullptr),
      decoder_blocks(writes()
                         ? &child<ModuleList<DecoderBlock>>("decoder.blocks", config.n_layer, config.n_embd,
                                                            config.n_head, decoder_options(config))
                         : nullptr),
      decoder_norm(writes() ? &child<LayerNorm>("decoder.norm", config.n_embd,
                                                LayerNormOptions{.eps = config.layer_norm_eps})
                            : nullptr) {}

int64_t Speech::encoded(int64_t frames) const {
  for (int64_t by = config.subsampling; by > 1; by /= 2) frames = halved(frames);
  return frames;
}

std::vector<int64_t> Speech::encoded(const std::vector<int64_t>& lengths) const {
  std::vector<int64_t> all = lengths;
  for (int64_t& length : all) length = encoded(length);
  return all;
}

Tensor Speech::encode_by(int64_t count, const Array& frames, const std::vector<int64_t>& lengths) const {
  if (frames.rank() != 3 || frames.dim(2) != config.n_mels || frames.dim(1) < 1)
    fail<ShapeError>("Speech: frames are ", frames.shape(), ": needs (B, T, ", config.n_mels, ")");
  if (!lengths.empty() && std::ssize(lengths) != frames.dim(0))
    fail<ShapeError>("Speech: ", lengths.size(), " lengths for frames ", frames.shape());
  std::vector<int64_t> left = lengths;
  Tensor x = cut(permute(Tensor(frames), {0, 2, 1}), left);  // (B, M, T)
  for (const Conv1d& convolution : convolutions) {
    x = gelu(convolution(x));
    if (convolution.options.stride == 2)
      for (int64_t& length : left) length = halved(length);
    x = cut(x, left);
  }
  x = through_first(count, encoder_blocks, dropout(permute(x, {0, 2, 1})), recompute_blocks, counted(left));
  return count == config.n_layer ? encoder_norm(x) : x;
}

Tensor Speech::encode(const Array& frames, const std::vector<int64_t>& lengths) const {
  return encode_by(config.n_layer, frames, lengths);
}

HiddenStates Speech::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  return {encode_by(layer, batch.inputs, batch.lengths), encoded(batch.lengths)};
}

TextDecoder Speech::decoder() const {
  return {*this,   "Speech",        config.block_size, *token_embedding, *position_encoding,
          dropout, *decoder_blocks, decoder_norm};
}

Tensor Speech::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Tensor x = encode(batch.inputs, batch.lengths);
  if (writes())
    return decoder().decode(shifted_right("Speech", batch.targets, config.start_id), x,
                            encoded(batch.lengths), recompute_blocks);
  if (config.n_class == 0) return (*head)(x);
  // The mean over the frames that count.
  const int64_t B = x.dim(0), T = x.dim(1);
  const std::vector<int64_t> lengths = encoded(batch.lengths);
  Array shares = Array::full({B, T, 1}, 1.0 / static_cast<double>(T), head->weight.dtype());
  if (!lengths.empty()) {
    std::vector<double> all(static_cast<size_t>(B * T));
    for (int64_t b = 0; b < B; ++b) {
      const int64_t length = std::max<int64_t>(1, lengths[static_cast<size_t>(b)]);
      std::fill_n(all.begin() + b * T, length, 1.0 / static_cast<double>(length));
    }
    shares = Array::from(all, {B, T, 1}).to(shares.dtype());
  }
  return (*head)(sum(x.to(shares.dtype()) * Tensor(shares), {1}));
}

Loss Speech::ctc(const Tensor& x, const Batch& batch) const {
  return ctc_loss((*head)(x), without_end(batch.targets, config.end_id), encoded(batch.lengths),
                  {.blank = config.pad_id, .zero_infinity = true});
}

Loss Speech::loss(const Batch& batch) const {
  if (config.n_class > 0) return Model::loss(batch);
  check_documents(batch.documents);
  const Tensor x = encode(batch.inputs, batch.lengths);
  if (!writes()) return ctc(x, batch);
  Loss written = loss_of(decoder().decode(shifted_right("Speech", batch.targets, config.start_id), x,
                                          encoded(batch.lengths), recompute_blocks),
                         batch.targets);
  if (!training() || !head) return written;
  written.sum = written.sum * (1 - config.ctc_weight) + ctc(x, batch).sum * config.ctc_weight;
  return written;
}

std::unique_ptr<DecoderState> Speech::start(const Batch& source) const {
  check_writes();
  const NoGrad no_grad;
  const Tensor memory = encode(source.inputs, source.lengths);
  return KeyValueState::answering(*decoder_blocks, memory, encoded(source.lengths));
}

Tensor Speech::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const {
  check_writes();
  return decoder().next(ids, lengths, state);
}

Array Speech::frame_log_p(const Batch& sounds) const {
  if (config.n_class > 0 || !head) return {};
  const NoGrad no_grad;
  return log_softmax((*head)(encode(sounds.inputs, sounds.lengths))).value().to(float32);
}

std::vector<Transcript> Speech::transcribe(const Batch& sounds, const TranscribeOptions& options) const {
  if (config.n_class > 0) fail<ValueError>("Speech: tells classes, and writes nothing down");
  if (options.beams < 1 || options.tokens < 0)
    fail<ValueError>("Speech: needs at least one beam, not ", options.beams,
                     ", and tokens of at least 0, not ", options.tokens);
  const int64_t B = sounds.inputs.dim(0), T = sounds.inputs.dim(1);
  const Array log_p = frame_log_p(sounds);
  const auto frames_of = [&](int64_t b) {
    const int64_t V = log_p.dim(2),
                  count = encoded(sounds.lengths.empty() ? T : sounds.lengths[static_cast<size_t>(b)]);
    return CtcFrames{.log_p = {log_p.data<float>() + b * log_p.dim(1) * V, static_cast<size_t>(count * V)},
                     .classes = V,
                     .blank = config.pad_id};
  };
  std::vector<Transcript> all;
  if (writes()) {
    const int64_t most = config.block_size - 1;
    for (const std::vector<Hypothesis>& found :
         beam_search_from(*this, sounds,
                          {.beams = options.beams,
                          .tokens = options.tokens > 0 ? std::min(options.tokens, most) : most,
                          .end_ids = {config.end_id}})) {
      Transcript& one = all.emplace_back(found.at(0).tokens, found[0].score);
      if (!one.ids.empty() && one.ids.back() == config.end_id) one.ids.pop_back();
    }
  } else {
    for (int64_t b = 0; b < B; ++b) {
      const CtcFrames frames = frames_of(b);
      CtcHypothesis best =
          options.beams == 1 ? ctc_greedy(frames) : ctc_beam_search(frames, options.beams)[0];
      if (options.tokens > 0 && std::ssize(best.ids) > options.tokens)
        best.ids.resize(static_cast<size_t>(options.tokens));
      all.push_back({std::move(best.ids), best.score});
    }
  }
  if (!log_p.defined()) return all;
  for (int64_t b = 0; b < B; ++b) {
    Transcript& one = all[static_cast<size_t>(b)];
    one.spans = ctc_align(frames_of(b), one.ids);
    for (CtcSpan& span : one.spans) {
      span.begin *= config.subsampling;
      span.end = std::min(span.end * config.subsampling, T);
    }
  }
  return all;
}

}  // namespace weft
