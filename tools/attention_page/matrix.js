// The chosen head as a matrix: row t looks at column s.
const matrixBox = document.getElementById('matrix');
const matrixCanvas = matrixBox.querySelector('canvas');
let place = null;  // where the cells lie in the box: left, top, cell width and height, in CSS pixels

// Labels that fit beside cells of this size; none when they are too small to be read.
function labelsFor(tokens, cell) {
  if (cell < 11 || page.picture) return null;
  return tokens.map((_, i) => {
    const characters = [...label(tokens, i)];
    return characters.length > 11 ? characters.slice(0, 10).join('') + '…' : characters.join('');
  });
}

function drawMatrix(group, values) {
  const T = group.rows.length, S = group.columns.length;
  const width = matrixBox.clientWidth, scale = window.devicePixelRatio || 1;
  const style = getComputedStyle(document.documentElement);
  const context = matrixCanvas.getContext('2d');
  const font = `11.5px ${style.getPropertyValue(letters(group.rows) ? '--mono' : '--sans')}`;
  context.font = font;
  const widest = (labels) => (labels ? Math.ceil(Math.max(0, ...labels.map((text) => context.measureText(text).width))) + 8 : 0);

  let left = widest(labelsFor(group.rows, 99));
  const fit = () => Math.min(30, (width - left) / S, Math.max(620, window.innerHeight * 0.8) / T);
  let cell = fit();
  if (cell < 11) left = 0, cell = fit();
  if (cell * scale > 2) cell = Math.floor(cell * scale) / scale;
  const rowLabels = labelsFor(group.rows, cell), columnLabels = labelsFor(group.columns, cell);
  const upright = columnLabels && widest(columnLabels) - 8 <= cell - 1;
  const top = upright ? 18 : widest(columnLabels);

  matrixCanvas.style.width = `${left + cell * S}px`;
  matrixCanvas.style.height = `${top + cell * T}px`;
  matrixCanvas.width = Math.round((left + cell * S) * scale);
  matrixCanvas.height = Math.round((top + cell * T) * scale);
  context.scale(scale, scale);
  const image = document.createElement('canvas');
  const most = fullOfMatrix(values, S);
  paint(image, values, S, T, most);
  context.imageSmoothingEnabled = cell * scale < 1;
  context.drawImage(image, left, top, cell * S, cell * T);
  context.fillStyle = style.getPropertyValue('--card');
  if (cell >= 9) {
    for (let s = 0; s <= S; ++s) context.fillRect(left + s * cell - 0.5, top, 1, cell * T);
    for (let t = 0; t <= T; ++t) context.fillRect(left, top + t * cell - 0.5, cell * S, 1);
  } else {
    context.strokeStyle = style.getPropertyValue('--line');
    context.strokeRect(left + 0.5, top + 0.5, cell * S - 1, cell * T - 1);
  }
  context.fillStyle = style.getPropertyValue('--muted');
  context.font = font;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  rowLabels?.forEach((text, t) => context.fillText(text, left - 6, top + (t + 0.5) * cell));
  columnLabels?.forEach((text, s) => {
    context.save();
    context.translate(left + (s + 0.5) * cell, top - 6);
    if (!upright) context.rotate(-Math.PI / 2);
    context.textAlign = upright ? 'center' : 'left';
    context.fillText(text, 0, upright ? -3 : 0);
    context.restore();
  });
  place = { left: left + (width - left - cell * S) / 2, top, cell };
  document.getElementById('most').textContent = `${most < largest(values) ? '≥ ' : ''}${percent(most)}`;
}

function cellAt(event, group) {
  const box = matrixBox.getBoundingClientRect();
  const t = Math.floor((event.clientY - box.top - place.top) / place.cell);
  const s = Math.floor((event.clientX - box.left - place.left) / place.cell);
  if (t < 0 || s < 0 || t >= group.rows.length || s >= group.columns.length) return null;
  return { axis: 'row', index: t, other: s };
}

function band(name, shown, s, t, across, down) {
  const style = matrixBox.querySelector(`.band.${name}`).style;
  style.display = shown ? 'block' : 'none';
  style.left = `${place.left + s * place.cell}px`;
  style.top = `${place.top + t * place.cell}px`;
  style.width = `${across * place.cell}px`;
  style.height = `${down * place.cell}px`;
}

function markCell(group, chosen, values) {
  const T = group.rows.length, S = group.columns.length, { axis, index, other } = chosen;
  band('row', axis === 'row', 0, index, S, 1);
  band('column', axis === 'column' || (group.alone && other === undefined), index, 0, 1, T);
  band('point', other !== undefined, other ?? 0, index, 1, 1);
  const text = document.getElementById('cell');
  if (other === undefined) text.textContent = '';
  else text.textContent = `“${label(group.rows, index)}” gives ${percent(values[index * S + other])} to “${label(group.columns, other)}”`;
}
