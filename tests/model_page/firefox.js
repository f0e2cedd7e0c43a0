// A headless Firefox, driven by WebDriver BiDi over a WebSocket: no package is needed.
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const keys = { Escape: '\ue00c', ArrowLeft: '\ue012', ArrowUp: '\ue013', ArrowRight: '\ue014', ArrowDown: '\ue015' };

// RFC 6455, of text alone: calls hear(text) for what comes, and gives what sends one.
async function webSocket(address, hear) {
  const request = http.get(address.replace('ws:', 'http:'), { headers: { Connection: 'Upgrade', Upgrade: 'websocket',
    'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64') } });
  const [socket, head] = await new Promise((done, fail) => {
    request.on('upgrade', (response, ...opened) => done(opened)).on('response', ({ statusCode }) => fail(new Error(`Firefox answers ${statusCode}`))).on('error', fail);
  });
  let bytes = Buffer.alloc(0), text = [];
  const read = (part) => {
    bytes = Buffer.concat([bytes, part]);
    while (bytes.length >= 2) {
      const short = bytes[1] & 127, begin = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (bytes.length < begin) return;
      const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
      if (bytes.length < begin + length) return;
      const last = bytes[0] & 128, kind = bytes[0] & 15;
      if (kind <= 1) text.push(bytes.subarray(begin, begin + length));
      bytes = bytes.subarray(begin + length);
      if (kind <= 1 && last) hear(Buffer.concat(text.splice(0)).toString());
    }
  };
  socket.on('data', read);
  read(head);
  return (message) => {
    const body = Buffer.from(message), { length } = body, size = length < 126 ? 0 : length < 65536 ? 2 : 8;
    const start = Buffer.alloc(2 + size), mask = crypto.randomBytes(4);
    start[0] = 0x81, start[1] = 0x80 | (size === 0 ? length : size === 2 ? 126 : 127);
    if (size === 2) start.writeUInt16BE(length, 2);
    if (size === 8) start.writeBigUInt64BE(BigInt(length), 2);
    for (let i = 0; i < length; ++i) body[i] ^= mask[i % 4];
    socket.write(Buffer.concat([start, mask, body]));
  };
}

// A value as BiDi writes it.
function valueOf({ type, value }) {
  if (type === 'array') return value.map(valueOf);
  if (type === 'object') return Object.fromEntries(value.map(([name, each]) => [name, valueOf(each)]));
  return type === 'null' ? null : value;
}

// A Firefox that prefers dark pages or light ones: { send(method, params), context, close() }.
async function start(program, dark, complain) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'firefox-'));
  const preferences = { 'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1, 'datareporting.policy.dataSubmissionEnabled': false };
  fs.writeFileSync(path.join(home, 'user.js'),
    Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
  const firefox = spawn(program, ['--headless', '--no-remote', '--profile', home, '--remote-debugging-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((done) => { firefox.on('exit', done); });
  const close = async () => {
    firefox.kill();
    await ended;
    fs.rmSync(home, { recursive: true, force: true });
  };
  try {
    const address = await new Promise((done, fail) => {
      let said = '';
      firefox.stderr.on('data', (part) => {
        said += part;
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
        if (found) done(found[1]);
      });
      ended.then(() => fail(new Error(`Firefox ended: ${said}`)));
    });
    const waiting = new Map();
    let number = 0;
    const write = await webSocket(`${address}/session`, (text) => {
      const message = JSON.parse(text);
      if (message.method === 'log.entryAdded' && message.params.level === 'error') complain(message.params.text);
      waiting.get(message.id)?.(message);
    });
    const send = async (method, params = {}) => {
      const id = ++number, answer = new Promise((done) => { waiting.set(id, done); });
      write(JSON.stringify({ id, method, params }));
      const { result, error, message } = await answer;
      if (error) throw new Error(`${method}: ${error}: ${message}`);
      return result;
    };
    await send('session.new', { capabilities: {} });
    await send('session.subscribe', { events: ['log.entryAdded'] });
    const { contexts: [{ context }] } = await send('browsingContext.getTree');
    return { send, context, dark, close };
  } catch (error) {
    await close();
    throw error;
  }
}

// As withChromium.
exports.withFirefox = async (program, body) => {
  const errors = [], complain = (text) => errors.push(text);
  let browser = await start(program, false, complain);
  const ask = (method, params) => browser.send(method, { context: browser.context, ...params });
  try {
    return await body({
      errors,
      async open(address, { width = 1400, height = 900, dark = false } = {}) {
        if (dark !== browser.dark) {
          await browser.close();
          browser = await start(program, dark, complain);
        }
        await ask('browsingContext.setViewport', { viewport: { width, height } });
        for (const url of ['about:blank', address]) await ask('browsingContext.navigate', { url, wait: 'complete' });
      },
      async evaluate(expression) {
        const { result, exceptionDetails } =
          await browser.send('script.evaluate', { expression, awaitPromise: true, target: { context: browser.context } });
        if (exceptionDetails) throw new Error(exceptionDetails.text);
        return valueOf(result);
      },
      async key(key) {
        const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value: keys[key] ?? key }));
        await ask('input.performActions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
      },
      async screenshot(file) {
        const { data } = await ask('browsingContext.captureScreenshot', { origin: 'document' });
        fs.writeFileSync(file, Buffer.from(data, 'base64'));
      },
    });
  } finally {
    await browser.close();
  }
};
