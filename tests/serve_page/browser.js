// The page of `weft serve` in a headless browser: node browser.js CHROMIUM|FIREFOX PORT PORT, of a model that chats and of one that writes
// characters of several tokens. What is shown with chances, and what is asked next, is the text that the server says. Exit code 1 when it is not.
const { withBrowser } = require('../model_page/headless.js');

const [program, chat, text] = process.argv.slice(2);
let wrong = 0;
function same(what, given, wanted) {
  if (JSON.stringify(given) === JSON.stringify(wanted)) return;
  ++wrong;
  console.log(`${what}: ${JSON.stringify(given)} is not ${JSON.stringify(wanted)}`);
}

const until = (condition) => `new Promise((go) => { const look = () => (${condition} ? go(true) : setTimeout(look, 20)); look(); })`;

async function open(tab, port) {
  await tab.open(`http://127.0.0.1:${port}/`);
  await tab.evaluate(`window.sent = [];
    const real = fetch;
    window.fetch = (path, options) => { sent.push(options.body); return real(path, options); };
    $('chances').checked = true; $('temperature').value = 0; $('tokens').value = 60; $('seed').value = '9223372036854775807'`);
}

// What the server says to what the page asked k-th, whole.
const whole = (tab, path, k) => tab.evaluate(`(async () => {
  const asked = JSON.parse(sent[${k}]);
  for (const name of ['stream', 'stream_options', 'seed']) delete asked[name];
  const answer = await fetch(${JSON.stringify(path)},
    { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(asked) });
  const [choice] = (await answer.json()).choices;
  return choice.text ?? choice.message.content;
})()`);

(async () => {
  await withBrowser(program, async (tab) => {
    await open(tab, chat);
    for (const question of ['Who is it?', 'And then?']) {
      await tab.evaluate(`$('question').value = ${JSON.stringify(question)}; send()`);
      await tab.evaluate(until("!underWay && !document.querySelector('.under-way')"));
    }
    const said = [await whole(tab, '/v1/chat/completions', 0), await whole(tab, '/v1/chat/completions', 1)];
    same('answers', await tab.evaluate("[...document.querySelectorAll('.assistant .said')].map((one) => one.textContent)"), said);
    same('what is told of the conversation', await tab.evaluate('JSON.parse(sent[1]).messages.map(({ content }) => content)'),
      ['Who is it?', said[0], 'And then?']);
    same('the seed', await tab.evaluate(`sent[0].includes('"seed":9223372036854775807}')`), true);

    await open(tab, text);
    await tab.evaluate("$('page').value = '\\u00e7a '; send()");
    await tab.evaluate(until('!underWay && standing'));
    const once = `\u00e7a ${await whole(tab, '/v1/completions', 0)}`;
    same('the text', await tab.evaluate("$('written').textContent"), once);
    same('marks of characters', await tab.evaluate("[...document.querySelectorAll('.token')].some((one) => one.textContent === '\\ufffd')"), false);
    await tab.evaluate('sent.length = 0; send()');
    await tab.evaluate(until(`!underWay && standing.length > ${once.length}`));
    same('what is gone on from', await tab.evaluate('JSON.parse(sent[0]).prompt'), once);
    await tab.evaluate('change()');
    same('the text to change', await tab.evaluate("$('page').value"), once + await whole(tab, '/v1/completions', 0));
    same('errors', tab.errors, []);
  });
  process.exitCode = wrong ? 1 : 0;
})();
