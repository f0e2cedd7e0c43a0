// A block of a decoder, pre-norm (layers/transformer.h): x + attention(norm1(x)), then that + feed_forward(norm2(that)). What a
// model has of it is seen by what weights there are.

// The parameters of a layer, by path; null where there are none.
function layerOf(weights, path) {
  const [weight, bias] = [weights.get(`${path}.weight`), weights.get(`${path}.bias`)];
  return weight ? { weight, bias } : null;
}

function blockOf(weights, path) {
  const layers = (names) => Object.fromEntries(names.map((name) => [name.split('.').pop(), layerOf(weights, `${path}.${name}`)]));
  return {
    ...layers(['norm1', 'norm2', 'value_embedding']),
    ...layers(['query', 'key', 'value', 'output', 'query_norm', 'key_norm', 'value_gate'].map((name) => `attention.${name}`)),
    ...layers(['gate', 'up', 'down'].map((name) => `feed_forward.${name}`)),
    carry: weights.get(`${path}.carry`),
    recall: weights.get(`${path}.recall`),
  };
}

// RMS norm of each head, all with one weight.
function normHeads(norm, x, eps) {
  if (!norm) return x;
  const width = norm.weight.values.length, y = new Float32Array(x.length);
  for (let head = 0; head < x.length; head += width) y.set(rmsNorm(norm, x.subarray(head, head + width), eps), head);
  return y;
}

// The values of a token, and those that the block has learned of it through a gate for each head: 2 sigmoid(value_gate(t)).
function gatedValues(block, t, id) {
  const made = linear(block.value, t);
  if (!block.value_gate) return made;
  const channels = block.value_gate.weight.shape[1], learned = entryOf(block.value_embedding, id);
  const gates = linear(block.value_gate, t.subarray(0, channels)).map((value) => 2 * sigmoid(value));
  const width = made.length / gates.length;
  return add(made, learned.map((value, i) => value * gates[Math.floor(i / width)]));
}

// The row of an embedding.
const entryOf = ({ weight: { values, shape } }, row) => values.subarray(row * shape[1], (row + 1) * shape[1]);

// One token through a block, which `cache` { keys, values } remembers. `how` is { norm, eps, width of a head, turns of the token's place
// or null, window, activation }; `record` is that of attend().
function throughBlock(block, x, id, cache, how, record) {
  const t = how.norm(block.norm1, x);
  let query = normHeads(block.query_norm, linear(block.query, t), how.eps);
  let key = normHeads(block.key_norm, linear(block.key, t), how.eps);
  if (how.turns) [query, key] = [rotate(query, how.width, how.turns), rotate(key, how.width, how.turns)];
  cache.keys.push(key);
  cache.values.push(gatedValues(block, t, id));
  const y = add(x, linear(block.output, attend(query, cache.keys, cache.values, how.width, how.window, record)));
  const u = how.norm(block.norm2, y);
  let inner = linear(block.gate ?? block.up, u).map((value) => how.activation(value));
  if (block.gate) inner = multiply(inner, linear(block.up, u));
  return add(y, linear(block.down, inner));
}
