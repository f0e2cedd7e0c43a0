// What writing is told: the fields of the page, and its address, which holds those that are not as usual.

// As `weft generate` takes them: [what is right, how it is called].
const whole = (least, most) => [(x) => Number.isInteger(x) && x >= least && x <= most, `a whole number from ${least} to ${most}`];
const numeric = {
  temperature: [(x) => x >= 0 && x < Infinity, 'a number of at least 0'],
  topK: whole(0, 1e9),
  topP: [(x) => x > 0 && x <= 1, 'a number above 0 and at most 1'],
  minP: [(x) => x >= 0 && x <= 1, 'a number from 0 to 1'],
  repetitionPenalty: [(x) => x >= 1e-6 && x <= 1e6, 'a number from 0.000001 to 1000000'],
  tokens: whole(1, 1e9),
};
const usual = {
  write: { prompt: '', temperature: '0.8', topK: '0', topP: '1', minP: '0', repetitionPenalty: '1', seed: '1337', tokens: '500' },
};
usual.chat = { ...usual.write, temperature: '0', tokens: '200' };  // as `weft chat`

const field = (name) => document.getElementById(name);

// What a Writer takes. Error that names the first field that is out of range.
function writingOptions() {
  const wrong = (name, kind) => {
    const label = document.querySelector(`label[for=${name}]`).textContent;
    return new Error(`${label}: “${field(name).value}” is not ${kind}`);
  };
  const options = {};
  for (const [name, [right, kind]] of Object.entries(numeric)) {
    options[name] = field(name).value.trim() === '' ? NaN : Number(field(name).value);
    if (!right(options[name])) throw wrong(name, kind);
  }
  const seed = field('seed').value.trim();
  if (!/^\d{1,19}$/.test(seed) || BigInt(seed) >= 2n ** 63n) throw wrong('seed', 'a whole number from 0 to 2^63 - 1');
  return { ...options, seed: BigInt(seed), sample: 0n };
}

function showSettings(values) {
  for (const [name, value] of Object.entries(usual[mode])) field(name).value = values[name] ?? value;
}

// --- The address: #mode=write&prompt=Once&temperature=0.5&seed=3&theme=dark ------------------------------------------

function keepSettings() {
  const words = new URLSearchParams();
  if (mode !== modes[0]) words.set('mode', mode);
  for (const [name, value] of Object.entries(usual[mode])) if (field(name).value !== value) words.set(name, field(name).value);
  if (theme !== 'auto') words.set('theme', theme);
  try { history.replaceState(null, '', `#${words}`); } catch { /* a browser that keeps no addresses for local files */ }
}
const keptSettings = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
