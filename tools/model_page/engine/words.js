// How a text is cut into words before byte pairs are merged (data/text/word_pattern.h): the regular expressions of GPT-2 and GPT-4, over
// code points whose classes are those of weft's Unicode, not the browser's.

const [letterClass, numberClass, spaceClass, otherClass] = [0, 1, 2, 3];

// `runs` are [class, length, class, length, ...] of all code points in order.
class CharacterClasses {
  constructor(runs) {
    this.ends = [];
    this.kinds = [];
    for (let i = 0, end = 0; i < runs.length; i += 2) {
      this.kinds.push(runs[i]);
      this.ends.push(end += runs[i + 1]);
    }
  }
  of(codePoint) {
    let low = 0, high = this.ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle] > codePoint) high = middle;
      else low = middle + 1;
    }
    return this.kinds[low];
  }
}

// The words of a text, as arrays of code points.
class Words {
  constructor(pattern, classes) {
    this.firstWord = pattern === 'gpt2' ? this.firstOfGpt2 : this.firstOfCl100k;
    this.classes = classes;
  }
  of(text) {
    this.points = [...text].map((character) => character.codePointAt(0));
    this.kinds = this.points.map((point) => this.classes.of(point));
    const words = [];
    for (let at = 0, end; at < this.points.length; at = end) {
      end = this.firstWord(at);
      words.push(this.points.slice(at, end));
    }
    return words;
  }

  // Behind the characters of a kind from `at` on, at most `most` of them.
  run(at, kind, most = Infinity) {
    let end = at;
    while (end < this.points.length && end - at < most && this.kinds[end] === kind) ++end;
    return end;
  }
  isNewline(at) { return this.points[at] === 10 || this.points[at] === 13; }

  // Behind 's, 't, 'm, 'd, 'll, 've, 're; `at` where there is none. Without case, the long s is an s.
  contraction(at, anyCase) {
    if (this.points[at] !== 39) return at;
    const letter = (i) => {
      const point = this.points[at + i] ?? 0;
      return String.fromCodePoint(anyCase && point >= 65 && point <= 90 ? point + 32 : point);
    };
    const first = letter(1), second = letter(2);
    if ('stmd'.includes(first) || (anyCase && first === '\u017f')) return at + 2;
    return ['ll', 've', 're'].includes(first + second) ? at + 3 : at;
  }

  // \s+(?!\S)|\s+ : all of the spaces at the end of the text, else all but the last one.
  spaces(at) {
    const end = this.run(at, spaceClass);
    return end === this.points.length || end - at === 1 ? end : end - 1;
  }

  firstOfGpt2(at) {
    const behind = this.contraction(at, false);
    if (behind > at) return behind;
    const begin = this.points[at] === 32 ? at + 1 : at;
    if (begin < this.points.length && this.kinds[begin] !== spaceClass) return this.run(begin, this.kinds[begin]);
    return this.spaces(at);
  }

  firstOfCl100k(at) {
    const behind = this.contraction(at, true);
    if (behind > at) return behind;
    if (this.kinds[at] === letterClass) return this.run(at, letterClass);
    if (this.kinds[at] === numberClass) return this.run(at, numberClass, 3);
    if (!this.isNewline(at)) {
      const word = this.run(at + 1, letterClass);
      if (word > at + 1) return word;
      const begin = this.points[at] === 32 ? at + 1 : at;
      let end = this.run(begin, otherClass);
      if (end > begin) {
        while (this.isNewline(end)) ++end;
        return end;
      }
    }
    // \s*[\r\n]+ : up to the last line end among the spaces.
    const spaces = this.run(at, spaceClass);
    for (let end = spaces; end > at; --end) if (this.isNewline(end - 1)) return end;
    return this.spaces(at);
  }
}
