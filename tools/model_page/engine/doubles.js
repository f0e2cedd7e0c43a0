// float64 functions with the bits of weft (lib/base/math.h, trigonometry.cpp): plain arithmetic, since Math.exp, sin and cos differ
// from browser to browser.

function polynomial64(x, c) {
  let sum = c[c.length - 1];
  for (let i = c.length - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

// e^x = 2^n (1 + r + tail), |r| at most ln(2) / 2 and a little.
const expTerms64 = [0.5, 0.16666666666666682, 0.04166666666666672, 0.008333333333317105, 0.0013888888888859217,
  0.0001984126989630584, 2.480158737257505e-05, 2.7557234883219786e-06, 2.7557234176483475e-07, 2.5112041736709404e-08,
  2.0926727165877713e-09];
const ln2High64 = 0x162e42fee * 2 ** -33, ln2Low64 = 1.9082149292705877e-10, wholeFrom64 = 6755399441055744;
function exp64(x) {
  if (!(x < 709.79)) return x !== x ? x : Infinity;
  if (x < -745.14) return 0;
  const n = (x * 1.4426950408889634 + wholeFrom64) - wholeFrom64;
  const high = x - n * ln2High64, low = n * ln2Low64, r = high - low;
  const tail = ((high - r) - low) + r * r * polynomial64(r, expTerms64);
  const half = Math.trunc(n / 2);
  return (1 + (r + tail)) * 2 ** half * 2 ** (n - half);
}

// sin(x + rest) and cos(x + rest) for |x| <= pi / 4.
function sinNear(x, rest) {
  const z = x * x, cube = z * x;
  const tail = polynomial64(z, [0.008333333333323778, -0.00019841269830708696, 2.7557313960749003e-06, -2.5050795336136414e-08,
    1.5898740767808794e-10]);
  return x - ((z * (0.5 * rest - cube * tail) - rest) - cube * -0.16666666666666638);
}
function cosNear(x, rest) {
  const z = x * x, half = 0.5 * z, first = 1 - half;
  const tail = z * polynomial64(z, [0.04166666666666666, -0.0013888888888883366, 2.4801587294870476e-05, -2.7557315813152055e-07,
    2.087591056873326e-09, -1.1368837037619996e-11]);
  return first + (((1 - first) - half) + (z * tail - x * rest));
}

// 2 / pi in binary: 64 zeros, then 1,280 bits after the point.
const twoOverPi = BigInt('0x0000000000000000A2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE5163ABDEBBC561B7246E3A424DD2E0'
  + '06492EEA09D1921CFE1DEB1CB129A73EE88235F52EBB4484E99C7026B45F7E413991D639835339F49C845F8BBDF9283B1FF897FFDE05980F'
  + 'EF2F118B5A0A6D1F6D367ECF27CB09B74F463F669E5FEA2D7527BAC7EBE5F17B3D0739F78A5292EA6BFB5FB11F8D5D0856033046FC7B6BAB'
  + 'F0CFBC209AF4361D');
const bitsOf = new DataView(new ArrayBuffer(8));

// x = quadrant pi / 2 + high + low (mod 2 pi), |high| <= pi / 4, for x >= pi / 4 (Payne and Hanek 1983). x = M 2^e; of 2 / pi only the
// 192 bits matter that give M 2^e times them a weight of at most 2.
function reduceAngle(x) {
  bitsOf.setFloat64(0, x);
  const bits = bitsOf.getBigUint64(0), first = (bits >> 52n & 0x7ffn) - 1075n + 62n;
  const mantissa = bits & 0xfffffffffffffn | 0x10000000000000n;
  const product = BigInt.asUintN(192, mantissa * BigInt.asUintN(192, twoOverPi >> (1344n - first - 192n)));
  const quadrant = Number(BigInt.asUintN(64, (product >> 128n) + (1n << 61n)) >> 62n);
  let fraction = BigInt.asUintN(128, product >> 62n), sign = 1;
  if (fraction >> 127n) fraction = BigInt.asUintN(128, -fraction), sign = -1;
  const zeros = 128 - fraction.toString(2).length;
  fraction <<= BigInt(zeros);
  const part = (from, width, exponent) => Number(BigInt.asUintN(width, fraction >> from)) * 2 ** exponent;
  const a = part(102n, 26, -26 - zeros), b = part(75n, 27, -53 - zeros), c = part(22n, 53, -106 - zeros);
  const halfPi = 1.5707963267948966, halfPiTop = 0x1921fb54 * 2 ** -28, halfPiRest = 0x110b4611a62633 * 2 ** -82;
  const top = a * halfPiTop, tail = a * halfPiRest + b * halfPiTop + (b * halfPiRest + c * halfPi);
  const sum = top + tail;
  return { quadrant, high: sign * sum, low: sign * ((top - sum) + tail) };
}

// [cos x, sin x] for finite x >= 0.
function direction(x) {
  const { quadrant, high, low } = x <= 0.7853981633974483 ? { quadrant: 0, high: x, low: 0 } : reduceAngle(x);
  const cos = cosNear(high, low), sin = sinNear(high, low);
  return [[cos, sin], [-sin, cos], [-cos, -sin], [sin, -cos]][quadrant];
}
