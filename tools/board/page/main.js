// The beginning, and the asking for what is new.
const everySeconds = 2;
let held = false, lost = false;

function showAll() {
  showRuns();
  showAlerts();
  drawCurves();
  showSamples();
  showStatistics();
  showConfiguration();
}

function setTheme(chosen) {
  showTheme(chosen);
  remember();
  showAll();
}

function showConnection() {
  const box = byId('live');
  box.className = !source.isLive ? 'file' : lost ? 'lost' : held ? 'held' : 'on';
  byId('live-text').textContent = !source.isLive ? 'as this file was written' : lost ? 'the board does not answer; what was known is shown' : held ? 'held' : 'live';
  byId('hold').hidden = !source.isLive;
  byId('hold').textContent = held ? 'Go on' : 'Hold';
  byId('hold').setAttribute('aria-pressed', held);
}

async function look() {
  try {
    const { changed, anew } = await refresh();
    const was = lost;
    lost = false;
    if (changed.length || anew || was) {
      showAll();
      fetchParts();
    }
  } catch {
    lost = true;
  }
  showConnection();
}

async function follow() {
  if (!held && !document.hidden) await look();
  if (source.isLive) setTimeout(follow, 1000 * everySeconds);
}

recall();
buildCurves();
buildSamples();
buildStatistics();
buildConfiguration();
buildKeys();
byId('show-all').addEventListener('click', () => showOnly(true));
byId('show-none').addEventListener('click', () => showOnly(false));
byId('hold').addEventListener('click', () => { held = !held; showConnection(); if (!held) look(); });
for (const button of document.querySelectorAll('#theme button')) button.addEventListener('click', () => setTheme(button.dataset.theme));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { showTheme(theme); showAll(); });
window.addEventListener('hashchange', () => { recall(); showAll(); fetchParts(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden && source.isLive && !held) look(); });
showConnection();
showControls();
follow().then(fetchParts);
