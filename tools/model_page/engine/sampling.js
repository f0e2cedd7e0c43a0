// Choosing the next token from logits (layers/models/decoding/sampling.cpp), in float64. Options: temperature, topK, topP, minP,
// repetitionPenalty.

// Logits of tokens that were read, divided by the penalty where positive and multiplied where negative; each once.
function penalized(logits, penalty, read) {
  const factor = fround(penalty), result = logits.slice();
  for (const id of read) result[id] = logits[id] < 0 ? logits[id] * factor : logits[id] / factor;
  return result;
}

function likeliest(logits) {
  let best = 0;
  logits.forEach((logit, i) => {
    if (!(logit < Infinity)) throw new Error(`the logit of token ${i} is ${logit}`);
    if (logit > logits[best]) best = i;
  });
  if (logits[best] === -Infinity) throw new Error('no token has a finite logit');
  return best;
}

// The tokens that are left, and how likely each is in units of the likeliest. Of equal logits the lower id counts as the likelier.
function choicesOf(given, options, read) {
  const { temperature, topK, topP, minP, repetitionPenalty } = options;
  const logits = repetitionPenalty === 1 ? given : penalized(given, repetitionPenalty, read), best = likeliest(logits);
  if (temperature === 0) return { tokens: [best], weights: [1], total: 1 };
  let tokens = Array.from(logits.keys()), total = 0;
  if (topK > 0 || topP < 1) tokens.sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) tokens = tokens.slice(0, topK);
  let weights = tokens.map((id) => exp64((logits[id] - logits[best]) / temperature));
  for (const weight of weights) total += weight;
  if (topP < 1) {
    let kept = 0, count = 0;
    while (count < weights.length && kept < topP * total) kept += weights[count++];
    weights = weights.slice(0, count);
    total = kept;
  }
  if (minP > 0) {
    total = 0;
    weights = weights.map((weight) => (weight < minP ? 0 : weight));
    for (const weight of weights) total += weight;
  }
  return { tokens, weights, total };
}

// The token that number `uniform` in [0, 1) draws.
function drawnFrom({ tokens, weights, total }, uniform) {
  let left = uniform * total, chosen = 0;
  for (let i = 0; i < weights.length; ++i) {
    if (weights[i] > 0) chosen = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return tokens[chosen];
}
