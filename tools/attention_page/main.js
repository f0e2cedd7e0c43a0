// The page of `weft attention`: its data, and its address #looks=cross&layer=1&head=2&token=5&axis=column&theme=dark.

const whole = (text, most) => (/^\d+$/.test(text ?? '') && Number(text) <= most ? Number(text) : undefined);

remember = () => {
  const words = new URLSearchParams();
  if (groups.length > 1) words.set('looks', group.looks);
  words.set('layer', state.layer);
  words.set('head', state.head);
  words.set('token', state.index);
  if (state.axis === 'column') words.set('axis', 'column');
  if (theme !== 'auto') words.set('theme', theme);
  try { history.replaceState(null, '', `#${words}`); } catch { /* a browser that keeps no addresses for local files */ }
};

function recall() {
  const words = new URLSearchParams(location.hash.slice(1));
  chooseTheme(['light', 'dark'].includes(words.get('theme')) ? words.get('theme') : 'auto');
  chooseGroup(words.get('looks'));
  const layer = words.get('layer') === 'all' ? 'all' : whole(words.get('layer'), group.layers.length - 1);
  if (layer !== undefined) state.layer = layer;
  const most = layer === 'all' ? -1 : group.layers[state.layer].heads - 1;
  state.head = whole(words.get('head'), most) ?? (most === 0 ? 0 : 'mean');
  if (words.get('axis') === 'column' && !group.alone) state.axis = 'column';
  state.index = whole(words.get('token'), (state.axis === 'column' ? group.columns : group.rows).length - 1) ?? state.index;
  showHead();
}

document.addEventListener('keydown', (event) => { if (event.key === 'Escape') letGo(); });
window.addEventListener('hashchange', recall);
useData(JSON.parse(document.getElementById('data').textContent));
if (groups.length > 1) {
  for (const { looks, name } of groups) {
    const button = Object.assign(document.createElement('button'), { textContent: name });
    button.dataset.looks = looks;
    button.addEventListener('click', () => { chooseGroup(looks); remember(); });
    document.getElementById('looks').append(button);
  }
}
document.title = page.title ? `Attention: ${page.title}` : 'Attention';
document.getElementById('title').textContent = page.title;
recall();
