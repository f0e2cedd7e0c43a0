// Numbers of every layer over the steps: a map with a row a layer, and the curve of the row that is chosen, of all runs.
const partWords = { weights: 'Weights', gradients: 'Gradients', updates: 'Updates', activations: 'Activations' };
const measureWords = { ratio: 'update / weight', zero: 'share of zeros', norm: 'norm', std: 'deviation', mean: 'mean', min: 'smallest', max: 'largest' };
const rowHeight = 18;
const map = { data: null, rows: [], at: null };  // of the run that is looked at; rows that pass the filter; {row, column}
let rowChart = null;

const hasStatistics = (run) => run.statistics.lines > 0;
function statisticsRun() {
  const runs = store.runs.filter(hasStatistics);
  return runs.find(({ id }) => id === view.statisticsRun) ?? runs.find(({ name }) => !view.hidden.has(name)) ?? runs[0];
}

async function statisticsOf(run, part, measure) {
  const key = [part, measure, run.statistics.lines, run.generation].join('\n');
  if (run.statisticsKept?.key !== key) run.statisticsKept = { key, data: await source.statistics(run, part, measure) };
  return run.statisticsKept.data;
}

function segments(box, names, words, chosen, choose) {
  box.replaceChildren(...names.map((name) => {
    const button = make('button', { textContent: words[name] ?? name });
    button.setAttribute('aria-pressed', name === chosen);
    button.addEventListener('click', () => choose(name));
    return button;
  }));
}

async function showStatistics() {
  const run = statisticsRun();
  byId('statistics').hidden = !run;
  if (!run) return;
  fillChoice(byId('statistics-run'), store.runs.filter(hasStatistics), run);
  const told = run.statistics.parts;
  const [part, measures] = told.find(([name]) => name === view.part) ?? told.find(([name]) => name === 'gradients') ?? told[0];
  const measure = measures.includes(view.measure) ? view.measure : ['norm', 'ratio', 'std'].find((name) => measures.includes(name)) ?? measures[0];
  const choose = (key) => (name) => { view[key] = name; showStatistics(); remember(); };
  segments(byId('parts'), told.map(([name]) => name), partWords, part, choose('part'));
  segments(byId('measures'), measures, measureWords, measure, choose('measure'));
  const shown = [run, ...shownRuns().filter((other) => other !== run && hasStatistics(other))];
  let all;
  try {
    all = await Promise.all(shown.map(async (each) => ({ run: each, data: await statisticsOf(each, part, measure) })));
  } catch {
    return;  // it is asked for again
  }
  if (statisticsRun() !== run) return;
  map.data = all[0].data;
  map.all = all.filter((each) => each.run !== run || !view.hidden.has(run.name));
  drawMap();
  drawRow();
}

// --- The map ---------------------------------------------------------------------------------------------------------

// "b.0.a.query.weight" of "blocks.0.attention.query.weight" where that is too long; its end tells most.
function shortened(path, most) {
  if (path.length <= most) return path;
  const parts = path.split('.');
  const brief = [...parts.slice(0, -2).map((part) => (/^\d+$/.test(part) ? part : part[0])), ...parts.slice(-2)].join('.');
  if (brief.length <= most) return brief;
  const end = Math.ceil((most - 1) * 0.6);
  return `${brief.slice(0, most - 1 - end)}…${brief.slice(-end)}`;
}

// {colours, at(value) in [0, 1], low, high} of values; about 0 where some are below it, by the logarithm where they are far apart.
function tones(values) {
  const finite = values.filter((value) => value !== null);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity), low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  if (low < 0) {
    const most = Math.max(high, -low);
    return { colours: diverging(), low: -most, high: most, at: (v) => 0.5 + 0.5 * Math.sign(v) * Math.sqrt(Math.abs(v) / most) };
  }
  // The few that are smallest by far share a tone.
  const positive = finite.filter((value) => value > 0).sort((a, b) => a - b), least = positive[Math.floor(positive.length / 50)];
  if (high / least > 30) {
    const base = Math.max(least, high * 1e-8), range = Math.log(high / base);
    return { colours: sequential(), low: base, high, at: (v) => (v <= base ? 0 : Math.log(v / base) / range), log: true };
  }
  const base = low > high / 2 ? low : 0;
  return { colours: sequential(), low: base, high, at: (v) => (high > base ? (v - base) / (high - base) : 0.5) };
}

function drawMap() {
  const { data } = map, wanted = view.filter.toLowerCase();
  map.rows = data.rows.map((path, i) => ({ path, values: data.values[i] })).filter(({ path }) => path.toLowerCase().includes(wanted));
  byId('map-none').hidden = map.rows.length > 0;
  byId('map-frame').hidden = !map.rows.length;
  map.at = null;
  if (!map.rows.length) return;
  const narrow = byId('statistics').clientWidth < 560;
  byId('map-labels').replaceChildren(...map.rows.map(({ path }, i) => {
    const label = make('button', { textContent: shortened(path, narrow ? 19 : 36), title: path, tabIndex: -1 });
    label.setAttribute('aria-pressed', path === view.row);
    label.addEventListener('click', () => chooseRow(i));
    return label;
  }));
  byId('map-steps').style.setProperty('--label-width', `${byId('map-box').offsetLeft - byId('map-labels').offsetLeft}px`);
  const canvas = byId('map'), width = byId('map-box').clientWidth, columns = data.step.length;
  const context = Chart.prototype.sized(canvas, width, map.rows.length * rowHeight);
  const all = tones(map.rows.flatMap(({ values }) => values)), missing = colour('alert');
  map.rows.forEach(({ values }, row) => {
    const tone = byId('by-row').checked ? tones(values) : all;
    for (let column = 0; column < columns; ++column) {
      const value = values[column], from = Math.round((column * width) / columns), to = Math.round(((column + 1) * width) / columns);
      context.fillStyle = value === null ? missing : `rgb(${tone.colours[Math.round(255 * Math.min(1, Math.max(0, tone.at(value))))]})`;
      context.fillRect(from, row * rowHeight, Math.max(1, to - from), rowHeight - 1);
    }
  });
  byId('map-steps').replaceChildren(...[...new Set([0, (columns - 1) >> 1, columns - 1])].map((i) => make('span', { textContent: grouped(data.step[i]) })));
  byId('map-gaps').hidden = !map.rows.some(({ values }) => values.includes(null));
  showMapLegend(byId('by-row').checked ? null : all);
  showCell();
}

