// Means that follow a noisy curve, and places in sorted lists. Nothing here knows the page.

// An exponential mean over `window` updates, whatever the distance of the lines: a value weighs exp(-distance / window).
// The beginning is not pulled towards 0. push() gives the mean with this value in it; what is not finite is passed over.
function smoother(window) {
  let sum = 0, weight = 0, last = null;
  return {
    push(step, value) {
      if (value === null || !Number.isFinite(value)) return weight > 0 ? sum / weight : null;
      // A line stands for the updates since the one before; the first for one.
      const kept = window > 0 ? Math.exp(-(last === null ? 1 : step - last) / window) : 0, share = 1 - kept;
      sum = kept * sum + share * value;
      weight = kept * weight + share;
      last = step;
      return sum / weight;
    },
  };
}

// The means of a curve; `before`, a coarser one, tells what lies before its first step.
function smoothed(steps, values, window, before = null) {
  const mean = smoother(window);
  if (before && steps.length)
    for (let i = 0; i < before.steps.length && before.steps[i] < steps[0]; ++i) mean.push(before.steps[i], before.values[i]);
  return values.map((value, i) => mean.push(steps[i], value));
}

// Of ascending numbers, some of which may be null, the one nearest to x; -1 of none.
function nearest(list, x) {
  let best = -1;
  for (let i = 0; i < list.length; ++i)
    if (list[i] !== null && (best < 0 || Math.abs(list[i] - x) < Math.abs(list[best] - x))) best = i;
  return best;
}

// Such numbers, cut to what lies in [from, to] and one on each side: [begin, end).
function within(list, from, to) {
  let begin = 0, end = list.length;
  while (begin < end && (list[begin] === null || list[begin] < from)) ++begin;
  while (end > begin && (list[end - 1] === null || list[end - 1] > to)) --end;
  return [Math.max(0, begin - 1), Math.min(list.length, end + 1)];
}

// The first and the last of such numbers; undefined of none.
const endsOf = (list) => [list.find((x) => x !== null), list.findLast((x) => x !== null)];
