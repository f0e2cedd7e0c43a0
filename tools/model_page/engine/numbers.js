// float32 arithmetic with the bits of weft (lib/isa/math.inc). JavaScript computes in float64, which holds a product of two
// floats exactly; Math.fround rounds to float32. +, -, *, / and the square root of floats, rounded twice so, are rounded right.
const { fround } = Math;
const floats = (...values) => Float32Array.from(values);

const up = 1 + 2 ** -52, down = 1 - 2 ** -53;  // times these, a float64 is another one next to it

// a b + c of floats, rounded once: a fused multiply-add. fround(a * b + c) rounds twice, and errs where the first rounding ends in
// the middle between two floats: then those next to it become different floats.
function fma(a, b, c) {
  const product = a * b, sum = product + c, above = fround(sum * up), below = fround(sum * down);
  return above === below ? above : roundNearMiddle(product, c, (above + below) / 2);
}

// What the first rounding took off says on which side of the middle a sum lies (Knuth 1969).
function roundNearMiddle(product, c, middle) {
  const sum = product + c, part = sum - product;
  const rest = (product - (sum - part)) + (c - part);
  if (sum !== middle || rest === 0) return fround(sum);
  return fround(rest > 0 === sum > 0 ? sum * up : sum * down);
}

// c[0] + c[1] x + c[2] x^2 + ... by Horner's rule.
function polynomial(x, c) {
  let sum = c[c.length - 1];
  for (let i = c.length - 2; i >= 0; --i) sum = fma(sum, x, c[i]);
  return sum;
}

const magnitude = (size, x) => (x < 0 || Object.is(x, -0) ? -Math.abs(size) : Math.abs(size));  // with the sign of x

// 2^n for n from -150 on.
const powersOfTwo = Float64Array.from({ length: 300 }, (_, i) => 2 ** (i - 150));

// x = n ln 2 + r, |r| <= ln(2) / 2; e^r by a polynomial; 2^n as two factors, so that subnormal results round once.
const expTerms = floats(0.49999993, 0.16666521, 0.041668388, 0.008368738, 0.0013814611);
const log2e = fround(1.44269504), ln2High = fround(0.693359375), ln2Low = fround(-2.12194440e-4);
const wholeFrom = 12582912;  // 1.5 * 2^23: adding it rounds to a whole number
function exp(given) {
  const x = given < -104 ? -104 : given > 89 ? 89 : given;
  const n = fround(fma(x, log2e, wholeFrom) - wholeFrom);
  const r = fma(n, -ln2Low, fma(n, -ln2High, x));
  const power = fround(fma(fround(r * r), polynomial(r, expTerms), r) + 1);
  const half = n >> 1;
  return fround(fround(power * powersOfTwo[150 + half]) * powersOfTwo[150 + n - half]);
}

// By a polynomial below 1, else 1 - 2 / (e^2|x| + 1).
const tanhTerms = floats(-0.33333299, 0.13332412, -0.053884165, 0.021499566, -0.0079654418, 0.0023156237, -0.00036256620);
function tanh(x) {
  const size = Math.abs(x), square = fround(x * x);
  if (size < 1) return magnitude(fma(fround(x * square), polynomial(square, tanhTerms), x), x);
  return magnitude(fround(1 - fround(2 / fround(exp(fround(size + size)) + 1))), x);
}

// 1 / (1 + e^-x) from e^-|x|, which cannot overflow.
function sigmoid(x) {
  const e = exp(-Math.abs(x));
  return fround((x < 0 ? e : 1) / fround(e + 1));
}

const silu = (x) => fround(Math.max(-200, x) * sigmoid(x));

// e^(-z^2 / 2), z >= 0.
function bell(z) {
  const square = fround(z * z), rest = fma(z, z, -square), rounded = exp(fround(square * -0.5));
  return fma(rounded, fround(rest * -0.5), rounded);
}

// P(X <= x) of the normal distribution: 1/2 + x q(x^2) for |x| < 1; further out P(X <= -z) = u p(u) e^(-z^2 / 2),
// u = 1 / (1 + 0.3 z).
const normalFar = floats(0.11968663, 0.11957284, 0.11022734, 0.078425482, 0.096058135, -0.07924795, 0.19158247, -0.22806813,
  0.11237605, -0.020612881);
const normalNear = floats(0.39894228, -0.066490361, 0.0099733317, -0.0011863530, 0.00011351263, -7.6646674e-06);
const slope = fround(0.3);
function normalBelow(x) {
  const z = Math.min(15, Math.abs(x));
  if (z < 1) return fma(x, polynomial(fround(z * z), normalNear), 0.5);
  const u = fround(1 / fma(z, slope, 1));
  const tail = fround(fround(u * polynomial(u, normalFar)) * bell(z));
  return x < 0 ? tail : fround(1 - tail);
}

const gelu = (x) => fround(Math.max(-15, x) * normalBelow(x));

// x (1 + tanh u) / 2 = x sigmoid(2 u), 2 u = sqrt(8 / pi) (x + 0.044715 x^3).
const geluCube = fround(0.071354816), geluLine = fround(1.5957691);
function geluTanh(x) {
  const near = Math.max(-12, Math.min(12, x));
  return fround(Math.max(-12, x) * sigmoid(fround(near * fma(fround(near * near), geluCube, geluLine))));
}

// max(x, 0)^2.
const relu2 = (x) => (x < 0 ? 0 : fround(x * x));
