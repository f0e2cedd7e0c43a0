const about = JSON.parse(document.getElementById('about').textContent);
const $ = (id) => document.getElementById(id);
const numbers = ['temperature', 'top_p', 'top_k', 'tokens', 'seed'];

let way = about.chats ? 'chat' : 'text';
let messages = [];     // of the conversation
let standing = '';     // what stands in the text
let underWay = null;   // an AbortController while something is written

// --- What is shown ---------------------------------------------------------------------------------------------------

function showWay(next) {
  way = next;
  $('chat').hidden = way !== 'chat';
  $('text').hidden = way !== 'text';
  $('question').hidden = way !== 'chat';
  $('asking').classList.toggle('text-way', way === 'text');
  for (const button of $('ways').children) button.setAttribute('aria-pressed', button.dataset.way === way);
  for (const one of document.querySelectorAll('.chat-only')) one.hidden = way !== 'chat';
  $('send').textContent = way === 'chat' ? 'Send' : about.answers ? 'Answer' : 'Write on';
  showProblem('');
  begin();
}

/// An empty conversation, or an empty page.
function begin() {
  stop();
  messages = [];
  $('status').textContent = '';
  const nothing = document.createElement('li');
  nothing.className = 'empty';
  nothing.textContent = `Say something to ${about.model}. Enter sends, Shift and Enter begin a line, Escape stops an answer.`;
  $('turns').replaceChildren(nothing);
  $('page').value = '';
  $('page').hidden = false;
  $('written').hidden = true;
  $('page-label').textContent = about.answers
    ? 'What is to be answered. Ctrl and Enter ask, Escape stops.'
    : 'A text to go on from. Ctrl and Enter write on, Escape stops; click the text to change it.';
  (way === 'chat' ? $('question') : $('page')).focus({ preventScroll: true });
}

function showProblem(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
}

function showUnderWay(is) {
  $('send').hidden = is;
  $('halt').hidden = !is;
  for (const button of $('ways').children) button.disabled = is || (button.dataset.way === 'chat' && !about.chats);
}

const themes = ['auto', 'light', 'dark'];
let theme = 'auto';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
function showTheme() {
  document.documentElement.dataset.theme = theme === 'auto' ? (prefersDark.matches ? 'dark' : 'light') : theme;
  $('theme').textContent = `Colours: ${theme}`;
}

// --- Asking ----------------------------------------------------------------------------------------------------------

function settings() {
  const asked = { model: about.model, stream: true, stream_options: { include_usage: true } };
  for (const name of numbers) {
    const value = $(name).value.trim();
    if (value !== '') asked[name === 'tokens' ? 'max_tokens' : name] = name === 'seed' ? seedOf(value) : Number(value);
  }
  if ($('stop').value) asked.stop = $('stop').value.replaceAll('\\n', '\n');
  return asked;
}

/// Events of a stream, as they come.
async function* events(response) {
  const decoder = new TextDecoder();
  let held = '';
  for (const reader = response.body.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += decoder.decode(value, { stream: true });
    for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
      const line = held.slice(0, end);
      held = held.slice(end + 2);
      if (!line.startsWith('data: ')) continue;
      if (line === 'data: [DONE]') return;
      const event = JSON.parse(line.slice(6));
      if (event.error) throw new Error(event.error.message);
      yield event;
    }
  }
}

async function ask(path, asked, each) {
  stop();
  const mine = (underWay = new AbortController());
  showUnderWay(true);
  showProblem('');
  const begin = performance.now();
  let why = '';
  try {
    const headers = { 'Content-Type': 'application/json' };
    if ($('key').value) headers.Authorization = `Bearer ${$('key').value}`;
    const response = await fetch(path, { method: 'POST', headers, body: jsonOf(asked), signal: mine.signal });
    if (!response.ok) {
      const told = await response.json().catch(() => null);
      if (response.status === 401) openSettings(true);
      throw new Error(told?.error?.message ?? `the server answered ${response.status}`);
    }
    for await (const event of events(response)) {
      for (const choice of event.choices) {
        each(choice);
        why = choice.finish_reason ?? why;
      }
      if (event.usage) showUsage(event.usage, (performance.now() - begin) / 1000, why);
    }
  } catch (error) {
    if (error.name !== 'AbortError') showProblem(error.message);
    else $('status').textContent = 'stopped';
  }
  if (underWay === mine) {
    underWay = null;
    showUnderWay(false);
  }
}

function stop() {
  underWay?.abort();
  underWay = null;
  showUnderWay(false);
}

function showUsage(usage, seconds, why) {
  const rate = (usage.completion_tokens / Math.max(seconds, 1e-3)).toFixed(1);
  $('status').textContent = `${usage.prompt_tokens} tokens read, ${usage.completion_tokens} written, ${rate} a second` +
    (why === 'length' ? '; it had no more tokens' : way === 'text' ? '; the text has ended' : '');
}

/// Adds pieces of what was said; tokens whose chances are known are marked by how much they surprise.
function show(to, pieces) {
  for (const { text, tokens } of pieces) {
    if (!tokens.length) {
      to.append(text);
      continue;
    }
    const span = document.createElement('span'), logprob = tokens.reduce((sum, one) => sum + one.logprob, 0);
    span.className = 'token';
    span.style.setProperty('--surprise', Math.min(1, -logprob / 7).toFixed(3));
    span.textContent = text;
    span.title = tokens.map(({ token, logprob: own, likeliest }) =>
      (likeliest.length ? likeliest : [[token, own]]).map(chance).join('\n')).join('\n\n');
    to.append(span);
  }
}
const percent = (log) => `${(100 * Math.exp(log)).toFixed(1)} %`;
const chance = ([name, log]) => `${percent(log)}  ${JSON.stringify(name)}`;

