// All curves of the runs that are shown: what is drawn of them, and how one looks into them.
const kinds = [
  { key: 'loss', title: 'Loss', height: 360 },
  { key: 'lr', title: 'Learning rate' },
  { key: 'grad_norm', title: 'Norm of the gradient', smooth: true, word: 'norm' },
  { key: 'tokens_per_second', title: 'Speed', smooth: true, word: 'speed', unit: (run) => `${run.unit}/s` },
  { key: 'memory_bytes', title: 'Memory', format: bytes },
  { key: 'val_accuracy', title: 'Validation accuracy', of: 'evaluations' },
  { key: 'val_bits_per_byte', title: 'Validation bits per byte', of: 'evaluations' },
];
const mostDots = 80;

// A part that was fetched for what is looked at goes before the whole.
function curvesOf(run) {
  const fits = view.zoom && run.part && run.part.axis === view.axis && run.part.from <= view.zoom.from && run.part.to >= view.zoom.to;
  return fits && run.part.generation === run.generation ? run.part : run.curves;
}

function lineOf(run, kind, { of = kind.of ?? 'updates', column = kind.key, smooth = kind.smooth, name = '', ...style } = {}) {
  const curve = curvesOf(run)[of], values = curve?.columns[column], x = curve?.[view.axis];
  if (!values || !x?.length) return null;
  const window = smooth ? windowNow() : 0, whole = run.curves[of];
  const before = whole?.columns[column] && whole !== curve ? { steps: whole.step, values: whole.columns[column].mean } : null;
  return {
    run, kind, name, x, values, step: curve.step, window,
    y: window > 0 ? smoothed(curve.step, values.mean, window, before) : values.mean,
    low: curve.level > 0 ? values.min : null, high: curve.level > 0 ? values.max : null,
    faint: window > 0 && curve.level === 0 ? values.mean : null,
    colour: of === 'evaluations' && store.runs.length === 1 ? secondColour() : colourOf(run.id), dash: dashOf(run.id),
    width: 1.6, dots: false, ...style,
  };
}

function linesOf(run, kind) {
  if (kind.key !== 'loss') return [lineOf(run, kind)].filter(Boolean);
  const training = lineOf(run, kind, { column: 'loss', smooth: true, name: 'training' });
  const validation = lineOf(run, kind, { of: 'evaluations', column: 'val_loss', name: 'validation', width: 2.2 });
  if (validation) {
    const [begin, end] = view.zoom ? within(validation.x, view.zoom.from, view.zoom.to) : [0, validation.x.length];
    validation.dots = end - begin <= mostDots;
  }
  return [training, validation].filter(Boolean);
}

// Where a step lies on the axis.
function placeOfStep(run, step) {
  if (view.axis === 'step') return step;
  const curve = run.curves.updates;
  return curve?.[view.axis]?.[nearest(curve.step, step)] ?? null;
}

// --- Drawing ---------------------------------------------------------------------------------------------------------

const charts = [];

function buildCurves() {
  const events = { hover: pointAt, zoom: zoomTo };
  for (const kind of kinds) {
    const chart = new Chart({ ...kind, height: kind.height ?? 150, events });
    chart.kind = kind;
    charts.push(chart);
    byId(kind.key === 'loss' ? 'loss' : 'others').append(chart.figure);
  }
  for (const axis of Object.keys(axes)) {
    const button = make('button', { textContent: axes[axis] });
    button.dataset.axis = axis;
    button.addEventListener('click', () => setAxis(axis));
    byId('axis').append(button);
  }
  byId('log').addEventListener('click', () => { view.log = !view.log; drawCurves(); remember(); });
  byId('whole').addEventListener('click', () => zoomTo(null, null));
  byId('window').max = windows.length - 1;
  byId('window').addEventListener('input', (event) => setWindow(Number(event.target.value)));
  let width = 0;
  new ResizeObserver(() => {
    if (byId('curves').clientWidth === width) return;
    width = byId('curves').clientWidth;
    drawCurves();
  }).observe(byId('curves'));
}

function setAxis(axis) {
  if (axis === view.axis) return;
  Object.assign(view, { axis, zoom: null });
  drawCurves();
  remember();
}

function setWindow(index) {
  view.window = windows[Math.max(0, Math.min(windows.length - 1, index))];
  drawCurves();
  remember();
}

// What a run has of each axis.
const hasAxis = (axis) => axis === 'step' || store.runs.some((run) => run.curves.updates?.[axis]);

function showControls() {
  if (!hasAxis(view.axis) && store.runs.length) view.axis = 'step';
  for (const button of byId('axis').children) {
    button.setAttribute('aria-pressed', button.dataset.axis === view.axis);
    button.disabled = !hasAxis(button.dataset.axis);
    button.title = button.disabled ? 'the logs do not tell it' : '';
  }
  byId('log').setAttribute('aria-pressed', view.log);
  byId('whole').hidden = !view.zoom;
  const window = windowNow();
  byId('window').value = windows.indexOf(window);
  byId('window').setAttribute('aria-valuetext', `${window} updates`);
  byId('window-text').textContent = window === 0 ? 'none' : window === 1 ? '1 update' : `${grouped(window)} updates`;
}

