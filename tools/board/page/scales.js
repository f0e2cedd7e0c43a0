// From numbers to places on an axis, and the round numbers that are written beside it.

// {to(x), from(place)}: [low, high] on [begin, end], by the logarithm where `log`.
function scale(low, high, begin, end, log = false) {
  const f = log ? Math.log : (x) => x, g = log ? Math.exp : (x) => x;
  const a = f(low), b = f(high) === a ? a + 1 : f(high);
  return {
    low, high, begin, end, log,
    to: (x) => begin + ((f(x) - a) / (b - a)) * (end - begin),
    from: (place) => g(a + ((place - begin) / (end - begin)) * (b - a)),
  };
}

// Steps of 1, 2 or 5 times a power of ten, some `count` of them in [low, high].
function linearTicks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((times) => times * power >= rough * 0.999) * power;
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) ticks.push(k * step + 0);  // no -0
  return ticks;
}

// 1, 2, 5, 10, ...; powers of ten alone where there are many; a linear axis's where there are hardly any.
function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  if (decades < 0.8) return linearTicks(low, high, count);
  const times = decades * 3 <= 2 * count ? [1, 2, 5] : [1], every = Math.max(1, Math.ceil(decades / (2 * count)));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    if (power % every !== 0) continue;
    for (const factor of times) {
      const tick = Number(`${factor}e${power}`);
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

// Whole seconds, minutes, hours.
function timeTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const round = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const step = round.find((each) => each >= rough);
  if (rough < 1 || step === undefined) return linearTicks(low, high, count);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; ++k) ticks.push(k * step);
  return ticks;
}

// As few digits as tell the ticks apart.
function tickTexts(ticks) {
  const largest = Math.max(...ticks.map(Math.abs));
  const apart = ticks.length > 1 ? Math.min(...ticks.slice(1).map((tick, i) => Math.abs(tick - ticks[i]))) : largest || 1;
  if (largest >= 1e4 || (largest > 0 && largest < 1e-3))
    return ticks.map((tick) => (largest < 1e-3 ? Number(tick.toPrecision(3)).toString() : brief(tick)));
  const decimals = Math.max(0, Math.min(8, Math.ceil(-Math.log10(apart) - 1e-6)));
  return ticks.map((tick) => tick.toFixed(decimals));
}
