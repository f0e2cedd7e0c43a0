'use strict';
/// A text as it comes, with the tokens that it is made of laid over it: tokens are names and chances, the text is what was said. Of
/// tokens that are a character only together, or are not written as they are called, several are one piece.
class Said {
  constructor(marked) {
    this.marked = marked;  // whether tokens come
    this.text = '';        // all of it
    this.ahead = '';       // what no token has come for
    this.held = [];        // tokens {bytes, ...} that no text has come for
  }

  /// What can be shown now: [{text, tokens}].
  add(text, tokens) {
    this.text += text;
    this.ahead += text;
    if (!this.marked) return this.end();
    const pieces = [];
    for (const token of tokens ?? []) {
      this.held.push(token);
      const said = textOf(this.held);
      if (said && this.ahead.startsWith(said)) pieces.push(this.piece(said.length));
    }
    // Tokens come with the end of their text.
    if (this.held.length && this.ahead) pieces.push(this.piece(this.ahead.length));
    return pieces;
  }

  /// What is left.
  end() { return this.ahead ? [this.piece(this.ahead.length)] : []; }

  piece(size) {
    const one = { text: this.ahead.slice(0, size), tokens: this.held };
    this.ahead = this.ahead.slice(size);
    this.held = [];
    return one;
  }
}

/// null for bytes that are no text.
function textOf(tokens) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(tokens.flatMap(({ bytes }) => [...bytes])));
  } catch {
    return null;
  }
}

/// The bytes of a completion's token: what is no text is called bytes:\xe2\x82.
function bytesOf(name) {
  if (/^bytes:(\\x[0-9a-f]{2})+$/.test(name)) return name.slice(8).split('\\x').map((digits) => parseInt(digits, 16));
  return new TextEncoder().encode(name);
}

/// A seed may have more digits than a number of JavaScript keeps.
const seedOf = (digits) => (/^-?\d+$/.test(digits) ? BigInt(digits) : Number(digits));
const jsonOf = ({ seed, ...asked }) => JSON.stringify(asked).replace(/}$/, seed === undefined ? '}' : `,"seed":${seed}}`);
