// What a vision model looks at, over the picture: patches lit by how much attention they have.

function pictureView(picture) {
  const across = picture.width / picture.patch;
  const plain = document.createElement('canvas');
  plain.width = picture.width;
  plain.height = picture.height;
  const image = plain.getContext('2d').createImageData(picture.width, picture.height);
  const rgb = bytesOf(picture.pixels);
  for (let i = 0; i < rgb.length / 3; ++i) image.data.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  plain.getContext('2d').putImageData(image, 0, 0);

  const block = document.createElement('div');
  block.className = 'pictures';
  const views = [['out', 'Where it looks'], ['in', 'Who looks at it']].map(([side, title]) => {
    const figure = document.createElement('div');
    const box = Object.assign(document.createElement('div'), { className: 'picture', tabIndex: side === 'out' ? 0 : -1 });
    box.setAttribute('role', 'img');
    const canvas = document.createElement('canvas');
    const legend = Object.assign(document.createElement('div'), { className: 'legend' });
    box.append(canvas);
    figure.append(Object.assign(document.createElement('h3'), { className: side, textContent: title }), box, legend);
    block.append(figure);
    const patchAt = (event) => {
      const area = box.getBoundingClientRect();
      const unit = area.width / across;
      const x = Math.floor((event.clientX - area.left) / unit), y = Math.floor((event.clientY - area.top) / unit);
      const index = picture.first + Math.min(y, picture.height / picture.patch - 1) * across + Math.min(x, across - 1);
      return { axis: 'row', index: Math.max(picture.first, index) };
    };
    box.addEventListener('pointermove', (event) => event.pointerType === 'mouse' && hover(patchAt(event)));
    box.addEventListener('pointerleave', () => hover(null));
    box.addEventListener('click', (event) => choose(patchAt(event)));
    box.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
      if (!by) return;
      event.preventDefault();
      const index = state.index + by;
      if (index >= 0 && index < page.tokens.length) choose({ axis: 'row', index });
    });
    return { box, canvas, legend };
  });

  return { block, draw: (chosen, out, into) => [out, into].forEach((values, i) => drawPicture(picture, plain, views[i], chosen, values, i)) };
}

function drawPicture(picture, plain, view, chosen, values, side) {
  const unit = Math.max(1, Math.round(720 / picture.width)) * picture.patch;  // pixels a patch
  const across = picture.width / picture.patch, down = picture.height / picture.patch;
  const { canvas } = view, context = canvas.getContext('2d');
  canvas.width = across * unit;
  canvas.height = down * unit;
  context.imageSmoothingEnabled = false;
  context.filter = 'grayscale(0.8) brightness(0.52)';
  context.drawImage(plain, 0, 0, canvas.width, canvas.height);
  context.filter = 'none';
  const patches = values.subarray(picture.first), most = fullOf(patches);
  const glow = side === 0 ? '#ffd640' : '#ff783c';
  patches.forEach((w, i) => {
    if (w === 0) return;
    const share = w / most, x = (i % across) * unit, y = Math.floor(i / across) * unit, from = picture.patch;
    context.globalAlpha = share;
    context.drawImage(plain, (i % across) * from, Math.floor(i / across) * from, from, from, x, y, unit, unit);
    context.globalAlpha = 0.45 * share;
    context.fillStyle = glow;
    context.fillRect(x, y, unit, unit);
  });
  context.globalAlpha = 1;
  if (chosen >= picture.first) {
    const at = chosen - picture.first, x = (at % across) * unit, y = Math.floor(at / across) * unit;
    for (const [colour, width] of [['#000', 9], ['#fff', 4]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(x + 4, y + 4, unit - 8, unit - 8);
    }
  }
  view.box.setAttribute('aria-label', `${side === 0 ? 'Where' : 'Who looks at'} ${label(page.tokens, chosen)}${side === 0 ? ' looks' : ''}`);
  const others = picture.first > 0 ? `; ${label(page.tokens, 0)} ${percent(values[0])}` : '';
  view.legend.textContent = `brightest patch ${percent(largest(patches))}${others}`;
}
