// The page of a model: it is taken out of the page, and writes when it is told to.
const data = JSON.parse(field('data').textContent);
const modelTokenizer = tokenizerOf(data.tokenizer), written = new Written(field('text'), modelTokenizer);
const modes = data.marks ? ['chat', 'write'] : ['write'];
let mode = modes[0], model = null, chat = null;
let writer = null, trace = null;  // the last
let running = null;               // { stopped } while it writes

const counted = (count, name) => `${count.toLocaleString('en')} ${name}${count === 1 ? '' : 's'}`;
const say = (text) => { field('status').textContent = text; };
function complain(text) {
  field('complaint').textContent = text;
  field('complaint').hidden = !text;
}

// Lets the browser draw and hear when 25 ms are over.
const channel = new MessageChannel();
let since = 0;
async function breathe() {
  if (performance.now() - since < 25) return;
  await new Promise((go) => { channel.port1.onmessage = go; channel.port2.postMessage(0); });
  since = performance.now();
}

// --- The model -------------------------------------------------------------------------------------------------------

function showModel() {
  const { settings } = data, shared = settings.n_kv_head > 0 && settings.n_kv_head < settings.n_head;
  document.title = data.title;
  field('title').textContent = data.title;
  field('text').classList.toggle('letters', ['char', 'byte'].includes(data.tokenizer_kind));
  field('settings').open = matchMedia('(min-width: 1000px)').matches;
  field('about').textContent = [
    `${data.kind}, ${counted(data.parameters, 'parameter')}${data.dtype === 'float32' ? '' : ` rounded to ${data.dtype}`}`,
    [counted(settings.n_layer, 'layer'),
      counted(settings.n_head, 'head') + (shared ? ` that share ${settings.n_kv_head} of keys and values` : ''),
      `${settings.n_embd} wide`].join(', '),
    `${counted(settings.block_size, 'token')} of context`,
    `${counted(settings.vocab_size, 'token')} (${data.tokenizer_kind})`,
    ...(data.step === undefined ? [] : [`${counted(data.step, 'update')}`]),
    ...(data.train_loss === undefined ? [] : [`training loss ${data.train_loss.toFixed(3)}`]),
    ...(data.val_loss === undefined ? [] : [`validation loss ${data.val_loss.toFixed(3)}`]),
  ].join(' · ');
}

async function takeModel() {
  const texts = document.querySelectorAll('script.weights'), reading = readWeights(data, (i) => texts[i].textContent);
  let step = reading.next();
  for (; !step.done; step = reading.next()) {
    texts[step.value - 1].remove();
    say(`reading the weights: ${step.value} of ${texts.length}`);
    await breathe();
  }
  model = modelOf(data, step.value);
  if (data.marks) chat = new Chat(model, modelTokenizer, data.marks);
  say('');
  field('go').disabled = false;
}

// --- Writing ---------------------------------------------------------------------------------------------------------

const newRecord = () => {
  trace = new Trace(model.blocks.length, data.settings.n_head);
  return (...seen) => trace.record(...seen);
};
const asTrained = (text) => (data.newlines === 'lf' ? text.replaceAll('\r', '') : text);
const promptText = () => asTrained(field('prompt').value || (mode === 'chat' ? '' : data.default_prompt));

// Until it ends or is stopped; gives the new tokens. Those that are `silent` end it, and are not shown.
async function run(made, silent) {
  writer = made;
  running = { stopped: false };
  showButtons();
  const ids = [], time = { reading: 0, writing: 0 };
  const rate = () => (ids.length > 1 ? `, ${(1000 * ids.length / time.writing).toFixed(0)} a second` : '');
  const told = () => `${counted(ids.length, 'token')}${rate()}`;
  field('status').ariaLive = 'off';
  let last = performance.now();
  for (const step of writer.tokens()) {
    const now = performance.now();
    time[step.id === undefined ? 'reading' : 'writing'] += now - last;
    last = now;
    if (step.id === undefined) {
      say(`reading ${step.read} of ${counted(step.of, 'token')}`);
    } else {
      ids.push(step.id);
      written.add(step, silent.includes(step.id));
      say(told());
    }
    await breathe();
    if (running.stopped) break;
  }
  field('status').ariaLive = 'polite';
  say(`${told()}${running.stopped ? '; stopped' : silent.includes(ids.at(-1)) ? '; it ended here by itself' : ''}`);
  return ids;
}

