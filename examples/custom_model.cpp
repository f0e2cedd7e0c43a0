// A model of your own that has every command of weft: a small GPT whose attention compares directions instead of lengths
// (queries and keys of length 1, a learned temperature per head; Henry et al. 2020), written with the operations of
// tensors alone.
//
//   build/bin/custom_model train --model cosine --data shakespeare.txt --out runs/cosine --set n_layer=2
//   build/bin/custom_model generate runs/cosine --prompt "ROMEO:"
//   build/bin/custom_model attention runs/cosine --text "Now is the winter" --out attention.html
//
// and likewise train --resume, eval, logits, inspect, export --format weft; train --help lists its settings.
#include <weft/tools/cli.h>
#include <weft/weft.h>

using namespace weft;

struct CosineConfig {
  int64_t vocab_size = 0, block_size = 64, n_layer = 4, n_head = 4, n_embd = 128;
  double dropout = 0.0;

  static const Settings<CosineConfig>& settings() {
    using C = CosineConfig;
    static const Settings<C> all = {
        Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
        Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens"),
        Field(&C::n_layer, "n_layer", 1, 1024, "blocks"),
        Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
        Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
        Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training")};
    return all;
  }
  void check() const {
    if (n_embd % n_head != 0) fail<ValueError>("n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  }
};

class CosineAttention : public Layer<CosineAttention> {
 public:
  CosineAttention(int64_t width, int64_t head_count)
      : heads_(head_count),
        query_(child<Linear>("query", width, width)),
        key_(child<Linear>("key", width, width)),
        value_(child<Linear>("value", width, width)),
        output_(child<Linear>("output", width, width)),
        temperature_(parameter("temperature", {head_count, 1, 1}, init::constant(10.0))) {}

  Tensor forward(const Tensor& x, const Mask& mask) const {  // (B, T, C) -> (B, T, C)
    const int64_t B = x.dim(0), T = x.dim(1), D = x.dim(2) / heads_;
    const auto split = [&](const Tensor& y) { return permute(reshape(y, {B, T, heads_, D}), {0, 2, 1, 3}); };
    const auto direction = [](const Tensor& y) { return y / sqrt(sum(square(y), {-1}, true) + 1e-6); };
    const Tensor cosines = matmul(direction(split(query_(x))), direction(split(key_(x))), false, true);
    const Tensor none = Tensor(Array::full({1}, -1e9, x.dtype()));
    const Tensor weights =
        softmax(where(mask.dense(B, heads_, T, T), cosines * temperature_, none));  // (B, H, T, T)
    if (AttentionRecorder* const recorder = AttentionRecorder::current())
      recorder->add({path(), false, weights.value()});
    return output_(reshape(permute(matmul(weights, split(value_(x))), {0, 2, 1, 3}), {B, T, heads_ * D}));
  }

 private:
  const int64_t heads_;
  Linear &query_, &key_, &value_, &output_;
  Tensor temperature_;  // (H, 1, 1)
};

class CosineGPT : public GenerativeModel {
 public:
  using Config = CosineConfig;
  using Block = EncoderBlockOf<CosineAttention>;
  explicit CosineGPT(const Config& c)
      : config(c),
        token_embedding_(
            child<Embedding>("token_embedding", c.vocab_size, c.n_embd, init::normal(0.0, 0.02))),
        position_embedding_(child<LearnedPositionalEncoding>("position_embedding", c.block_size, c.n_embd)),
        blocks_(child<ModuleList<Block>>("blocks", c.n_layer, c.n_embd, c.n_head,
                                         BlockOptions{.dropout = c.dropout})),
        norm_(child<LayerNorm>("norm", c.n_embd)) {}

  Tensor logits(const Batch& batch) const override {  // ids (B, T) -> (B, T, V)
    Tensor x = position_embedding_(token_embedding_(batch.inputs));
    for (const Block& block : blocks_) x = block(x, Mask::causal());
    return linear(norm_(x), token_embedding_.weight);
  }

  const Config config;

 private:
  Embedding& token_embedding_;
  LearnedPositionalEncoding& position_embedding_;
  ModuleList<Block>& blocks_;
  LayerNorm& norm_;
};

int main(int argc, char** argv) {
  register_model<CosineGPT>("cosine");
  return command_line(argc, argv);
}
