// GPT-2 (layers/models/gpt.h): learned places, layer norm, GELU; the output layer is the token embedding.
class GPT2 extends Decoder {
  constructor(settings, weights) {
    super(settings, weights);
    this.places = layerOf(weights, 'position_embedding');
  }
  embedded(id, place) { return add(entryOf(this.tokens, id), entryOf(this.places, place)); }
  mixed(block, x) { return x; }
  how() {
    const { n_embd, n_head, gelu_tanh } = this.settings;
    return { norm: layerNorm, width: n_embd / n_head, turns: null, window: 0, activation: gelu_tanh ? geluTanh : gelu };
  }
  logits(x) { return linear({ weight: this.tokens.weight }, layerNorm(this.norm, x)); }
}