async function write() {
  const options = { ...writingOptions(), endIds: data.end_ids, newRecord };
  const prompt = promptText(), ids = modelTokenizer.encode(prompt);
  written.clear();
  written.begin(document.createElement('div'), prompt);
  if (ids.length > model.context)
    complain(`the prompt has ${counted(ids.length, 'token')}; the model reads the last ${model.context} of them`);
  await run(new Writer(model, ids, options), data.end_ids);
}

async function talk() {
  const options = { ...writingOptions(), newRecord }, said = promptText();
  if (said === '') throw new Error('an empty message says nothing');
  if (chat.ask(said, options.tokens)) complain('the beginning of the conversation is forgotten: the context is full');
  const turn = (who, textContent) => Object.assign(document.createElement('div'), { className: `turn ${who}`, textContent });
  written.box.append(turn('user', said));
  written.begin(turn('assistant', ''));
  field('prompt').value = '';
  const ids = [];
  try {
    ids.push(...await run(chat.answer(options), data.marks.unsaid));
  } finally {
    chat.answered(ids);
  }
}

function showButtons() {
  field('go').textContent = running ? 'Stop' : mode === 'chat' ? 'Send' : 'Write';
  field('anew').hidden = mode !== 'chat';
  for (const button of document.querySelectorAll('#anew, #modes button')) button.disabled = Boolean(running);
  field('look').disabled = Boolean(running) || !writer;
}

async function go() {
  complain('');
  keepSettings();
  try {
    await (mode === 'chat' ? talk() : write());
  } catch (error) {
    complain(error.message);
  }
  running = null;
  showButtons();
}

field('asking').addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) running.stopped = true;
  else if (model) go();
});
field('prompt').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || (mode === 'chat' ? event.shiftKey : !event.ctrlKey && !event.metaKey)) return;
  event.preventDefault();
  if (!running) field('asking').requestSubmit();
});
field('asking').addEventListener('input', () => {
  if (running) return;
  try {
    writingOptions();
    modelTokenizer.encode(promptText());
    complain('');
  } catch (error) {
    complain(error.message);
  }
});
field('anew').addEventListener('click', () => {
  chat = new Chat(model, modelTokenizer, data.marks);
  written.clear();
  field('prompt').focus();
});

// --- Attention -------------------------------------------------------------------------------------------------------

field('look').addEventListener('click', () => {
  writer.finish();
  useData(trace.data(writer.state.ids.map((id) => printed(modelTokenizer.bytes(id)))));
  field('attention').hidden = false;
  const shown = trace.rows.length, where = trace.first > 0 ? '' : ', which its context holds';
  field('look-hint').textContent = shown < writer.text.length ? `of the last ${counted(shown, 'token')}${where}` : '';
  chooseTheme(theme);
  chooseGroup();
});

// --- The beginning ---------------------------------------------------------------------------------------------------

function chooseMode(chosen, values = {}) {
  mode = chosen;
  for (const button of document.querySelectorAll('#modes button'))
    button.setAttribute('aria-pressed', button.dataset.mode === mode);
  field('prompt-name').textContent = mode === 'chat' ? 'Say something' : 'Prompt';
  const unsaid = data.default_prompt === '\n' ? 'a new line' : `“${data.default_prompt}”`;
  field('prompt').placeholder = mode === 'chat' ? '' : `empty: ${unsaid}`;
  written.clear();
  if (chat) chat = new Chat(model, modelTokenizer, data.marks);
  showSettings(values);
  showButtons();
}
function recall() {
  const kept = keptSettings();
  chooseTheme(['light', 'dark'].includes(kept.theme) ? kept.theme : 'auto');
  chooseMode(modes.includes(kept.mode) ? kept.mode : modes[0], kept);
}

for (const name of modes.length > 1 ? modes : []) {
  const button = document.createElement('button');
  button.textContent = name === 'chat' ? 'Chat' : 'Write';
  button.dataset.mode = name;
  button.addEventListener('click', () => { chooseMode(name); keepSettings(); });
  field('modes').append(button);
}
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (running) running.stopped = true;
  else if (field('attention').contains(document.activeElement)) letGo();
  else written.choose(-1);
});
remember = () => keepSettings();
window.addEventListener('hashchange', () => { if (!running) recall(); });
showModel();
recall();
takeModel().catch((error) => complain(error.message));
