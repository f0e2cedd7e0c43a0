// What the numbers tell a reader to look at: marks in the curve of the loss, and sentences.
const severe = new Set(['divergence', 'not_finite']);

// Of the runs that are shown, numbered by where they stand.
function alertsShown() {
  return shownRuns().flatMap((run) => run.alerts.map((alert) => ({ run, alert })))
    .map((each, i) => ({ ...each, number: String(i + 1) }));
}

let alertAt = -1;

function showAlerts() {
  const alerts = alertsShown();
  byId('alert-list').replaceChildren(...alerts.map(({ run, alert, number }, i) => {
    const several = store.runs.length > 1;
    const button = make('button', { className: 'alert' },
      make('span', { className: `mark ${severe.has(alert.kind) ? 'severe' : ''}`, textContent: number }),
      make('span', {}, make('b', { textContent: alert.title }),
        make('span', { className: 'where', textContent: ` at ${grouped(alert.step)}${several ? ` · ${run.name}` : ''}` })));
    button.addEventListener('click', () => lookAt(i));
    return make('li', {}, button, make('p', { textContent: alert.text }));
  }));
  byId('no-alerts').hidden = alerts.length > 0;
}

// Puts the cursor where an alert is; a zoom that does not show it is left.
function lookAt(i) {
  const alerts = alertsShown();
  if (!alerts.length) return;
  alertAt = (i + alerts.length) % alerts.length;
  const { run, alert } = alerts[alertAt], x = placeOfStep(run, alert.step);
  if (x === null) return;
  if (view.zoom && (x < view.zoom.from || x > view.zoom.to)) zoomTo(null, null);
  pointAt(charts[0], x, true);
  const behaviour = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  charts[0].figure.scrollIntoView({ block: 'nearest', behavior: behaviour });
}
