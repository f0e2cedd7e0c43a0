// What keys do, everywhere on the page but in fields of text.
const keyHelp = [
  ['?', 'this list'],
  ['x', 'next axis: updates, tokens, time'],
  ['l', 'logarithms, on and off'],
  ['[ ]', 'less and more smoothing'],
  ['← →', 'along a chart that has the focus (with Shift in larger steps)'],
  ['+ −', 'zoom in and out about the cursor of that chart'],
  ['Esc', 'all of the curves again'],
  ['n p', 'next and previous alert'],
  [', .', 'earlier and later sample'],
  ['1 … 9', 'show or hide a run'],
  ['a', 'show all runs'],
  ['t', 'light, dark, or as the system has it'],
  ['space', 'hold the page still, and go on'],
];

function nextTheme() {
  const all = ['auto', 'light', 'dark'];
  setTheme(all[(all.indexOf(theme) + 1) % all.length]);
}

const keyActions = {
  '?': () => byId('help').showModal(),
  x: () => {
    const all = Object.keys(axes).filter(hasAxis);
    setAxis(all[(all.indexOf(view.axis) + 1) % all.length]);
  },
  l: () => byId('log').click(),
  '[': () => setWindow(windows.indexOf(windowNow()) - 1),
  ']': () => setWindow(windows.indexOf(windowNow()) + 1),
  Escape: () => zoomTo(null, null),
  n: () => lookAt(alertAt + 1),
  p: () => lookAt(alertAt < 0 ? -1 : alertAt - 1),
  ',': () => moveSample(sampleNow() - 1),
  '.': () => moveSample(sampleNow() + 1),
  a: () => showOnly(true),
  t: nextTheme,
  ' ': () => byId('hold').click(),
};

function buildKeys() {
  byId('key-list').replaceChildren(...keyHelp.flatMap(([keys, text]) =>
    [make('dt', {}, ...keys.split(' ').map((key) => (key === '…' ? '…' : make('kbd', { textContent: key })))), make('dd', { textContent: text })]));
  byId('help-button').addEventListener('click', () => byId('help').showModal());
  byId('help-close').addEventListener('click', () => byId('help').close());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
    const field = event.target.closest('input, select, textarea');
    if (field && !(field.type === 'range' && !event.key.startsWith('Arrow'))) return;
    if (event.key === ' ' && event.target.closest('button, input, [tabindex]')) return;
    const run = /^[1-9]$/.test(event.key) && store.runs.find(({ id }) => id === Number(event.key) - 1);
    const action = run ? () => toggleRun(run.name) : keyActions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
