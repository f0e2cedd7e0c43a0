// What GPT-2 and Llama have in common: tokens are read one after another into a state, and the last one says what may follow.
class Decoder {
  constructor(settings, weights) {
    this.settings = settings;
    this.context = settings.block_size;
    this.blocks = Array.from({ length: settings.n_layer }, (_, i) => blockOf(weights, `blocks.${i}`));
    this.tokens = layerOf(weights, 'token_embedding');
    this.norm = layerOf(weights, 'norm');
  }

  // What is remembered of tokens: the keys and values of each block. record(place, block, head, weights), if given, is told how much
  // attention each token gives to all up to it.
  start(record = null) {
    const rows = ({ weight }) => new Rows(weight.shape[0]);
    const caches = this.blocks.map(({ key, value }) => ({ keys: rows(key), values: rows(value) }));
    return { ids: [], caches, record };
  }

  // A token through all blocks: what logits() takes.
  read(id, state) {
    const place = state.ids.length, first = this.embedded(id, place);
    let x = first;
    this.blocks.forEach((block, i) => {
      const record = state.record && ((head, weights) => state.record(place, i, head, weights));
      x = throughBlock(block, this.mixed(block, x, first), id, state.caches[i], this.how(i, place), record);
    });
    state.ids.push(id);
    return x;
  }
}
