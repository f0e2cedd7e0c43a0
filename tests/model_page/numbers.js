// The engine's arithmetic beside exact integers: fma of numbers that are hard to round, and sin and cos of large angles. Exit code 1 when
// one is wrong.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const folder = path.join(__dirname, '../../tools/model_page/engine');
const source = ['numbers.js', 'doubles.js'].map((file) => fs.readFileSync(path.join(folder, file), 'utf8')).join('');
const { fma, exp, direction } = vm.runInThisContext(`(() => {${source}\nreturn { fma, exp, direction }; })()`);

// A float64 as whole times 2^exponent.
const view = new DataView(new ArrayBuffer(8));
function parts(x) {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0), exponent = Number(bits >> 52n & 0x7ffn), mantissa = bits & 0xfffffffffffffn;
  const whole = exponent === 0 ? mantissa : mantissa | 1n << 52n;
  return [bits >> 63n ? -whole : whole, Math.max(1, exponent) - 1075];
}

// a b + c, rounded to float32 once, by whole numbers.
function exactly(a, b, c) {
  const [x, i] = parts(a), [y, j] = parts(b), [z, k] = parts(c), least = Math.min(i + j, k);
  const sum = (x * y << BigInt(i + j - least)) + (z << BigInt(k - least)), size = sum < 0n ? -sum : sum;
  const unit = Math.max(size.toString(2).length - 24 + least, -149), cut = BigInt(Math.max(0, unit - least));
  let whole = cut > 0n ? size >> cut : size << BigInt(least - unit);
  const rest = size - (whole << cut), half = cut > 0n ? 1n << (cut - 1n) : 0n;
  if (cut > 0n && (rest > half || (rest === half && whole & 1n))) ++whole;
  return (sum < 0n ? -1 : 1) * Number(whole) * 2 ** unit;
}

let state = 1n;
function random() {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
  return Number(state >> 33n) / 2 ** 31;
}
const below = (n) => Math.floor(random() * n), sign = () => (random() < 0.5 ? -1 : 1);
const float = (least, most) => sign() * Math.fround((1 + random()) * 2 ** (least + below(most - least)));

let wrong = 0, hard = 0, count = 0;
function check(a, b, c) {
  const right = exactly(a, b, c), ours = fma(a, b, c);
  ++count;
  if (Math.fround(a * b + c) !== right) ++hard;
  if (ours === right) return;
  ++wrong;
  console.log(`fma(${a}, ${b}, ${c}) is ${right}, not ${ours}`);
}
for (let i = 0; i < 50000; ++i) {
  check(float(-20, 20), float(-20, 20), float(-20, 20));
  check(float(-100, -70), float(-70, -50), float(-150, -126));  // subnormal results
  // Half a unit of c, and a little beside it.
  const c = float(-4, 4), unit = 2 ** (Math.floor(Math.log2(Math.abs(c))) - 23), near = () => 1 + 2 ** -23 * (below(5) - 2);
  check(Math.fround(sign() * unit / 2 * near()), Math.fround(near()), c);
  check(Math.fround(sign() * (below(4096) + 1) * 2 ** (-12 - below(20))), (2 * below(4096) + 1) * 2 ** -13, c);
}
check(0, 5, 0);
check(2 ** -100, -(2 ** -50), 0);

for (let place = 0; place < 20000; ++place) {
  const [cos, sin] = direction(place * 0.7391);
  if (Math.abs(cos - Math.cos(place * 0.7391)) < 1e-14 && Math.abs(sin - Math.sin(place * 0.7391)) < 1e-14) continue;
  ++wrong;
  console.log(`cos and sin of ${place * 0.7391} are not ${cos} and ${sin}`);
}
if (exp(-104) !== 0 || exp(-1e30) !== 0 || exp(0) !== 1 || exp(88.75) !== Infinity || exp(-Infinity) !== 0) ++wrong;
console.log(`numbers: ${wrong} wrong; of ${count} fma, ${hard} would be wrong if they were rounded twice`);
process.exitCode = wrong === 0 && hard > 0 ? 0 : 1;
