// Numbers as the page writes them.

// "1,200".
const grouped = (n) => Math.round(n).toLocaleString('en-US');

// With so many digits that count: "0.000994", "1.23e-7", "12,345".
function digits(x, count = 4) {
  if (x === null || x === undefined || !Number.isFinite(x)) return '–';
  const size = Math.abs(x);
  if (size === 0) return '0';
  if (size < 1e-4 || size >= 1e9) return x.toExponential(Math.max(0, count - 2)).replace('e+', 'e');
  if (size >= 10 ** count) return grouped(x);
  return x.toPrecision(count).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

// Of losses, which stand beside each other: "1.570".
const lossText = (x) => (Number.isFinite(x) && Math.abs(x) >= 0.01 && Math.abs(x) < 1000 ? x.toFixed(3) : digits(x));

// "950", "12.3k", "1.2M", "3.4G".
function brief(x) {
  if (!Number.isFinite(x)) return '–';
  for (const [unit, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (Math.abs(x) < 0.9995 * unit) continue;
    return `${Number((x / unit).toPrecision(3))}${letter}`;
  }
  return String(Number(x.toPrecision(3)));
}

// "64.2 MB", of powers of ten as the program says it.
function bytes(x) {
  if (!Number.isFinite(x)) return '–';
  for (const [unit, name] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']])
    if (Math.abs(x) >= unit) return `${Number((x / unit).toPrecision(3))} ${name}`;
  return `${Math.round(x)} B`;
}

// "7 s", "2:05", "1:02:05", "3 d 4 h".
function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 9.95 && seconds % 1 !== 0) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n) => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  if (whole < 172800) return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
}

const percent = (share) => `${Math.floor(100 * share)} %`;
