// What a block is made of (lib/isa/gemm.inc, rows.inc, attention.inc), for one token at a time. A matrix is { values, shape }, the values
// row by row; a layer { weight, bias }, the bias perhaps missing.

// weight x + bias: each element is one chain of fma over x, from 0. Four at once, since a chain waits for each of its sums.
function linear({ weight, bias }, x) {
  const [rows, columns] = weight.shape, w = weight.values;
  const y = new Float32Array(rows);
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const at0 = row * columns, at1 = at0 + columns, at2 = at1 + columns, at3 = at2 + columns;
    let a = 0, b = 0, c = 0, d = 0;
    for (let k = 0; k < columns; ++k) {
      const value = x[k];
      a = fma(w[at0 + k], value, a);
      b = fma(w[at1 + k], value, b);
      c = fma(w[at2 + k], value, c);
      d = fma(w[at3 + k], value, d);
    }
    y[row] = a;
    y[row + 1] = b;
    y[row + 2] = c;
    y[row + 3] = d;
  }
  for (; row < rows; ++row) {
    let sum = 0;
    for (let k = 0; k < columns; ++k) sum = fma(w[row * columns + k], x[k], sum);
    y[row] = sum;
  }
  return bias ? add(y, bias.values) : y;
}

// Element by element. Loops, since calls of a function for each element, as of map(), take longer than the sums.
function add(x, y) {
  const sums = new Float32Array(x.length);
  for (let i = 0; i < x.length; ++i) sums[i] = x[i] + y[i];
  return sums;
}
function multiply(x, y) {
  const products = new Float32Array(x.length);
  for (let i = 0; i < x.length; ++i) products[i] = x[i] * y[i];
  return products;
}

