// Text to ids and back (data/text/tokenizer.h). A token stands for bytes, which may be a part of a character.
const utf8 = new TextEncoder();

// "'é' (U+00E9)"
const describeCharacter = (character) => `'${character}' (U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')})`;

// One id a code point, in their order; with `unknown` one more, for all others.
class CharTokenizer {
  constructor({ characters, unknown }) {
    this.characters = characters.map((point) => String.fromCodePoint(point));
    this.size = characters.length + (unknown ? 1 : 0);
    this.ids = new Map(this.characters.map((character, id) => [character, id]));
    this.unknown = unknown ? this.size - 1 : undefined;
  }
  encode(text) {
    return [...text].map((character, i) => {
      const id = this.ids.get(character) ?? this.unknown;
      if (id === undefined)
        throw new Error(`character ${describeCharacter(character)} at position ${i} is not among the ${this.size} of the vocabulary`);
      return id;
    });
  }
  bytes(id) { return utf8.encode(this.characters[id] ?? '\ufffd'); }
}

// The bytes themselves.
class ByteTokenizer {
  encode(text) { return [...utf8.encode(text)]; }
  bytes(id) { return Uint8Array.of(id); }
}

// Byte-level BPE: each byte of a word is a token, and neighbours are merged, always the pair that was learned first.
class BpeTokenizer {
  // tokens: the bytes of all ids one behind the other, and where each ends; merges: left, right and result of each.
  constructor({ pattern, classes, tokens, ends, merges, special, ignoreMerges }) {
    this.words = new Words(pattern, new CharacterClasses(classes));
    this.tokens = Array.from(ends, (end, id) => tokens.subarray(id > 0 ? ends[id - 1] : 0, end));
    this.merges = new Map();
    for (let i = 0; i < merges.length; i += 3)
      this.merges.set(this.pairOf(merges[i], merges[i + 1]), { rank: i, result: merges[i + 2] });
    this.whole = new Map();
    this.byteIds = [];
    this.tokens.forEach((bytes, id) => {
      if (special.includes(id)) return;
      if (bytes.length === 1) this.byteIds[bytes[0]] = id;
      if (ignoreMerges) this.whole.set(bytes.join(), id);
    });
  }
  pairOf(left, right) { return left * 2 ** 26 + right; }
  encode(text) {
    return this.words.of(text).flatMap((points) => {
      const bytes = utf8.encode(points.map((point) => String.fromCodePoint(point)).join(''));
      const whole = this.whole.size > 0 && this.whole.get(bytes.join());
      return whole === false || whole === undefined ? this.merged(Array.from(bytes, (byte) => this.byteIds[byte])) : [whole];
    });
  }
  merged(ids) {
    const found = (i) => this.merges.get(this.pairOf(ids[i], ids[i + 1]));
    const pairs = ids.slice(1).map((_, i) => found(i));
    for (;;) {
      let best = -1;
      pairs.forEach((pair, i) => { if (pair && (best < 0 || pair.rank < pairs[best].rank)) best = i; });
      if (best < 0) return ids;
      ids.splice(best, 2, pairs[best].result);
      pairs.splice(best, 1);
      if (best > 0) pairs[best - 1] = found(best - 1);
      if (best < pairs.length) pairs[best] = found(best);
    }
  }
  bytes(id) { return this.tokens[id]; }
}

// Another tokenizer with ids behind its own that no text becomes: they are written as these names.
class MarkedTokenizer {
  constructor(own, size, names) {
    Object.assign(this, { own, size, names });
  }
  encode(text) { return this.own.encode(text); }
  bytes(id) { return id < this.size ? this.own.bytes(id) : utf8.encode(this.names[id - this.size] ?? ''); }
}

function tokenizerOf(data) {
  const unpacked = (text, Type) => new Type(bytesOf(text).buffer);
  switch (data.kind) {
    case 'char': return new CharTokenizer(data);
    case 'byte': return new ByteTokenizer();
    case 'bpe': return new BpeTokenizer({
      ...data, tokens: bytesOf(data.tokens), ends: unpacked(data.ends, Int32Array), merges: unpacked(data.merges, Int32Array),
    });
    default: return new MarkedTokenizer(tokenizerOf(data.own), data.size, data.names);
  }
}

// Ids as text while they come, whole characters at a time (data/text/streaming_decoder.h): the beginning of one is held back until the
// rest comes, and what no character can become of is shown as U+FFFD.
class StreamingDecoder {
  constructor(tokenizer) {
    this.tokenizer = tokenizer;
    this.decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  }
  next(id) { return this.decoder.decode(this.tokenizer.bytes(id), { stream: true }); }
}
