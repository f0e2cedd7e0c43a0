// The text while it is written: a span for each token, which knows what else might have stood there.

// Bytes as text that prints: "\xff" for a byte of something else, "\u202e" for a character that would turn or break the line.
const hidden = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
function printed(bytes) {
  const number = (value, digits) => value.toString(16).padStart(digits, '0');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.replace(hidden, (character) => `\\u${number(character.codePointAt(0), 4)}`);
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? printed(Uint8Array.of(byte)) : `\\x${number(byte, 2)}`)).join('');
  }
}

// Of a step of a Writer the likeliest tokens, the chosen one among them: [{ id, says, drawn }], how likely the model holds each, and how
// likely it was to be drawn after temperature and cuts.
function likeliestOf({ id, logits, choices }, count = 8) {
  const top = [];
  logits.forEach((logit, i) => {
    if (top.length === count && logit <= logits[top[count - 1]]) return;
    top.splice(top.findLastIndex((other) => logits[other] >= logit) + 1, 0, i);
    if (top.length > count) top.pop();
  });
  if (!top.includes(id)) top[top.length - 1] = id;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - logits[top[0]]);
  return top.map((each) => {
    const at = choices.tokens.indexOf(each);
    const drawn = at >= 0 && at < choices.weights.length ? choices.weights[at] / choices.total : 0;
    return { id: each, says: Math.exp(logits[each] - logits[top[0]]) / total, drawn };
  });
}

// The steps that are shown, of one text or of all answers of a chat.
class Written {
  constructor(box, tokenizer) {
    Object.assign(this, { box, tokenizer, steps: [], chosen: -1, waiting: 0 });
    const at = (event) => Number(event.target.closest?.('.token')?.dataset.index ?? -1);
    box.addEventListener('pointerover', (event) => {
      if (event.pointerType === 'mouse') this.show(at(event) >= 0 ? at(event) : this.chosen);
    });
    box.addEventListener('pointerleave', () => this.show(this.chosen));
    box.addEventListener('click', (event) => this.choose(at(event)));
    box.addEventListener('focusin', (event) => event.target.matches(':focus-visible') && this.choose(at(event)));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10, Home: -1e9, End: 1e9 };
    rove(box, () => [...box.querySelectorAll('.token')], (key) => steps[key]);
  }
  clear() {
    this.box.replaceChildren();
    this.steps = [];
    this.reached = false;  // whether Tab reaches a token
    this.choose(-1);
  }
  // Tokens are added behind this element's, which is put into the text.
  begin(block, prompt = '') {
    this.block = block;
    this.decoder = new StreamingDecoder(this.tokenizer);
    if (prompt) block.append(Object.assign(document.createElement('span'), { className: 'prompt', textContent: prompt }));
    this.box.append(block);
  }
  // A token that is part of a character is shown with the one that makes it whole; line ends stand behind their token's span.
  add(step, silent) {
    const index = this.steps.push({ id: step.id, top: likeliestOf(step) }) - 1;
    const text = silent ? '' : this.decoder.next(step.id);
    if (text) {
      const [, words, ends] = /^([^]*?)(\n*)$/.exec(text);
      const span = Object.assign(document.createElement('span'), { className: ends ? 'token ends' : 'token', textContent: words });
      span.dataset.index = index;
      span.tabIndex = this.reached ? -1 : 0;
      this.reached = true;
      this.block.append(span, ends);
    }
    if (this.chosen >= 0 || this.waiting) return;
    this.waiting = setTimeout(() => {  // nobody reads more than ten lists a second
      this.waiting = 0;
      if (this.chosen < 0) this.show(-1);
    }, 100);
  }

  choose(index) {
    for (const span of this.box.querySelectorAll('.token.chosen, .token[tabindex="0"]')) {
      span.classList.remove('chosen');
      span.tabIndex = -1;
    }
    const span = this.box.querySelector(index >= 0 ? `.token[data-index="${index}"]` : '.token');
    if (span) span.tabIndex = 0;
    if (span && index >= 0) span.classList.add('chosen');
    this.chosen = index;
    this.show(index);
  }

  // The list of what might have stood in a place; -1: the last one.
  show(index) {
    const at = index >= 0 ? index : this.steps.length - 1, step = this.steps[at];
    field('next-name').textContent = step ? `Token ${at + 1}` : 'Next token';
    field('next-hint').hidden = Boolean(step);
    field('probabilities').hidden = !step;
    if (!step) return;
    field('probabilities').replaceChildren(field('probabilities').firstElementChild, ...step.top.map(({ id, says, drawn }) => {
      const item = document.createElement('li');
      item.style.setProperty('--share', drawn);
      item.classList.toggle('drawn', id === step.id);
      const cell = (className, textContent) => Object.assign(document.createElement('span'), { className, textContent });
      const word = label([printed(this.tokenizer.bytes(id))], 0) || '∅';
      item.append(cell('where', word), cell('says', percent(says)), cell('share', percent(drawn)));
      return item;
    }));
  }
}