const chatTokens = (logprobs) => logprobs?.content.map(({ token, bytes, logprob, top_logprobs: top }) =>
  ({ token, bytes, logprob, likeliest: top.map((one) => [one.token, one.logprob]) }));
const inOrder = (chances) => Object.entries(chances).sort(([, a], [, b]) => b - a);
const textTokens = (logprobs) => logprobs?.tokens.map((token, i) =>
  ({ token, bytes: bytesOf(token), logprob: logprobs.token_logprobs[i], likeliest: inOrder(logprobs.top_logprobs?.[i] ?? {}) }));

// --- Chat ------------------------------------------------------------------------------------------------------------

function turn(role, text = '') {
  $('turns').querySelector('.empty')?.remove();
  const item = document.createElement('li'), said = document.createElement('div');
  item.className = role;
  item.setAttribute('aria-label', role === 'user' ? 'You' : about.model);
  said.className = 'said';
  said.textContent = text;
  item.append(said);
  $('turns').append(item);
  scrollTo(0, document.body.scrollHeight);
  return { item, said };
}

async function say(question) {
  const before = messages;
  messages = [...messages, { role: 'user', content: question }];
  const mine = messages;
  const asking = turn('user', question), answer = turn('assistant');
  answer.item.classList.add('under-way');
  const system = $('system').value.trim();
  const asked = { ...settings(), messages: system ? [{ role: 'system', content: system }, ...messages] : messages };
  const said = new Said($('chances').checked);
  if (said.marked) Object.assign(asked, { logprobs: true, top_logprobs: 5 });
  await ask('/v1/chat/completions', asked, (choice) => {
    const low = window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
    show(answer.said, said.add(choice.delta.content ?? '', chatTokens(choice.logprobs)));
    if (low) scrollTo(0, document.body.scrollHeight);
  });
  show(answer.said, said.end());
  answer.item.classList.remove('under-way');
  if (messages !== mine) return;  // a new conversation has begun
  if (said.text) {
    messages = [...messages, { role: 'assistant', content: said.text }];
    $('turns').setAttribute('aria-live', 'polite');
  } else {
    messages = before;
    asking.item.remove();
    answer.item.remove();
    if (!$('problem').hidden) $('question').value = question;
  }
}

// --- Text ------------------------------------------------------------------------------------------------------------

async function writeOn() {
  const prompt = $('written').hidden || about.answers ? $('page').value : standing;
  const asked = { ...settings(), prompt }, said = new Said($('chances').checked);
  if (said.marked) asked.logprobs = 5;
  const written = $('written'), fresh = document.createElement('span');
  fresh.className = 'new';
  written.replaceChildren(...(about.answers ? [] : [prompt]), fresh);
  written.hidden = false;
  $('page').hidden = !about.answers;
  written.classList.add('under-way');
  await ask('/v1/completions', asked, (choice) => {
    const low = written.scrollTop + written.clientHeight >= written.scrollHeight - 40;
    show(fresh, said.add(choice.text, textTokens(choice.logprobs)));
    if (low) written.scrollTop = written.scrollHeight;
  });
  show(fresh, said.end());
  standing = prompt + said.text;
  written.classList.remove('under-way');
  if (!said.text) change();
}

/// The text as one that can be changed.
function change() {
  if (underWay || $('written').hidden || about.answers) return;
  $('page').value = standing;
  $('written').hidden = true;
  $('page').hidden = false;
  $('page').focus();
}

// --- Keys and buttons ------------------------------------------------------------------------------------------------

function send() {
  if (underWay) return;
  if (way === 'text') {
    writeOn();
    return;
  }
  const question = $('question').value;
  if (!question.trim()) return;
  $('question').value = '';
  fit();
  say(question);
}

function fit() {
  $('question').style.height = 'auto';
  $('question').style.height = `${$('question').scrollHeight + 2}px`;
}

function openSettings(open) {
  $('settings').hidden = !open;
  $('open-settings').setAttribute('aria-expanded', open);
  if (open) $('settings').querySelector('label:not([hidden]) input').focus();
}

$('model').textContent = document.title = about.model;
$('tokens').value = Math.min(about.tokens, 200);
$('temperature').value = about.chats ? 0 : 0.8;
$('tokens').max = about.tokens;
document.querySelector('.key').hidden = !about.key;
$('ways').hidden = !about.chats;
for (const button of $('ways').children) button.addEventListener('click', () => showWay(button.dataset.way));
$('fresh').addEventListener('click', begin);
$('open-settings').addEventListener('click', () => openSettings($('settings').hidden));
$('theme').addEventListener('click', () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  showTheme();
});
prefersDark.addEventListener('change', showTheme);
$('settings').addEventListener('submit', (event) => event.preventDefault());
$('asking').addEventListener('submit', (event) => { event.preventDefault(); send(); });
$('halt').addEventListener('click', stop);
$('question').addEventListener('input', fit);
$('question').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
$('written').addEventListener('click', () => { if (!getSelection().toString()) change(); });
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && way === 'text') { event.preventDefault(); send(); }
});
showTheme();
showWay(way);
