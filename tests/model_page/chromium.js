// A headless Chromium, driven over a pipe by its own protocol: no package is needed.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

// Calls body(tab) with an empty tab: { open(address, { width, height, dark }), evaluate(expression), key(name), screenshot(file), errors }.
exports.withChromium = async (program, body) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'chromium-'));
  const process = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-pipe',
    `--user-data-dir=${home}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => { process.on('exit', done); });
  const waiting = new Map(), heard = [], errors = [];
  let number = 0, text = '';
  process.stdio[4].on('data', (part) => {
    const messages = (text + part).split('\0');
    text = messages.pop();
    for (const message of messages.map((each) => JSON.parse(each))) {
      if (message.id) waiting.get(message.id)(message);
      else heard.forEach((hear) => hear(message));
    }
  });
  const send = async (method, params = {}, sessionId = undefined) => {
    const id = ++number, answer = new Promise((done) => { waiting.set(id, done); });
    process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  try {
    const { targetInfos } = await send('Target.getTargets');
    const { targetId } = targetInfos.find(({ type }) => type === 'page');
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const ask = (method, params) => send(method, params, sessionId);
    heard.push(({ method, params }) => {
      if (method === 'Runtime.exceptionThrown') errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === 'Log.entryAdded' && params.entry.level === 'error') errors.push(params.entry.text);
    });
    for (const domain of ['Page', 'Runtime', 'Log']) await ask(`${domain}.enable`);
    return await body({
      errors,
      async open(address, { width = 1400, height = 900, dark = false } = {}) {
        await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
        await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
        for (const url of ['about:blank', address]) {  // another # alone would load nothing
          const loaded = new Promise((done) => { heard.push(({ method }) => method === 'Page.loadEventFired' && done()); });
          await ask('Page.navigate', { url });
          await loaded;
        }
      },
      async evaluate(expression) {
        const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
      async key(key) {
        for (const type of ['keyDown', 'keyUp']) await ask('Input.dispatchKeyEvent', { type, key });
      },
      async screenshot(file) {
        const { data } = await ask('Page.captureScreenshot', { captureBeyondViewport: true });
        fs.writeFileSync(file, Buffer.from(data, 'base64'));
      },
    });
  } finally {
    await send('Browser.close').catch(() => {});
    await ended;
    fs.rmSync(home, { recursive: true, force: true });
  }
};
