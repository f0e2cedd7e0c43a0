// The settings of the runs beside each other: those that differ, or all.
function settingsOf(runs) {
  const keys = [];
  for (const run of runs) for (const [key] of run.config) if (!keys.includes(key)) keys.push(key);
  return keys.map((key) => {
    const values = runs.map((run) => run.config.find(([name]) => name === key) ?? [key, null, '']);
    return { key, values, differs: values.some(([, value, mark]) => value !== values[0][1] || mark !== values[0][2]) };
  });
}

function cellOf([, value, mark]) {
  const cell = make('td', { className: value === null ? 'none' : '', textContent: value ?? '–' });
  if (value === '') cell.append(make('span', { className: 'none', textContent: 'empty' }));
  if (mark) cell.append(make('small', { textContent: ` #${mark}`, title: 'folders are not told; another number is another path' }));
  return cell;
}

function showConfiguration() {
  const runs = shownRuns().filter((run) => run.config.length);
  byId('configuration').hidden = !runs.length;
  if (!runs.length) return;
  const several = runs.length > 1, settings = settingsOf(runs), different = settings.filter(({ differs }) => differs);
  const all = view.allKeys || !several;
  byId('config-title').textContent = several ? 'How their configurations differ' : 'Configuration';
  byId('config-all').hidden = !several;
  byId('config-all').textContent = all ? 'Only what differs' : `All ${settings.length} keys`;
  byId('config-same').hidden = all || different.length > 0;
  const heads = several ? runs.map((run) => {
    const head = make('th', { scope: 'col' }, make('span', { className: 'chip', textContent: run.id + 1 }), run.name);
    head.style.setProperty('--hue', colourOf(run.id));
    return head;
  }) : [];
  const table = byId('config-table');
  table.classList.toggle('alone', !several);
  table.replaceChildren(
    ...(several ? [make('thead', {}, make('tr', {}, make('th', { scope: 'col', textContent: 'key' }), ...heads))] : []),
    make('tbody', {}, ...(all ? settings : different).map(({ key, values, differs }) =>
      make('tr', { className: several && differs && all ? 'differs' : '' }, make('th', { scope: 'row', textContent: key }), ...values.map(cellOf)))));
  table.hidden = !all && !different.length;
}

function buildConfiguration() {
  byId('config-all').addEventListener('click', () => {
    view.allKeys = !view.allKeys;
    showConfiguration();
  });
}
