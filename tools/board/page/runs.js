// The runs: which are there, how they stand, and which are shown.
const stateWords = { waiting: 'waiting', training: 'training', finished: 'finished', stopped: 'stopped', gone: 'removed' };
const stateMarks = { waiting: '◌', training: '●', finished: '✓', stopped: '■', gone: '✕' };

const settingOf = (run, key) => run.config.find(([name]) => name === key)?.[1];

function aboutRun(run) {
  const told = [settingOf(run, 'model'), settingOf(run, 'task')].filter(Boolean);
  for (const [key, word] of [['n_layer', 'layers'], ['n_embd', 'wide'], ['block_size', 'context']])
    if (settingOf(run, key)) told.push(`${settingOf(run, key)} ${word}`);
  return told.join(' · ');
}

function factsOfRun(run) {
  const facts = [];
  const add = (name, text, title = '') => facts.push(make('div', { title }, make('dt', { textContent: name }), make('dd', { textContent: text })));
  if (run.last) add('training loss', lossText(run.last.loss));
  if (run.evaluated) add('validation loss', lossText(run.evaluated.val_loss));
  if (run.best) add(`best, at ${grouped(run.best.step)}`, lossText(run.best.val_loss));
  if (run.last?.tokens_per_second) add(`${run.unit}/s`, grouped(run.last.tokens_per_second));
  if (run.seconds !== null) add(run.state === 'training' ? 'trained for' : 'trained', duration(run.seconds));
  if (run.left !== null) add('left', duration(run.left));
  return facts;
}

function cardOf(run) {
  const shown = !view.hidden.has(run.name);
  const toggle = make('button', { className: 'toggle', title: shown ? 'hide' : 'show' },
    make('span', { className: 'chip', textContent: run.id + 1 }), make('span', { className: 'called', textContent: run.name }));
  toggle.setAttribute('aria-pressed', shown);
  toggle.addEventListener('click', () => toggleRun(run.name));
  const state = make('span', { className: `state ${run.state}` }, make('i', { textContent: stateMarks[run.state] }), ` ${stateWords[run.state]}`);
  const share = run.of ? Math.min(1, run.step / run.of) : null;
  const bar = make('div', { className: 'bar' }, make('div'));
  bar.style.setProperty('--share', share ?? 0);
  bar.hidden = share === null;
  const progress = run.of ? `${grouped(run.step)} of ${grouped(run.of)} updates · ${percent(share)}` : run.step ? `${grouped(run.step)} updates` : 'no update is logged yet';
  const card = make('li', { className: `run ${shown ? '' : 'off'}` },
    make('div', { className: 'top' }, toggle, state), bar,
    make('p', { className: 'progress', textContent: run.read ? progress : `${progress} · reading the log` }),
    make('dl', {}, ...factsOfRun(run)),
    make('p', { className: 'about', textContent: aboutRun(run) }),
    ...run.notes.map((note) => make('p', { className: 'note', textContent: note })));
  card.style.setProperty('--hue', colourOf(run.id));
  return card;
}

function showRuns() {
  const list = byId('run-list'), focused = [...list.querySelectorAll('.toggle')].indexOf(document.activeElement);
  list.replaceChildren(...store.runs.map(cardOf));
  if (focused >= 0) list.querySelectorAll('.toggle')[focused]?.focus();
  byId('run-tools').hidden = store.runs.length < 2;
  byId('no-runs').hidden = store.runs.length > 0;
  byId('no-runs').textContent = source.isLive
    ? `No run is in ${store.empty.join(', ')} yet; one that begins there appears here.` : 'There was no run.';
  const training = store.runs.filter(({ state }) => state === 'training');
  const count = `${store.runs.length} ${store.runs.length === 1 ? 'run' : 'runs'}`;
  byId('summary').textContent = store.runs.length ? `${count}, ${training.length === 0 ? 'none' : training.length} training` : '';
  const first = training.find(({ of }) => of);
  document.title = first ? `${percent(Math.min(1, first.step / first.of))} · ${first.name}` : store.runs.length ? `${store.runs[0].name} · weft board` : 'weft board';
}

function toggleRun(name) {
  if (!view.hidden.delete(name)) view.hidden.add(name);
  showAll();
  remember();
}

function showOnly(all) {
  view.hidden = new Set(all ? [] : store.runs.map(({ name }) => name));
  showAll();
  remember();
}
