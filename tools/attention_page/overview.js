// All heads as thumbnails: a row for each layer, its mean first, and a column for each head.

function overview(group) {
  const grid = document.getElementById('grid');
  const most = Math.max(...group.layers.map((layer) => layer.heads));
  const averages = most > 1;
  const shape = group.picture ? group.picture.width / group.picture.height : group.columns.length / group.rows.length;
  grid.replaceChildren();
  grid.style.gridTemplateColumns = `max-content repeat(${most + (averages ? 1 : 0)}, minmax(34px, 104px))`;
  document.getElementById('overview-help').textContent = group.picture
    ? 'where the chosen token looks, head by head'
    : 'rows look at columns';
  const cell = (text, name) => grid.append(Object.assign(document.createElement('div'), { className: `label ${name}`, textContent: text }));
  const thumbs = [];
  const thumb = (layer, head) => {
    const button = document.createElement('button');
    button.className = 'thumb';
    button.style.setProperty('--shape', Math.max(0.4, Math.min(2.5, shape)));
    button.setAttribute('aria-label', headName(group, layer, head));
    button.title = layer === 'all' ? '' : group.layers[layer].name;
    button.append(document.createElement('canvas'));
    button.addEventListener('click', () => chooseHead(layer, head));
    button.addEventListener('focus', () => button.matches(':focus-visible') && chooseHead(layer, head));
    grid.append(button);
    thumbs.push({ button, layer, head });
  };

  cell('layer', 'layer');
  if (averages) cell('mean', '');
  for (let head = 0; head < most; ++head) cell(`${head}`, '');
  group.layers.forEach((each, layer) => {
    cell(`${layer}`, 'layer');
    if (averages) thumb(layer, 'mean');
    for (let head = 0; head < most; ++head) head < each.heads ? thumb(layer, head) : cell('', '');
  });
  if (averages && group.layers.length > 1) {
    cell('all', 'layer');
    thumb('all', 'mean');
  }
  return thumbs;
}

function drawThumbs(group, thumbs, chosen) {
  for (const { button, layer, head } of thumbs) {
    const canvas = button.firstChild;
    if (group.picture) {
      const { width, height, patch, high, first } = group.picture;
      paint(canvas, rowOf(group, layer, head, chosen.index).subarray(first), width / patch, height / high);
      button.classList.add('coarse');
    } else {
      const matrix = matrixOf(group, layer, head);
      const small = pooled(matrix, group.columns.length, group.rows.length, 184);
      paint(canvas, small.values, small.columns, small.rows, fullOfMatrix(matrix, group.columns.length));
      button.classList.toggle('coarse', small.columns <= 64);
    }
  }
}

function markThumb(thumbs, state) {
  for (const { button, layer, head } of thumbs) {
    const on = layer === state.layer && head === state.head;
    button.setAttribute('aria-pressed', on);
    button.tabIndex = on ? 0 : -1;
  }
}

function headName(group, layer, head) {
  if (layer === 'all') return 'Mean of all layers and heads';
  return head === 'mean' ? `Layer ${layer}, mean of its heads` : `Layer ${layer}, head ${head}`;
}
