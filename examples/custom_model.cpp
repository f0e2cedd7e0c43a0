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

#include <cmath>

using namespace weft;

struct CosineConfig {
  int64_t vocab_size = 0, block_size = 64, n_layer = 4, n_head = 4, n_embd = 128;
  double dropout = 0.0, temperature = 10.0;

  static const Settings<CosineConfig>& settings() {
    using C = CosineConfig;
    static const Settings<C> all = {
        Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
        Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens"),
        Field(&C::n_layer, "n_layer", 1, 1024, "blocks"),
        Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
        Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
        Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training"),
        Field(&C::temperature, "temperature", 0.0, 100.0, "what cosines are multiplied with at first")};
    return all;
  }
  void check() const {
    if (n_embd % n_head != 0) fail<ValueError>("n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  }
};

struct CosineAttention : Module {
  const int64_t heads;
  Linear &query, &key, &value, &output;
  Tensor temperature;  // (H, 1, 1)

  CosineAttention(int64_t width, int64_t head_count, double first)
      : heads(head_count),
        query(child<Linear>("query", width, width)),
        key(child<Linear>("key", width, width)),
        value(child<Linear>("value", width, width)),
        output(child<Linear>("output", width, width)),
        temperature(parameter("temperature", {head_count, 1, 1}, init::constant(first))) {}

  Tensor forward(const Tensor& x, const Array& hidden) const {  // (B, T, C), (T, T) -> (B, T, C)
    const int64_t B = x.dim(0), T = x.dim(1), D = x.dim(2) / heads;
    const auto split = [&](const Tensor& y) { return permute(reshape(y, {B, T, heads, D}), {0, 2, 1, 3}); };
    const auto direction = [](const Tensor& y) { return y / sqrt(sum(square(y), {-1}, true) + 1e-6); };
    const Tensor cosines = matmul(direction(split(query(x))), direction(split(key(x))), false, true);
    const Tensor weights = softmax(masked_fill(cosines * temperature, hidden, -1e9));  // (B, H, T, T)
    if (AttentionRecorder* const recorder = AttentionRecorder::current())
      recorder->add({path(), false, weights.value()});
    return output(reshape(permute(matmul(weights, split(value(x))), {0, 2, 1, 3}), {B, T, heads * D}));
  }
};

struct CosineBlock : Module {
  LayerNorm &norm1, &norm2;
  CosineAttention& attention;
  FeedForward& feed_forward;
  Dropout& dropout;

  explicit CosineBlock(const CosineConfig& c)
      : norm1(child<LayerNorm>("norm1", c.n_embd)),
        norm2(child<LayerNorm>("norm2", c.n_embd)),
        attention(child<CosineAttention>("attention", c.n_embd, c.n_head, c.temperature)),
        feed_forward(child<FeedForward>("feed_forward", c.n_embd)),
        dropout(child<Dropout>("dropout", c.dropout)) {}

  Tensor forward(const Tensor& x, const Array& hidden) const {
    const Tensor y = x + dropout(attention.forward(norm1(x), hidden));
    return y + dropout(feed_forward(norm2(y)));
  }
};

struct CosineGPT : GenerativeModel {
  using Config = CosineConfig;
  const Config config;
  Embedding& token_embedding;
  LearnedPositionalEncoding& position_embedding;
  std::vector<CosineBlock*> blocks;
  LayerNorm& norm;

  explicit CosineGPT(const Config& c)
      : config(c),
        token_embedding(child<Embedding>("token_embedding", c.vocab_size, c.n_embd, init::normal(0.0, 0.02))),
        position_embedding(child<LearnedPositionalEncoding>("position_embedding", c.block_size, c.n_embd)),
        blocks(child_list<CosineBlock>("blocks", c.n_layer, c)),
        norm(child<LayerNorm>("norm", c.n_embd)) {}

  Tensor logits(const Batch& batch) const override {
    const int64_t T = batch.inputs.dim(1);
    Array hidden({T, T}, boolean);  // what lies ahead of a token
    for (int64_t i = 0; i < T * T; ++i) hidden.mutable_data<bool>()[i] = i % T > i / T;
    Tensor x = position_embedding(token_embedding(batch.inputs));
    for (const CosineBlock* block : blocks) x = block->forward(x, hidden);
    return linear(norm(x), token_embedding.weight);
  }
};

int main(int argc, char** argv) {
  register_model<CosineGPT>("cosine");
  return command_line(argc, argv);
}
