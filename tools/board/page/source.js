// Where the data come from: the page itself, or the program that serves it.
const inside = JSON.parse(document.getElementById('data').textContent);

async function ask(what, parameters) {
  const answer = await fetch(`${what}?${new URLSearchParams(parameters)}`, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
  return answer.json();
}

const served = {
  isLive: true,
  runs: (board, since) => ask('runs', { board, since }),
  curve: (run, curve, wanted) => ask('curve', { run: run.id, curve, ...wanted }),
  sample: (run, number) => ask('sample', { run: run.id, number }),
  statistics: (run, part, measure) => ask('statistics', { run: run.id, part, measure }),
};

// A file has one state, each curve at one level, and some of the samples.
const kept = {
  isLive: false,
  runs: async () => {
    const runs = inside.runs.runs.map((run) => ({ ...run, samples: inside.samples[run.id].map(({ step }) => step) }));
    return { ...inside.runs, runs };
  },
  curve: async (run, curve) => inside.curves[run.id][curve],
  sample: async (run, number) => inside.samples[run.id][number],
  statistics: async (run, part, measure) => inside.statistics[run.id][part]?.[measure] ?? { lines: 0, step: [], rows: [], values: [] },
};

const source = inside ? kept : served;
