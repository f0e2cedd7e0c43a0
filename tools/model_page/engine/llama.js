// Llama (layers/models/llama.h): rotary places, RMS norm, SwiGLU, and by its settings what later models put beside them.
class Llama extends Decoder {
  constructor(settings, weights, frequencies) {
    super(settings, weights);
    this.output = layerOf(weights, 'output') ?? { weight: this.tokens.weight };
    this.frequencies = frequencies;  // of the planes of a head, radians a place
    this.turns = [];                 // by place
  }
  embedded(id) {
    const x = entryOf(this.tokens, id);
    return this.settings.embedding_norm ? rmsNorm({}, x, this.settings.rms_norm_eps) : x;
  }
  mixed({ carry, recall }, x, first) {
    return carry ? add(multiply(x, carry.values), multiply(first, recall.values)) : x;
  }
  how(i, place) {
    const { rms_norm_eps: eps, window, window_pattern, activation } = this.settings;
    this.turns[place] ??= this.frequencies.map((frequency) => direction(place * frequency).map(fround));
    return {
      norm: (layer, x) => rmsNorm(layer, x, eps),
      eps,
      width: 2 * this.frequencies.length,
      turns: this.turns[place],
      window: window_pattern && window_pattern[i % window_pattern.length] === 'G' ? 0 : window,
      activation: activation === 'silu' ? silu : relu2,
    };
  }
  logits(x) {
    const y = linear(this.output, rmsNorm(this.norm, x, this.settings.rms_norm_eps)), cap = fround(this.settings.logit_softcap);
    return cap > 0 ? y.map((value) => fround(tanh(fround(value / cap)) * cap)) : y;
  }
}
