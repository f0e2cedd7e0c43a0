// The page in a headless browser, as somebody uses it: node browser.js CHROMIUM|FIREFOX [--pictures FOLDER] PAGE.html CASES.jsonl ... Of the
// cases, those of texts are written into the page's fields, and read out of it. Exit code 1 when something is not as it should be.
const fs = require('node:fs');
const path = require('node:path');
const { nameOf, withBrowser } = require('./headless.js');

const [program, ...given] = process.argv.slice(2);
const pictures = given[0] === '--pictures' ? given.splice(0, 2)[1] : null;
let wrong = 0;
function check(what, right, told = '') {
  if (right) return;
  ++wrong;
  console.log(`${what}: ${told || 'is not so'}`);
}

const until = (condition) => `new Promise((go) => { const look = () => (${condition} ? go(true) : setTimeout(look, 20)); look(); })`;
const loaded = (tab) => tab.evaluate(until("typeof model !== 'undefined' && model && !running"));

// A character that is not whole at the end is left out by the page, and by weft unless bytes before it were no text.
const shorn = (text) => text.replace(/\ufffd+$/, '');

// Fills the fields, writes, and gives what stands in the page then.
async function written(tab, values) {
  await tab.evaluate(`for (const [name, value] of Object.entries({ ...usual.write, ...${JSON.stringify(values)} })) field(name).value = value;
    field('go').click()`);
  await tab.evaluate(until('!running'));
  return tab.evaluate("field('text').textContent");
}

async function compareTexts(tab, page, cases) {
  for (const { text, prompt, ...values } of cases.filter((one) => one.text)) {
    const theirs = shorn(fs.readFileSync(text, 'utf8')), ours = shorn(await written(tab, { prompt, ...values }));
    const at = [...ours].findIndex((character, i) => character !== theirs[i]);
    const part = (whole) => JSON.stringify(whole.slice(at, at + 30));
    check(`${page}, ${text}`, ours === theirs, `differs at ${at}: ${part(ours)}, weft ${part(theirs)}`);
  }
  check(`${page}, the last case`, /\d+ tokens, \d+ a second/.test(await tab.evaluate("field('status').textContent")));
}

// What is refused, stopped, chosen and looked at.
async function useIt(tab, page) {
  await written(tab, { prompt: 'Th\u00e9' });
  const refused = await tab.evaluate("field('complaint').textContent");
  check(`${page}, an unknown character`, refused.includes("'\u00e9' (U+00E9) at position 2"), refused);
  await written(tab, { prompt: 'The', topP: '0' });
  check(`${page}, a wrong setting`, (await tab.evaluate("field('complaint').textContent")).startsWith('Top-p: “0” is not'));

  const whole = await written(tab, { prompt: 'The', tokens: '90' });
  await tab.evaluate("field('tokens').value = 100000; field('go').click()");
  await tab.evaluate(until('written.steps.length > 30'));
  await tab.key('Escape');
  await tab.evaluate(until('!running'));
  const part = await tab.evaluate("field('text').textContent"), status = await tab.evaluate("field('status').textContent");
  check(`${page}, stopped`, status.endsWith('; stopped') && (part.startsWith(whole) || whole.startsWith(part)), status);

  if (nameOf(program) === 'chromium') {  // a headless Firefox gives its window no focus, so that there is no focusin
    await tab.evaluate("field('text').querySelector('.token').focus()");
    await tab.key('ArrowRight');
    check(`${page}, arrow keys`, await tab.evaluate("`${written.chosen} ${field('next-name').textContent}`") === '1 Token 2');
  } else {
    await tab.evaluate('written.choose(1)');
  }
  const listed = await tab.evaluate("[...document.querySelectorAll('#probabilities li:not(.names)')].map((item) => item.className)");
  check(`${page}, what might have stood there`, listed.length === 8 && listed.filter((name) => name === 'drawn').length === 1, String(listed));

  await tab.evaluate("field('look').click()");
  const { heads, tokens, ids } = await tab.evaluate(`({ heads: document.querySelectorAll('.thumb').length,
    tokens: document.querySelectorAll('#sequences .token').length, ids: writer.state.ids.length })`);
  const wanted = await tab.evaluate('data.settings.n_layer * (data.settings.n_head + 1) + 1');
  check(`${page}, attention`, heads === wanted && tokens === ids, `${heads} heads of ${wanted}, ${tokens} tokens of ${ids}`);
  check(`${page}, the address`, (await tab.evaluate('location.hash')).includes('tokens=100000'));
}

async function talk(tab, page, { chat, said, tokens, seed, temperature }) {
  const theirs = fs.readFileSync(chat, 'utf8').split('\n');
  await tab.evaluate("chooseMode('chat')");
  for (const [i, text] of said.entries()) {
    await tab.evaluate(`for (const [name, value] of Object.entries(${JSON.stringify({ prompt: text, tokens, seed, temperature })}))
      field(name).value = value;
      field('go').click()`);
    await tab.evaluate(until('!running'));
    const ours = await tab.evaluate("[...document.querySelectorAll('.turn.assistant')].at(-1).textContent");
    const right = shorn(ours.replaceAll('\n', '')) === shorn(theirs[i]);
    check(`${page}, ${chat}, answer ${i}`, right, `${JSON.stringify(ours)}, weft ${JSON.stringify(theirs[i])}`);
  }
}

withBrowser(program, async (tab) => {
  for (let i = 0; i < given.length; i += 2) {
    const [page, cases] = [given[i], fs.readFileSync(given[i + 1], 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))];
    const address = `file://${path.resolve(page)}`;
    await tab.open(address);
    await loaded(tab);
    const chats = cases.filter((one) => one.chat);
    for (const one of chats) await talk(tab, page, one);
    if (chats.length === 0) {
      await compareTexts(tab, page, cases);
      if (i === 0) await useIt(tab, page);
    }
    for (const dark of [false, true])
      for (const width of [1400, 390]) {
        await tab.open(`${address}#tokens=120&prompt=The`, { width, height: width < 600 ? 844 : 900, dark });
        await loaded(tab);
        await tab.evaluate("field('prompt').value = 'The'; field('go').click()");
        await tab.evaluate(until('!running'));
        await tab.evaluate("written.choose(12); field('look').click()");
        check(`${page}, ${width} wide`, await tab.evaluate('document.documentElement.scrollWidth') <= width);
        if (pictures) await tab.screenshot(path.join(pictures, `${path.basename(page, '.html')}-${nameOf(program)}-${width}-${dark ? 'dark' : 'light'}.png`));
      }
    check(`${page}, errors`, tab.errors.length === 0, tab.errors.join('\n'));
  }
}).then(() => {
  console.log(`${nameOf(program)}: ${wrong === 0 ? `${given.length / 2} pages as they should be` : `${wrong} wrong`}`);
  process.exitCode = wrong === 0 ? 0 : 1;
});
