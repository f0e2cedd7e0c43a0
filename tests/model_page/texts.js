// Texts that are hard to cut into words, a line of JSON each: node texts.js COUNT SEED [--plain]; plain ones to learn tokens from.
const [count, seed, plain] = process.argv.slice(2);
let state = BigInt(seed);
function below(n) {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
  return Number(state >> 33n) % n;
}
const one = (all) => all[below(all.length)], from = (first, count) => String.fromCodePoint(first + below(count));
const kinds = [
  () => one([' ', '\n', '\r\n', '\t', '\u0085', '\u00a0', '\u1680', '\u2003', '\u200b', '\u3000']),
  () => one(["'", "'s", "'T", "'ll", "'RE", "'ve", "'\u017f", '\u017f', '"']),
  () => from(97, 26), () => from(65, 26), () => from(48, 10), () => one('.,!?;:-()[]{}@#$%^&*'),
  () => from(0xa0, 0x300), () => from(0x1d7ce, 50),
  () => { const point = below(0x31000); return String.fromCodePoint(point >= 0xd800 && point < 0xe000 ? 0xfffd : point); },
];
for (let i = Number(count); i > 0; --i) {
  let text = '';
  for (let words = 1 + below(25); words > 0; --words) {
    const kind = one(kinds);
    for (let length = 1 + below(4); length > 0; --length) text += kind();
  }
  console.log(plain ? text : JSON.stringify({ text }));
}