function showMapLegend(tone) {
  const canvas = byId('map-ramp'), context = canvas.getContext('2d'), image = context.createImageData(256, 1);
  const colours = tone?.colours ?? sequential();
  colours.forEach((c, i) => image.data.set([...c, 255], 4 * i));
  context.putImageData(image, 0, 0);
  byId('map-low').textContent = tone ? `${tone.log ? 'up to ' : ''}${digits(tone.low, 3)}` : 'least of the row';
  byId('map-high').textContent = tone ? `${digits(tone.high, 3)}${tone.log ? ', by powers' : ''}` : 'most';
}

function showCell() {
  const frame = byId('map-cell'), at = map.at;
  frame.hidden = !at;
  if (!at) {
    byId('map-told').textContent = 'Point at a cell for its number; click a row for its curve.';
    return;
  }
  const width = byId('map-box').clientWidth / map.data.step.length, { path, values } = map.rows[at.row];
  Object.assign(frame.style, { left: `${at.column * width}px`, top: `${at.row * rowHeight}px`, width: `${Math.max(3, width)}px`, height: `${rowHeight - 1}px` });
  byId('map-told').textContent = `${path} at update ${grouped(map.data.step[at.column])}: ${values[at.column] === null ? 'not finite, or missing' : digits(values[at.column])}`;
}

function cellAt(event) {
  const box = byId('map').getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / rowHeight), column = Math.floor(((event.clientX - box.left) / box.width) * map.data.step.length);
  return map.rows[row] && column >= 0 && column < map.data.step.length ? { row, column } : null;
}

function moveCell(down, across) {
  const at = map.at ?? { row: 0, column: map.data.step.length - 1 };
  const inside = (i, n) => Math.max(0, Math.min(n - 1, i));
  map.at = map.at ? { row: inside(at.row + down, map.rows.length), column: inside(at.column + across, map.data.step.length) } : at;
  showCell();
  byId('map-cell').scrollIntoView({ block: 'nearest' });
}

// --- The chosen row --------------------------------------------------------------------------------------------------

function chooseRow(i) {
  const { path } = map.rows[i];
  view.row = view.row === path ? null : path;
  byId('map-labels').childNodes.forEach((label, k) => label.setAttribute('aria-pressed', map.rows[k].path === view.row));
  drawRow();
  remember();
}

function drawRow() {
  const lines = (map.all ?? []).flatMap(({ run, data }) => {
    const i = data.rows.indexOf(view.row);
    if (i < 0) return [];
    const kind = { key: view.row };
    return [{ run, kind, name: '', x: data.step, y: data.values[i], step: data.step, low: null, high: null, faint: null,
      colour: colourOf(run.id), dash: dashOf(run.id), width: 1.6, dots: data.step.length <= mostDots }];
  });
  rowChart.figure.hidden = !lines.length;
  if (!lines.length) return;
  rowChart.figure.querySelector('h3').textContent = view.row;
  const ends = lines.flatMap(({ x }) => [x[0], x.at(-1)]);
  rowChart.draw({ lines, marks: [], from: Math.min(...ends), to: Math.max(...ends), axis: 'step', log: view.log });
  rowChart.plot.setAttribute('aria-label', `${view.row} over the updates. Arrow keys move along it.`);
}

function buildStatistics() {
  rowChart = new Chart({ title: '', height: 170, events: {
    hover: (chart, x, aloud) => {
      const rows = x === null ? null : tipOf(chart, x);
      chart.point(x, rows);
      if (aloud && rows) say(rows);
    },
    zoom: () => {},
  } });
  byId('row-curve').append(rowChart.figure);
  const box = byId('map-box');
  box.addEventListener('pointermove', (event) => { map.at = cellAt(event); showCell(); });
  box.addEventListener('pointerleave', () => { map.at = null; showCell(); });
  box.addEventListener('click', (event) => { const at = cellAt(event); if (at) chooseRow(at.row); });
  box.addEventListener('keydown', (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) moveCell(...by);
    else if (event.key === 'Enter' && map.at) chooseRow(map.at.row);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  byId('filter').addEventListener('input', (event) => { view.filter = event.target.value; if (map.data) drawMap(); });
  byId('by-row').addEventListener('change', () => map.data && drawMap());
  byId('statistics-run').addEventListener('change', (event) => { view.statisticsRun = Number(event.target.value); showStatistics(); });
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth === width || !map.data) return;
    width = box.clientWidth;
    drawMap();
    drawRow();
  }).observe(box);
}
