// What the model looks at while it reads and writes, kept for the view of attention: of the last tokens, as many as can be shown at once.
class Trace {
  static most = 2 ** 24;  // weights, a byte each

  constructor(blocks, heads) {
    Object.assign(this, { blocks, heads, room: Math.floor(Math.sqrt(Trace.most / (blocks * heads))), rows: [], first: 0 });
  }

  // Decoder.start() is given this. Weights w are kept as round(255 sqrt(w)); only 0 is none.
  record(place, block, head, weights) {
    if (this.first + this.rows.length === place) this.rows.push([]);
    if (this.rows.length > this.room) this.rows.shift(), ++this.first;
    const from = Math.max(0, weights.length - this.room), row = new Uint8Array(weights.length - from);
    for (let i = 0; i < row.length; ++i) {
      const w = weights[from + i];
      row[i] = w > 0 ? Math.max(1, Math.round(255 * Math.sqrt(Math.min(1, w)))) : 0;
    }
    this.rows[place - this.first][block * this.heads + head] = row;
  }

  // What the view of attention shows; tokens are the words of all places.
  data(tokens) {
    const T = this.rows.length, layers = [];
    for (let block = 0; block < this.blocks; ++block) {
      const weights = new Uint8Array(this.heads * T * T);
      for (let head = 0; head < this.heads; ++head)
        this.rows.forEach((row, t) => {
          const seen = row[block * this.heads + head];
          weights.set(seen.subarray(Math.max(0, seen.length - t - 1)), (head * T + t) * T);
        });
      layers.push({ name: `blocks.${block}.attention`, looks: 'own', heads: this.heads, weights });
    }
    return { title: '', apart: false, tokens: tokens.slice(this.first, this.first + T), sources: [], picture: null, layers };
  }
}
