// What is chosen to be seen, and the address that says so: #axis=tokens&smooth=64&log&from=10&to=90&hide=runs/a
const windows = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
const axes = { step: 'Updates', tokens: 'Tokens', seconds: 'Time' };

const view = {
  axis: 'step',
  log: false,
  window: null,       // of windows; null: what suits the runs
  zoom: null,         // {from, to} of the axis
  hidden: new Set(),  // names of runs
  allKeys: false,     // of the configuration
  sampleRun: null, sample: null,  // a run's id; a number of a sample, null: the newest
  statisticsRun: null, part: null, measure: null, row: null, filter: '',
};

const shownRuns = () => store.runs.filter(({ name }) => !view.hidden.has(name));
const placesOf = (curve, axis = view.axis) => curve?.[axis];
const updatesOf = (run) => run.step ?? 0;

// A hundredth of the longest run.
function windowNow() {
  if (view.window !== null) return view.window;
  const longest = Math.max(0, ...store.runs.map(updatesOf));
  return windows.findLast((window) => window <= longest / 100) ?? 0;
}

function textOfPlace(x, axis = view.axis) {
  if (axis === 'seconds') return duration(x);
  return axis === 'tokens' ? `${brief(x)} tokens` : `update ${grouped(x)}`;
}

function remember() {
  const words = new URLSearchParams();
  if (view.axis !== 'step') words.set('axis', view.axis);
  if (view.log) words.set('log', 1);
  if (view.window !== null) words.set('smooth', view.window);
  if (view.zoom) {
    words.set('from', Number(view.zoom.from.toPrecision(7)));
    words.set('to', Number(view.zoom.to.toPrecision(7)));
  }
  for (const name of view.hidden) words.append('hide', name);
  if (view.sample !== null) words.set('sample', view.sample);
  for (const key of ['part', 'measure', 'row']) if (view[key] !== null) words.set(key, view[key]);
  if (theme !== 'auto') words.set('theme', theme);
  try { history.replaceState(null, '', `#${words}`); } catch { /* a browser that keeps no addresses for local files */ }
}

function recall() {
  const words = new URLSearchParams(location.hash.slice(1));
  const number = (key) => (words.has(key) && Number.isFinite(Number(words.get(key))) ? Number(words.get(key)) : null);
  view.axis = Object.keys(axes).includes(words.get('axis')) ? words.get('axis') : 'step';
  view.log = words.has('log');
  view.window = windows.includes(number('smooth')) ? number('smooth') : null;
  view.zoom = number('from') !== null && number('to') > number('from') ? { from: number('from'), to: number('to') } : null;
  view.hidden = new Set(words.getAll('hide'));
  view.sample = number('sample');
  for (const key of ['part', 'measure', 'row']) view[key] = words.get(key);
  showTheme(['light', 'dark'].includes(words.get('theme')) ? words.get('theme') : 'auto');
}

// A new element: make('button', {className: 'x', textContent: 'y'}, child, ...).
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}
const byId = (id) => document.getElementById(id);
