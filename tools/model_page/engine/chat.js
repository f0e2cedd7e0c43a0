// A conversation with a model that was trained to chat (tools/commands/chat.cpp). `marks` are the ids of what begins a turn, user and
// assistant, of its end, and of all tokens that nobody says.
class Chat {
  constructor(model, tokenizer, marks) {
    Object.assign(this, { model, tokenizer, marks, ids: [], turns: 0n });
  }

  // What somebody says, before an answer of at most `tokens`. Gives whether the first turns had to go to make room; an error, and
  // nothing is changed, for a text that the model cannot read.
  ask(text, tokens) {
    const { user, assistant, end } = this.marks, room = this.model.context - Math.min(tokens, this.model.context >> 1);
    const turn = [user, ...this.tokenizer.encode(text), end, assistant];
    if (turn.length > room) throw new Error(`that has ${turn.length} tokens, and the model reads at most ${room} beside its answer`);
    const ids = [...this.ids, ...turn];
    let from = 0;
    while (ids.length - from > room) {
      const next = ids.indexOf(user, from + 1);
      if (next < 0) break;
      from = next;
    }
    this.ids = ids.slice(from);
    return from > 0;
  }

  // The Writer of the answer; it ends where somebody else begins to speak.
  answer(options) {
    return new Writer(this.model, this.ids, { ...options, sample: this.turns++, endIds: this.marks.unsaid });
  }

  // So it was answered, perhaps in part.
  answered(ids) {
    this.ids.push(...ids.filter((id) => !this.marks.unsaid.includes(id)), this.marks.end);
  }
}
