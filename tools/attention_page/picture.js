// What a vision model looks at, over the picture: patches lit by how much attention they have.

function pictureView(picture) {
  const across = picture.width / picture.patch, down = picture.height / picture.high;
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
      const x = Math.floor((event.clientX - area.left) / area.width * across);
      const y = Math.floor((event.clientY - area.top) / area.height * down);
      const index = picture.first + Math.min(y, down - 1) * across + Math.min(x, across - 1);
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
      if (index >= 0 && index < patchTokens.length) choose({ axis: 'row', index });
    });
    return { box, canvas, legend };
  });

  return { block, draw: (chosen, out, into) => [out, into].forEach((values, i) => drawPicture(picture, plain, views[i], chosen, values, i)) };
}

function drawPicture(picture, plain, view, chosen, values, side) {
  const scale = Math.max(1, Math.round(720 / picture.width));
  const wide = scale * picture.patch, high = scale * picture.high;  // pixels a patch
  const across = picture.width / picture.patch, down = picture.height / picture.high;
  const { canvas } = view, context = canvas.getContext('2d');
  canvas.width = across * wide;
  canvas.height = down * high;
  context.imageSmoothingEnabled = false;
  context.filter = 'grayscale(0.8) brightness(0.52)';
  context.drawImage(plain, 0, 0, canvas.width, canvas.height);
  context.filter = 'none';
  const patches = values.subarray(picture.first), most = fullOf(patches);
  const glow = side === 0 ? '#ffd640' : '#ff783c';
  patches.forEach((w, i) => {
    if (w === 0) return;
    const share = w / most, x = (i % across) * wide, y = Math.floor(i / across) * high;
    context.globalAlpha = share;
    context.drawImage(plain, x / scale, y / scale, picture.patch, picture.high, x, y, wide, high);
    context.globalAlpha = 0.45 * share;
    context.fillStyle = glow;
    context.fillRect(x, y, wide, high);
  });
  context.globalAlpha = 1;
  if (chosen >= picture.first) {
    const at = chosen - picture.first, x = (at % across) * wide, y = Math.floor(at / across) * high;
    for (const [colour, width] of [['#000', 9], ['#fff', 4]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(x + 4, y + 4, Math.max(1, wide - 8), high - 8);
    }
  }
  view.box.setAttribute('aria-label', `${side === 0 ? 'Where' : 'Who looks at'} ${label(patchTokens, chosen)}${side === 0 ? ' looks' : ''}`);
  const others = picture.first > 0 ? `; ${label(patchTokens, 0)} ${percent(values[0])}` : '';
  view.legend.textContent = `brightest patch ${percent(largest(patches))}${others}`;
}
