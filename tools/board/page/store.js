// What is known of the runs so far. Asked again and again, the source tells what is new alone.
const store = { board: '', version: 0, empty: [], runs: [] };

// Of a curve in buckets, {level, first, step, loss: {min, mean, max} or [values], ...}, the same with {min, mean, max} of all.
function curveOf(answer) {
  const { generation, level, first, count, step, tokens = null, seconds = null, ...rest } = answer;
  const columns = {};
  for (const [name, values] of Object.entries(rest))
    columns[name] = Array.isArray(values) ? { min: values, mean: values, max: values } : values;
  return { generation, level, first, count, step, tokens, seconds, columns };
}

// What was known, with what was told of its buckets from `first` on.
function merged(known, news) {
  if (!known || news.first === 0 || known.level !== news.level || known.generation !== news.generation) return news;
  const joined = (a, b) => (a && b ? [...a.slice(0, news.first), ...b] : null);
  // A column that begins later has nothing before.
  const none = Array(news.first).fill(null);
  const columns = {};
  for (const [name, values] of Object.entries(news.columns)) {
    const before = known.columns[name] ?? { min: none, mean: none, max: none };
    columns[name] = { min: joined(before.min, values.min), mean: joined(before.mean, values.mean), max: joined(before.max, values.max) };
  }
  return {
    ...news, first: 0, columns, step: joined(known.step, news.step), tokens: joined(known.tokens ?? none, news.tokens),
    seconds: joined(known.seconds ?? none, news.seconds),
  };
}

const bucketsOfAll = 1600;

async function fetchCurve(run, name) {
  const known = run.curves[name];
  const wanted = { most: bucketsOfAll };
  // The last bucket may have grown.
  if (known) Object.assign(wanted, { generation: known.generation, level: known.level, known: Math.max(0, known.step.length - 1) });
  run.curves[name] = merged(known, curveOf(await source.curve(run, name, wanted)));
}

// Asks what is new; gives the runs that have changed, and whether all before is void.
async function refresh() {
  const answer = await source.runs(store.board, store.version);
  const anew = answer.board !== store.board;
  if (anew) store.runs = [];
  const changed = [];
  for (const told of answer.runs) {
    let run = store.runs.find(({ id }) => id === told.id);
    if (!run) store.runs.push((run = { curves: { updates: null, evaluations: null }, part: null, texts: new Map() }));
    if (run.generation !== told.generation) run.texts.clear();
    Object.assign(run, told);
    changed.push(run);
  }
  await Promise.all(changed.flatMap((run) => [fetchCurve(run, 'updates'), fetchCurve(run, 'evaluations')]));
  // Only now: what failed on the way is asked for again.
  Object.assign(store, { board: answer.board, version: answer.version, empty: answer.empty });
  return { changed, anew };
}

// The curves of a run between two places of an axis, in finer buckets.
async function fetchPart(run, axis, from, to) {
  const wanted = { most: bucketsOfAll, axis, from, to };
  const [updates, evaluations] = await Promise.all(['updates', 'evaluations'].map((name) => source.curve(run, name, wanted)));
  return { axis, from, to, updates: curveOf(updates), evaluations: curveOf(evaluations) };
}

async function textOf(run, number) {
  if (!run.texts.has(number)) run.texts.set(number, (await source.sample(run, number)).text);
  return run.texts.get(number);
}
