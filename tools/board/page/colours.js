// Colours: of runs, told apart by who sees no red, no green or no blue, and from the card; of numbers in a map.
const runColours = {
  light: ['#2558c9', '#d9600a', '#00684a', '#b52a86', '#2f92ca', '#2b2b33'],
  dark: ['#6c98ff', '#ff9d3d', '#3cc49a', '#d96fbd', '#c9f1ff', '#8c8880'],
};
// Runs beyond these have the same colours again, in dashes. All have a number beside.
const dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

const themeNow = () => document.documentElement.dataset.theme;
const colourOf = (id) => runColours[themeNow()][id % runColours.light.length];
const dashOf = (id) => dashes[Math.floor(id / runColours.light.length) % dashes.length];
// The validation loss of a run that is alone.
const secondColour = () => colourOf(1);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
function ramp(stops) {
  const colours = stops.map(parts);
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (colours.length - 1), below = Math.min(colours.length - 2, Math.floor(at));
    return colours[below].map((c, k) => Math.round(c + (at - below) * (colours[below + 1][k] - c)));
  });
}
// From little to much; from below 0 over 0 to above.
const sequential = () => ramp(colour('ramp').split(/\s+/));
const diverging = () => ramp(colour('around').split(/\s+/));

let theme = 'auto';
function showTheme(chosen) {
  theme = chosen;
  const dark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  for (const button of document.querySelectorAll('#theme button')) button.setAttribute('aria-pressed', button.dataset.theme === theme);
}
