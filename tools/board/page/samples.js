// What a run wrote, from its first sample to its newest.
function sampleRun() {
  const runs = store.runs.filter((run) => run.samples.length);
  return runs.find(({ id }) => id === view.sampleRun) ?? runs.find(({ name }) => !view.hidden.has(name)) ?? runs[0];
}

// A <select> of the runs that have something.
function fillChoice(select, runs, chosen) {
  const known = [...select.options].map(({ value }) => value).join();
  if (known !== runs.map(({ id }) => id).join())
    select.replaceChildren(...runs.map((run) => make('option', { value: run.id, textContent: run.name })));
  select.value = chosen?.id ?? '';
  select.hidden = runs.length < 2;
}

async function showSamples() {
  const run = sampleRun();
  byId('samples').hidden = !run;
  if (!run) return;
  fillChoice(byId('sample-run'), store.runs.filter(({ samples }) => samples.length), run);
  const last = run.samples.length - 1, number = Math.min(last, view.sample ?? last), step = run.samples[number];
  const slider = byId('sample-number');
  slider.max = last;
  slider.value = number;
  slider.disabled = last === 0;
  slider.setAttribute('aria-valuetext', `update ${step}`);
  byId('sample-step').textContent = `update ${grouped(step)}`;
  const evaluations = run.curves.evaluations;
  const at = evaluations ? evaluations.step.indexOf(step) : -1, loss = at < 0 ? null : evaluations.columns.val_loss?.mean[at];
  byId('sample-loss').textContent = loss === null || loss === undefined ? '' : `validation loss ${lossText(loss)}`;
  byId('sample-count').textContent = `${number + 1} of ${last + 1}`;
  let text;
  try {
    text = await textOf(run, number);
  } catch {
    text = null;
  }
  // The slider may have moved on meanwhile.
  if (Number(slider.value) !== number || sampleRun() !== run) return;
  byId('sample-text').textContent = text ?? 'This sample cannot be read just now.';
}

function moveSample(to) {
  const run = sampleRun();
  if (!run) return;
  const last = run.samples.length - 1, number = Math.max(0, Math.min(last, to));
  view.sample = number === last ? null : number;  // the newest stays the newest
  showSamples();
  remember();
}
const sampleNow = () => view.sample ?? (sampleRun()?.samples.length ?? 1) - 1;

function buildSamples() {
  byId('sample-number').addEventListener('input', (event) => moveSample(Number(event.target.value)));
  byId('sample-run').addEventListener('change', (event) => {
    view.sampleRun = Number(event.target.value);
    showSamples();
  });
}
