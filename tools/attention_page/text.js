// The sequences as text: one span a token, the chosen one's attention on the others.

// Makes the arrow keys move among `items`, of which one at a time takes part in Tab.
function rove(container, items, step) {
  container.addEventListener('keydown', (event) => {
    const at = items().indexOf(document.activeElement), by = step(event.key, at);
    if (at < 0 || by === undefined) return;
    event.preventDefault();
    items()[Math.max(0, Math.min(items().length - 1, at + by))].focus();
  });
}

function sequenceView(tokens, axis, title, { from = 0, to = tokens.length } = {}) {
  const block = document.createElement('div');
  block.className = 'sequence';
  if (title) block.append(Object.assign(document.createElement('h3'), { textContent: title }));
  const text = document.createElement('div');
  text.className = `tokens ${page.apart || page.picture ? 'apart' : letters(tokens) ? 'letters' : ''}`;
  text.setAttribute('role', 'listbox');
  text.setAttribute('aria-label', title || 'Tokens');
  for (let i = from; i < to; ++i) {
    const span = document.createElement('span');
    span.className = 'token';
    span.dataset.index = i;
    span.tabIndex = -1;
    span.setAttribute('role', 'option');
    span.setAttribute('aria-label', label(tokens, i) || 'empty');
    const breaks = tokens[i].replace(/[^\n]/g, '');
    if (/[\n\t]/.test(tokens[i]) || tokens[i] === '') {
      const mark = Object.assign(document.createElement('span'), { className: 'mark', textContent: visible(tokens[i]) || '∅' });
      span.append(mark);
    } else {
      span.textContent = tokens[i];
    }
    text.append(span);
    if (!text.classList.contains('apart')) text.append(breaks);
  }
  const spans = [...text.querySelectorAll('.token')];
  const index = (event) => {
    const span = event.target.closest('.token');
    return span && { axis, index: Number(span.dataset.index) };
  };
  text.addEventListener('pointerover', (event) => event.pointerType === 'mouse' && hover(index(event)));
  text.addEventListener('pointerleave', () => hover(null));
  text.addEventListener('click', (event) => index(event) && choose(index(event)));
  text.addEventListener('focusin', (event) => index(event) && event.target.matches(':focus-visible') && choose(index(event)));
  rove(text, () => spans, (key) => ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10, Home: -1e9, End: 1e9 })[key]);
  block.append(text);
  return { block, axis, spans };
}

// Shares of the fullest colour; shown a little stronger than they are, so that small ones are seen.
const strength = (w, most) => (most > 0 ? (w / most) ** 0.8 : 0);

// `out`: how much the chosen token looks at each; `into`: how much each looks at it. Either may be missing.
function shade(view, chosen, out, into) {
  const mostOut = out ? fullOf(out) : 0, mostIn = into ? fullOf(into) : 0;
  for (const span of view.spans) {
    const i = Number(span.dataset.index);
    const fill = out ? strength(out[i], mostOut) * 0.92 : 0;
    span.style.setProperty('--out', fill.toFixed(3));
    span.style.setProperty('--in', (into ? strength(into[i], mostIn) : 0).toFixed(3));
    span.classList.toggle('strong', fill > 0.78);
    span.classList.toggle('chosen', i === chosen);
    span.setAttribute('aria-selected', i === chosen);
    span.tabIndex = i === chosen ? 0 : -1;
  }
  if (view.spans.length && !view.spans.some((span) => span.tabIndex === 0)) view.spans[0].tabIndex = 0;
}

// A token among its neighbours, itself in bold.
function inContext(tokens, i) {
  const where = document.createElement('span');
  where.className = `where ${letters(tokens) ? 'letters' : ''}`;
  const space = /^ [^ ]/.test(tokens[i]) && i > 0 ? ' ' : '';
  const bold = Object.assign(document.createElement('b'), { textContent: space + (label(tokens, i) || '∅') });
  if (isPatch(tokens, i) || page.apart || page.picture) {
    where.append(bold, isPatch(tokens, i) ? '' : `  at ${i}`);
    return where;
  }
  let before = '', after = '';
  for (let j = i - 1; j >= 0 && before.length < 7; --j) before = visible(tokens[j]) + before;
  for (let j = i + 1; j < tokens.length && after.length < 7; ++j) after += visible(tokens[j]);
  where.append(before, bold, after);
  return where;
}

function showList(list, tokens, values) {
  list.replaceChildren();
  const order = values ? [...values.keys()].filter((i) => values[i] > 0).sort((a, b) => values[b] - values[a]).slice(0, 8) : [];
  for (const i of order) {
    const item = document.createElement('li');
    item.style.setProperty('--share', values[i]);
    item.append(inContext(tokens, i), Object.assign(document.createElement('span'), { textContent: percent(values[i]) }));
    list.append(item);
  }
  if (!order.length) list.append(Object.assign(document.createElement('li'), { className: 'none', textContent: 'nothing' }));
}
