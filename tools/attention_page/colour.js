// The colours of weights, of the theme that is on.
let ramp = null;

function rampColours() {
  if (ramp) return ramp;
  const stops = getComputedStyle(document.documentElement).getPropertyValue('--ramp').trim().split(/\s+/)
    .map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  ramp = Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (stops.length - 1), below = Math.min(stops.length - 2, Math.floor(at));
    return stops[below].map((c, k) => Math.round(c + (at - below) * (stops[below + 1][k] - c)));
  });
  return ramp;
}

// Values (rows, columns) as pixels of a canvas, by the root of their share of `most`, so that small ones are seen; what
// is 0 stays clear.
function paint(canvas, values, columns, rows, most = fullOf(values)) {
  canvas.width = columns;
  canvas.height = rows;
  const colours = rampColours();
  const context = canvas.getContext('2d'), image = context.createImageData(columns, rows);
  values.forEach((w, i) => {
    if (w === 0) return;
    image.data.set(colours[Math.round(255 * Math.sqrt(Math.min(1, w / most)))], 4 * i);
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}

// At most `side` rows and columns, each the largest of what it stands for: fine lines stay to be seen.
function pooled(values, columns, rows, side) {
  const across = Math.min(columns, side), down = Math.min(rows, side);
  if (across === columns && down === rows) return { values, columns, rows };
  const small = new Float32Array(across * down);
  for (let t = 0; t < rows; ++t)
    for (let s = 0; s < columns; ++s) {
      const at = Math.floor((t * down) / rows) * across + Math.floor((s * across) / columns);
      small[at] = Math.max(small[at], values[t * columns + s]);
    }
  return { values: small, columns: across, rows: down };
}

function showTheme(theme) {
  const dark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  for (const button of document.querySelectorAll('#theme button'))
    button.setAttribute('aria-pressed', button.dataset.theme === theme);
  ramp = null;
  paint(document.getElementById('ramp'), Float32Array.from({ length: 256 }, (_, i) => i * i), 256, 1);
}
