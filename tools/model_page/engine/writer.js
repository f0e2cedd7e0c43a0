// Writing (layers/models/decoding/generation.h): tokens one by one, with what the model remembers of those before.
class Writer {
  // options: those of sampling, tokens, seed and sample (BigInts), endIds; newRecord() gives what Decoder.start() takes.
  constructor(model, prompt, options) {
    Object.assign(this, { model, options, text: [...prompt], state: model.start(), unread: null });
    this.key = randomKey(options.seed, streamId('generate'));
  }

  // Generates { read, of } for each token that is read anew, and { id, logits, choices } for each that is written, with what it was drawn
  // from.
  *tokens() {
    const { options } = this;
    yield* this.begin(this.model.context);
    for (let n = 0; n < options.tokens; ++n) {
      const logits = this.model.logits(this.last), choices = choicesOf(logits, options, this.text);
      const id = this.unread = drawnFrom(choices, uniformAt(this.key, options.sample, n));
      this.text.push(id);
      yield { id, logits, choices };
      if (options.endIds.includes(id) || n + 1 === options.tokens) return;
      if (!this.finish()) yield* this.begin(Math.max(1, this.model.context >> 1));
    }
  }

  // Reads the last tokens of the text, at most `most`, anew.
  *begin(most) {
    this.state = this.model.start(this.options.newRecord?.());
    this.unread = null;
    const ids = this.text.slice(-most);
    for (const [i, id] of ids.entries()) {
      this.last = this.model.read(id, this.state);
      yield { read: i + 1, of: ids.length };
    }
  }

  // Reads the token that was written last, unless it was; false where the context is full.
  finish() {
    if (this.unread === null) return true;
    if (this.state.ids.length >= this.model.context) return false;
    this.last = this.model.read(this.unread, this.state);
    this.unread = null;
    return true;
  }
}
