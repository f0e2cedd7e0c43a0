// What the engine of a page says beside what weft said: node compare.js PAGE.html CASES.jsonl. A line is one of
//   {"text": file that `weft generate` wrote, "prompt", "tokens", "seed" and other options of a Writer that are not as usual}
//   {"logits": file of `weft logits`, "ids": [...]}
//   {"chat": file that `weft chat` wrote, "said": [...], and options}
//   {"encoded": file of `weft tokenizer encode --jsonl`, "texts": what it read}
//   {"attention": page that `weft attention` wrote, "read": text}
// Prints what it compared; exit code 1 when one bit or letter differs.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { openPage } = require('./engine.js');

const [page, cases] = process.argv.slice(2);
const { data, global, model, tokenizer } = openPage(page);
const usual = { temperature: 0.8, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, tokens: 500, seed: 1337 };
const counts = { tokens: 0, logits: 0, attention: 0, texts: 0, differences: 0, seconds: 0 };

function differ(what, at, ours, theirs) {
  ++counts.differences;
  console.log(`${page}: ${what} differs at ${at}: the page ${JSON.stringify(ours)}, weft ${JSON.stringify(theirs)}`);
}

// The ids and bytes of what is written, without the tokens of `silent`.
function writtenBy(writer, silent) {
  const ids = [], parts = [], begin = performance.now();
  for (const { id } of writer.tokens())
    if (id !== undefined) {
      ids.push(id);
      if (!silent.includes(id)) parts.push(tokenizer.bytes(id));
    }
  counts.seconds += (performance.now() - begin) / 1000;
  counts.tokens += ids.length;
  return { ids, bytes: Buffer.concat(parts) };
}

// Of text, weft leaves out a character that is not whole at the end; bytes that are no text it writes as they are.
function compareBytes(what, ours, theirs) {
  let length = ours.length;
  while (length > ours.length - 4 && length > theirs.length) --length;
  if (ours.subarray(0, length).equals(theirs)) return;
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  differ(what, `byte ${at}`, ours.subarray(at, at + 20).toString(), theirs.subarray(at, at + 20).toString());
}

function compareText({ text, prompt, ...given }) {
  const options = { ...usual, ...given, sample: 0n, endIds: data.end_ids };
  options.seed = BigInt(options.seed);
  const { bytes } = writtenBy(new global.Writer(model, tokenizer.encode(prompt), options), data.end_ids);
  compareBytes(text, Buffer.concat([Buffer.from(prompt), bytes]), fs.readFileSync(text));
}

// (T, V) float32, as NumPy writes it.
function rowsOf(npy) {
  const bytes = fs.readFileSync(npy), begin = 10 + bytes.readUInt16LE(8);
  const [, rows, columns] = /'shape': \((\d+), (\d+)/.exec(bytes.subarray(10, begin).toString());
  const values = new Uint32Array(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + bytes.length));
  return Array.from({ length: Number(rows) }, (_, row) => values.subarray(row * columns, (row + 1) * columns));
}

function compareLogits({ logits, ids }) {
  const state = model.start(), rows = rowsOf(logits);
  ids.forEach((id, place) => {
    const ours = model.logits(model.read(id, state)), bits = new Uint32Array(ours.buffer, ours.byteOffset, ours.length);
    counts.logits += bits.length;
    const at = bits.findIndex((word, i) => word !== rows[place][i]);
    if (at >= 0) differ(logits, `token ${place}, logit ${at}`, ours[at], new Float32Array(rows[place].buffer, rows[place].byteOffset)[at]);
  });
}

function compareChat({ chat: file, said, ...given }) {
  const options = { ...usual, temperature: 0, tokens: 200, ...given }, chat = new global.Chat(model, tokenizer, data.marks), parts = [];
  options.seed = BigInt(options.seed);
  for (const text of said) {
    chat.ask(text, options.tokens);
    const { ids, bytes } = writtenBy(chat.answer(options), data.marks.unsaid);
    chat.answered(ids);
    parts.push(bytes, Buffer.from('\n'));
  }
  compareBytes(file, Buffer.concat(parts), fs.readFileSync(file));
}

function compareIds({ encoded, texts }) {
  const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)), theirs = lines(encoded);
  lines(texts).forEach(({ text }, i) => {
    const ours = tokenizer.encode(text);
    counts.texts += 1;
    if (String(ours) !== String(theirs[i])) differ(`${encoded}, ${JSON.stringify(text)}`, i, ours, theirs[i]);
  });
}

// Both keep a weight as one byte; weft computes it from another sum, so that one may be rounded to the next.
function compareAttention({ attention, read }) {
  const trace = new Trace(model.blocks.length, data.settings.n_head), state = model.start((...seen) => trace.record(...seen));
  for (const id of tokenizer.encode(read)) model.read(id, state);
  const theirs = JSON.parse(/id="data">(.*)<\/script>/.exec(fs.readFileSync(attention, 'utf8'))[1]);
  trace.data(state.ids).layers.forEach(({ name, weights }, i) => {
    const bytes = Buffer.from(theirs.layers[i].weights, 'base64'), at = weights.findIndex((w, j) => Math.abs(w - bytes[j]) > 1);
    counts.attention += weights.length;
    if (name !== theirs.layers[i].name || weights.length !== bytes.length || at >= 0) differ(`${attention}, ${name}`, at, weights[at], bytes[at]);
  });
}
const source = fs.readFileSync(path.join(__dirname, '../../tools/model_page/trace.js'), 'utf8');
const Trace = vm.runInThisContext(`(() => {${source}\nreturn Trace; })()`);

for (const line of fs.readFileSync(cases, 'utf8').split('\n').filter(Boolean)) {
  const one = JSON.parse(line);
  if (one.text) compareText(one);
  else if (one.logits) compareLogits(one);
  else if (one.attention) compareAttention(one);
  else if (one.encoded) compareIds(one);
  else compareChat(one);
}
const told = [[counts.tokens, `tokens (${(counts.tokens / counts.seconds).toFixed(0)} a second)`], [counts.logits, 'logits'],
  [counts.attention, 'weights of attention'], [counts.texts, 'texts as ids']];
const all = told.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`).join(', ');
console.log(`${page}: ${all}, ${counts.differences === 0 ? 'all as weft' : `${counts.differences} differences`}`);
process.exitCode = counts.differences === 0 ? 0 : 1;