// Sixteen partial sums, joined by one tree.
function joined(sums) {
  for (let half = 8; half > 0; half >>= 1) for (let i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

function meanOf(x) {
  const sums = new Float32Array(16);
  for (let i = 0; i < x.length; ++i) sums[i & 15] += x[i];
  return fround(joined(sums) / x.length);
}

// (x - mean) / sqrt(variance + eps) weight + bias; RMS norm is the same with a mean of 0.
function normalized(x, mean, weight, bias, eps) {
  const sums = new Float32Array(16);
  for (let i = 0; i < x.length; ++i) {
    const distance = fround(x[i] - mean);
    sums[i & 15] = fma(distance, distance, sums[i & 15]);
  }
  const factor = fround(1 / fround(Math.sqrt(fround(fround(joined(sums) / x.length) + fround(eps)))));
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; ++i) y[i] = fround(x[i] - mean) * factor;
  const scaled = weight ? multiply(y, weight.values) : y;
  return bias ? add(scaled, bias.values) : scaled;
}
const layerNorm = ({ weight, bias }, x) => normalized(x, meanOf(x), weight, bias, 1e-5);
const rmsNorm = ({ weight }, x, eps) => normalized(x, 0, weight, null, eps);

// Turns the planes (i, i + D / 2) of each head, D wide, by the angles whose [cos, sin] are given.
function rotate(x, width, turns) {
  const y = new Float32Array(x.length), half = width / 2;
  for (let head = 0; head < x.length; head += width)
    for (let i = 0; i < half; ++i) {
      const [cos, sin] = turns[i], a = x[head + i], b = x[head + half + i];
      y[head + i] = fround(a * cos) - fround(b * sin);
      y[head + half + i] = fround(b * cos) + fround(a * sin);
    }
  return y;
}

// The rows of all tokens that were read, in room that grows.
class Rows {
  constructor(width) {
    this.width = width;
    this.values = new Float32Array(0);
    this.count = 0;
  }
  push(row) {
    const end = (this.count + 1) * this.width;
    if (end > this.values.length) {
      const larger = new Float32Array(Math.max(64 * this.width, 2 * this.values.length));
      larger.set(this.values);
      this.values = larger;
    }
    this.values.set(row, end - this.width);
    ++this.count;
  }
}

// The last token's queries attend to all keys, or to the last `window` of them. Heads of queries share those of keys and values in
// groups. `record`, if given, is called with each head and its weights.
const keyTile = 64;
function attend(queries, keys, values, width, window, record) {
  const scale = fround(1 / Math.sqrt(width)), heads = queries.length / width, shared = heads / (keys.width / width);
  const scaled = queries.map((value) => value * scale), result = new Float32Array(queries.length);
  const first = window > 0 ? Math.max(0, keys.count - window) : 0;
  const scratch = { scores: new Float32Array(keys.count), powers: new Float32Array(keyTile), sums: new Float32Array(16) };
  for (let head = 0; head < heads; ++head) {
    const at = head * width, column = Math.floor(head / shared) * width;
    const { most, part } = attendHead(scaled, at, keys, values, column, width, first, scratch, result);
    if (record) record(head, scratch.scores.map((score, s) => (s < first ? 0 : exp(fround(score - most)) * part)));
  }
  return result;
}

// One head: softmax over keys in tiles of 64 by place, with a running maximum, under which sums and results shrink when it grows.
// The weight of key s is e^(scores[s] - most) part.
function attendHead(query, at, keys, values, column, width, first, { scores, powers, sums }, result) {
  const count = keys.count;
  let most = -Infinity;
  sums.fill(0);
  for (let begin = first - first % keyTile; begin < count; begin += keyTile) {
    const from = Math.max(begin, first), end = Math.min(begin + keyTile, count);
    scoreKeys(query, at, keys, column, width, from, end, scores);
    const found = largestOf(scores, from, end, most);
    if (found !== most && most !== -Infinity) {
      const shrink = exp(fround(most - found));
      for (let i = 0; i < 16; ++i) sums[i] *= shrink;
      for (let d = 0; d < width; ++d) result[at + d] *= shrink;
    }
    for (let s = from; s < end; ++s) {
      powers[s - begin] = exp(fround(scores[s] - found));
      sums[s & 15] += powers[s - begin];
    }
    gatherValues(powers, begin, values, column, width, from, end, result, at);
    most = found;
  }
  const part = fround(1 / joined(sums));
  for (let d = 0; d < width; ++d) result[at + d] = fma(result[at + d], part, 0);
  return { most, part };
}

function largestOf(scores, from, end, most) {
  for (let s = from; s < end; ++s) if (scores[s] > most) most = scores[s];
  return most;
}

// scores[s] = query . key s: one chain each, four keys at once.
function scoreKeys(query, at, keys, column, width, from, end, scores) {
  const k = keys.values, row = keys.width;
  let s = from;
  for (; s + 4 <= end; s += 4) {
    const at0 = s * row + column, at1 = at0 + row, at2 = at1 + row, at3 = at2 + row;
    let a = 0, b = 0, c = 0, e = 0;
    for (let d = 0; d < width; ++d) {
      const value = query[at + d];
      a = fma(value, k[at0 + d], a);
      b = fma(value, k[at1 + d], b);
      c = fma(value, k[at2 + d], c);
      e = fma(value, k[at3 + d], e);
    }
    scores[s] = a;
    scores[s + 1] = b;
    scores[s + 2] = c;
    scores[s + 3] = e;
  }
  for (; s < end; ++s) {
    let sum = 0;
    for (let d = 0; d < width; ++d) sum = fma(query[at + d], k[s * row + column + d], sum);
    scores[s] = sum;
  }
}

// result += the values of keys, as much as their powers say: one chain over keys for each element, four at once.
function gatherValues(powers, begin, values, column, width, from, end, result, at) {
  const v = values.values, row = values.width;
  let d = 0;
  for (; d + 4 <= width; d += 4) {
    let a = result[at + d], b = result[at + d + 1], c = result[at + d + 2], e = result[at + d + 3];
    for (let s = from, i = s * row + column + d; s < end; ++s, i += row) {
      const power = powers[s - begin];
      a = fma(power, v[i], a);
      b = fma(power, v[i + 1], b);
      c = fma(power, v[i + 2], c);
      e = fma(power, v[i + 3], e);
    }
    result[at + d] = a;
    result[at + d + 1] = b;
    result[at + d + 2] = c;
    result[at + d + 3] = e;
  }
  for (; d < width; ++d)
    for (let s = from; s < end; ++s) result[at + d] = fma(powers[s - begin], v[s * row + column + d], result[at + d]);
}
