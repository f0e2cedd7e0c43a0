const path = require('node:path');
const { withChromium } = require('./chromium.js');
const { withFirefox } = require('./firefox.js');

// The name of a browser's program, as what is said about it begins.
exports.nameOf = (program) => (path.basename(program).startsWith('firefox') ? 'firefox' : 'chromium');

// Calls body(tab) with an empty tab of the headless browser, Firefox or Chromium: chromium.js says what a tab can do.
exports.withBrowser = (program, body) => (exports.nameOf(program) === 'firefox' ? withFirefox : withChromium)(program, body);
