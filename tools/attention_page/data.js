// What is shown. Weights w are kept as round(255 sqrt(w)); 0 is none at all.
const squares = Float32Array.from({ length: 256 }, (_, q) => (q / 255) ** 2);
let page = null;         // { title, apart, tokens, sources, picture, layers: [{ name, looks, heads, weights }] }
let groups = [];         // a group is the layers that look from one sequence at one other: rows look at columns
let patchTokens = null;  // those of the picture

function useData(data) {
  page = data;
  for (const layer of page.layers) if (typeof layer.weights === 'string') layer.weights = bytesOf(layer.weights);
  const names = { own: page.sources.length ? 'Decoder' : 'Self', source: 'Encoder', cross: 'Cross' };
  groups = ['source', 'own', 'cross']
    .map((looks) => ({
      looks,
      name: names[looks],
      layers: page.layers.filter((layer) => layer.looks === looks),
      rows: looks === 'source' ? page.sources : page.tokens,
      columns: looks === 'own' ? page.tokens : page.sources,
      alone: looks !== 'cross',  // whether rows and columns are the same tokens
      picture: page.picture && looks === (page.picture.of === 'sources' ? 'source' : 'own') && page.picture,
    }))
    .filter((group) => group.layers.length > 0);
  patchTokens = page.picture && page[page.picture.of];
}

// Heads that are averaged: one, all of a layer ('mean'), or all of the group (layer 'all').
function heads(group, layer, head) {
  const layers = layer === 'all' ? group.layers : [group.layers[layer]];
  return layers.flatMap((each) => {
    const numbers = head === 'mean' ? [...Array(each.heads).keys()] : [head];
    return numbers.map((h) => each.weights.subarray(h * group.rows.length * group.columns.length));
  });
}

// n weights, `first` and then every `step`th.
function weightsAt(group, layer, head, first, step, n) {
  const chosen = heads(group, layer, head);
  const values = new Float32Array(n);
  for (const weights of chosen)
    for (let i = 0; i < n; ++i) values[i] += squares[weights[first + i * step]] / chosen.length;
  return values;
}
const rowOf = (group, layer, head, t) => weightsAt(group, layer, head, t * group.columns.length, 1, group.columns.length);
const columnOf = (group, layer, head, s) => weightsAt(group, layer, head, s, group.columns.length, group.rows.length);
const matrixOf = (group, layer, head) => weightsAt(group, layer, head, 0, 1, group.rows.length * group.columns.length);

const largest = (values) => values.reduce((most, value) => Math.max(most, value), 0);

// What is drawn in full colour: the largest, but four times an even share at least, so that even attention is pale.
const seen = (values) => values.reduce((count, w) => count + (w > 0), 0);
const fullOf = (values) => Math.max(largest(values), Math.min(1, 4 / seen(values)));

// Of a matrix, without the rows that see a few columns only, such as the first of a causal one: these must give much
// to each.
function fullOfMatrix(matrix, columns) {
  let most = 0;
  for (let first = 0; first < matrix.length; first += columns) {
    const row = matrix.subarray(first, first + columns);
    if (seen(row) >= Math.min(8, columns)) most = Math.max(most, fullOf(row));
  }
  return most || fullOf(matrix);
}

// What a head does on average over its rows, as [name, text].
function factsOf(group, matrix) {
  const S = group.columns.length;
  const sums = { spread: 0, itself: 0, before: 0, first: 0, distance: 0 };
  let rows = 0, empty = 0;
  for (let t = group.alone && group.rows.length > 1 ? 1 : 0; t < group.rows.length; ++t) {
    const row = matrix.subarray(t * S, t * S + S);
    const total = row.reduce((sum, w) => sum + w, 0);
    if (total === 0) { ++empty; continue; }
    ++rows;
    let entropy = 0;
    row.forEach((w, s) => {
      const p = w / total;
      if (p > 0) entropy -= p * Math.log(p);
      sums.distance += p * Math.abs(t - s);
    });
    sums.spread += Math.exp(entropy);
    if (!group.alone) continue;
    sums.itself += row[t] / total;
    sums.before += t > 0 ? row[t - 1] / total : 0;
    sums.first += row[0] / total;
  }
  const mean = (name) => sums[name] / Math.max(1, rows);
  const unit = group.picture ? 'patches' : 'tokens';
  const facts = [['spreads over', `${mean('spread').toFixed(1)} ${unit}`]];
  if (group.alone) facts.push(['itself', percent(mean('itself'))]);
  if (group.alone && !group.picture) {
    facts.push(['the one before', percent(mean('before'))]);
    facts.push(['mean distance', `${mean('distance').toFixed(1)} ${unit}`]);
  }
  if (group.alone) facts.push([group.picture && group.picture.first > 0 ? label(group.rows, 0) : 'the first', percent(mean('first'))]);
  if (empty > 0) facts.push(['look at nothing', `${empty} of ${group.rows.length}`]);
  return facts;
}

function percent(w) {
  if (w === 0) return '0 %';
  if (w < 0.001) return '< 0.1 %';
  return `${(100 * w).toFixed(w < 0.0995 ? 1 : 0)} %`;
}

// A token as a short word: what does not print is shown.
const visible = (text) => text.replace(/\n/g, '↵').replace(/\t/g, '⇥');
const isPatch = (tokens, i) => tokens === patchTokens && i >= page.picture.first;
function label(tokens, i) {
  if (isPatch(tokens, i) && tokens[i] === '') {
    const across = page.picture.width / page.picture.patch, at = i - page.picture.first;
    return `row ${Math.floor(at / across)}, column ${at % across}`;
  }
  return visible(tokens[i]).replace(/^ (?=[^ ])/, '').replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length));
}
const letters = (tokens) => !page.apart && tokens.every((token) => [...token].length <= 1 || /^\\[xu]/.test(token));