function drawCurves() {
  showControls();
  const runs = shownRuns();
  const ends = runs.flatMap((run) => [placesOf(run.curves.updates), placesOf(run.curves.evaluations)])
    .map((places) => endsOf(places ?? [])).filter(([first]) => first !== undefined);
  const from = view.zoom?.from ?? Math.min(...ends.map(([first]) => first));
  const to = view.zoom?.to ?? Math.max(...ends.map(([, last]) => last));
  for (const chart of charts) {
    const lines = runs.flatMap((run) => linesOf(run, chart.kind));
    // Those that nobody logs take no room.
    const logged = store.runs.some((run) => curvesOf(run)[chart.kind.of ?? 'updates']?.columns[chart.kind.key]);
    chart.figure.hidden = !logged && chart.kind.key !== 'loss';
    if (chart.figure.hidden) continue;
    const marks = chart.kind.key === 'loss' ? alertsShown().map(({ run, alert, number }) => ({ x: placeOfStep(run, alert.step), number }))
      .filter(({ x }) => x !== null).sort((a, b) => a.x - b.x) : [];
    chart.draw({ lines, marks, from, to, axis: view.axis, log: view.log });
    describe(chart, lines);
  }
  showLegend(runs);
}

// The last values, for who does not see the picture, and above it those of a run that is alone.
function describe(chart, lines) {
  const last = (line) => valueOf(line, line.y.findLastIndex((value) => value !== null));
  const texts = lines.map((line) => `${line.run.name} ${line.name} ${last(line)}`.replace('  ', ' '));
  chart.plot.setAttribute('aria-label', `${chart.title}: ${texts.join('; ') || 'nothing'}. Arrow keys move along it.`);
  chart.readout.textContent = lines.length === 1 ? last(lines[0]) : '';
}

function showLegend(runs) {
  const alone = store.runs.length === 1 && runs.length === 1;
  const key = (className, text, hue) => {
    const line = make('i', { className });
    if (hue) line.style.setProperty('--hue', hue);
    return make('span', {}, line, text);
  };
  byId('legend').replaceChildren(
    key('thin', windowNow() > 0 ? 'training, smoothed' : 'training', alone ? colourOf(runs[0].id) : ''),
    key('thick', 'validation', alone ? secondColour() : ''));
}

// --- Looking ---------------------------------------------------------------------------------------------------------

function valueOf(line, i) {
  const value = line.y[i];
  const text = (line.kind.format ?? (line.kind.key === 'lr' ? (x) => digits(x, 3) : line.kind.key === 'loss' ? lossText : digits))(value);
  return line.kind.unit ? `${text} ${line.kind.unit(line.run)}` : text;
}

// A row of the tip for each run, its lines beside each other; of a run that is alone a row for each line.
function tipOf(chart, x) {
  const points = chart.pointsAt(x);
  if (!points.length) return null;
  const updates = points.find(({ line }) => line.kind.of !== 'evaluations' && line.name !== 'validation') ?? points[0];
  const place = textOfPlace(x), near = grouped(updates.line.step[updates.i]);
  const head = make('div', { className: 'head', textContent: view.axis === 'step' || chart === rowChart ? `update ${near}` : `${place} · near update ${near}` });
  const several = store.runs.length > 1;
  const names = [...new Set(points.map(({ line }) => line.name))];
  const table = make('table');
  if (several && names.length > 1) table.append(make('tr', {}, make('th'), ...names.map((name) => make('th', { textContent: name }))));
  const rows = several ? [...new Set(points.map(({ line }) => line.run))].map((run) => points.filter(({ line }) => line.run === run)) : points.map((point) => [point]);
  for (const row of rows) {
    const { line, i } = row[0], swatch = make('i', { className: line.name === 'validation' ? 'thick' : 'thin' });
    swatch.style.setProperty('--hue', line.colour);
    const who = make('td', { className: 'who' }, swatch, several ? `${line.run.id + 1} ${line.run.name}` : line.name || chart.title);
    const values = several ? names.map((name) => row.find((point) => point.line.name === name)) : row;
    const range = several ? '' : line.low ? `${digits(line.low[i], 3)} – ${digits(line.high[i], 3)}` : line.faint ? `here ${lossText(line.faint[i])}` : '';
    table.append(make('tr', {}, who, ...values.map((point) => make('td', { textContent: point ? valueOf(point.line, point.i) : '' })),
      ...(range ? [make('td', { className: 'range', textContent: range })] : [])));
  }
  return [head, table];
}

// For who hears the page.
function say(rows) {
  const [head, table] = rows;
  byId('spoken').textContent = [head, ...table.rows].map((row) => [...(row.cells ?? [row])].map(({ textContent }) => textContent).join(' ')).join('; ');
}

function pointAt(chart, x, aloud = false) {
  const rows = x === null ? null : tipOf(chart, x);
  for (const each of charts) if (each.picture && !each.figure.hidden) each.point(x, each === chart ? rows : null);
  if (aloud && rows) say(rows);
}

function zoomTo(from, to) {
  const last = charts[0].x;
  view.zoom = from === null || !(to > from) ? null : { from: Math.max(0, from), to };
  if (view.axis === 'step' && view.zoom && view.zoom.to - view.zoom.from < 2) view.zoom = last ? { from: last.low, to: last.high } : null;
  for (const chart of charts) Object.assign(chart, { cursor: null, rows: null });
  drawCurves();
  remember();
  fetchParts();
}

// Finer buckets of what is looked at, once it stays so for a moment.
let partsWait = 0;
function fetchParts() {
  clearTimeout(partsWait);
  if (!view.zoom || !source.isLive) return;
  partsWait = setTimeout(async () => {
    const { axis, zoom } = view;
    await Promise.all(shownRuns().filter((run) => run.curves.updates?.level > 0 || run.curves.evaluations?.level > 0).map(async (run) => {
      const { generation, version } = run;
      if (run.part && run.part.version === version && run.part.axis === axis && run.part.from === zoom.from && run.part.to === zoom.to) return;
      try {
        run.part = { ...await fetchPart(run, axis, zoom.from, zoom.to), generation, version };
      } catch { /* it is asked for again */ }
    }));
    if (view.axis === axis && view.zoom === zoom) drawCurves();
  }, 120);
}
