// The view of attention: what is chosen, and what follows from it. A page that has it says useData() and then chooseGroup(); if
// it keeps what is shown in its address, it sets `remember`.
let group = null;       // null as long as there is no data
const state = { layer: 0, head: 0, axis: 'row', index: 0 };
let hovered = null;     // a token or cell under the pointer, which goes before the chosen one
let matrix = null;      // of the chosen head
let views = [], picture = null, thumbs = [];
let remember = () => {};

const firstChosen = () => (group.picture ? 0 : group.rows.length - 1);

// --- Changes ---------------------------------------------------------------------------------------------------------

function chooseGroup(looks) {
  group = groups.find((each) => each.looks === looks) ?? groups[0];
  Object.assign(state, { layer: 0, head: group.layers[0].heads > 1 ? 'mean' : 0, axis: 'row', index: firstChosen() });
  hovered = null;
  build();
}

function chooseHead(layer, head) {
  Object.assign(state, { layer, head });
  showHead();
  remember();
}

function choose({ axis, index }) {
  Object.assign(state, { axis, index });
  hovered = null;
  showToken();
  remember();
}

let waiting = 0;
function hover(token) {
  hovered = token;
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; showToken(); });
}

const letGo = () => choose({ axis: 'row', index: firstChosen() });

let theme = 'auto';
function chooseTheme(chosen) {
  theme = chosen;
  showTheme(theme);
  if (group) build();
}

// --- Drawing ---------------------------------------------------------------------------------------------------------

function build() {
  for (const button of document.querySelectorAll('#looks button'))
    button.setAttribute('aria-pressed', button.dataset.looks === group.looks);
  const sequences = document.getElementById('sequences');
  sequences.replaceChildren();
  picture = null;
  if (group.picture) {
    picture = pictureView(group.picture);
    views = [sequenceView(group.rows, 'row', 'Beside the patches', { to: group.picture.first })];
    sequences.append(picture.block);
    if (group.picture.first > 0) sequences.append(views[0].block);
  } else if (group.alone) {
    views = [sequenceView(group.rows, 'row', page.sources.length ? (group.looks === 'source' ? 'Source' : 'Target') : '')];
    sequences.append(views[0].block);
  } else {
    views = [sequenceView(group.columns, 'column', 'Source'), sequenceView(group.rows, 'row', 'Target')];
    sequences.append(...views.map((view) => view.block));
  }
  thumbs = overview(group);
  if (!group.picture) drawThumbs(group, thumbs);
  showHead();
}

function showHead() {
  matrix = matrixOf(group, state.layer, state.head);
  markThumb(thumbs, state);
  document.getElementById('head-name').textContent = headName(group, state.layer, state.head);
  matrixBox.setAttribute('aria-label', `${headName(group, state.layer, state.head)}: a matrix of ${group.rows.length} by ${group.columns.length} tokens`);
  drawMatrix(group, matrix);
  document.getElementById('facts').replaceChildren(...factsOf(group, matrix).map(([name, text]) => {
    const fact = document.createElement('div');
    fact.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: text }));
    return fact;
  }));
  showToken();
}

function showToken() {
  const chosen = hovered ?? state, byRow = chosen.axis === 'row';
  const out = byRow ? rowOf(group, state.layer, state.head, chosen.index) : null;
  const into = !byRow || group.alone ? columnOf(group, state.layer, state.head, chosen.index) : null;
  for (const view of views) {
    const own = view.axis === chosen.axis;
    if (group.alone) shade(view, chosen.index, out, into);
    else shade(view, own ? chosen.index : -1, own ? null : out, own ? null : into);
  }
  if (picture) {
    picture.draw(chosen.index, out, into);
    drawThumbs(group, thumbs, chosen);
  }
  showList(document.getElementById('out'), group.columns, out);
  showList(document.getElementById('in'), group.rows, into);
  document.querySelectorAll('.lists > div').forEach((list, i) => { list.hidden = !(i === 0 ? out : into); });
  markCell(group, chosen, matrix);
}

// --- The pointer and the keyboard ------------------------------------------------------------------------------------

for (const button of document.querySelectorAll('#theme button'))
  button.addEventListener('click', () => { chooseTheme(button.dataset.theme); remember(); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => chooseTheme(theme));
rove(document.getElementById('grid'), () => thumbs.map(({ button }) => button), (key, at) => {
  const across = thumbs.filter(({ layer }) => layer === thumbs[at]?.layer).length;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, Home: -1e9, End: 1e9 }[key];
});
matrixBox.addEventListener('pointermove', (event) => event.pointerType === 'mouse' && hover(cellAt(event, group)));
matrixBox.addEventListener('pointerleave', () => hover(null));
matrixBox.addEventListener('click', (event) => {
  const cell = cellAt(event, group);
  if (!cell) return;
  choose(cell);
  hover(cell);
});
matrixBox.addEventListener('keydown', (event) => {
  const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!by) return;
  event.preventDefault();
  const at = hovered?.other !== undefined ? hovered : { index: state.axis === 'row' ? state.index : 0, other: 0 };
  const within = (i, n) => Math.max(0, Math.min(n - 1, i));
  hover({ axis: 'row', index: within(at.index + by[0], group.rows.length), other: within(at.other + by[1], group.columns.length) });
});
matrixBox.addEventListener('blur', () => hover(null));
let drawnWidth = matrixBox.clientWidth;
new ResizeObserver(() => {
  if (!group || matrixBox.clientWidth === drawnWidth) return;
  drawnWidth = matrixBox.clientWidth;
  drawMatrix(group, matrix);
  markCell(group, hovered ?? state, matrix);
}).observe(matrixBox);
