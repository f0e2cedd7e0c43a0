// The engine of a page of `weft export --format html`, out of the page, for node.
const fs = require('node:fs');
const vm = require('node:vm');

// { data, model, tokenizer, global }: what the page says, what it computes with, and all functions of the engine.
exports.openPage = (path) => {
  const html = fs.readFileSync(path, 'latin1');
  const element = (begin) => {
    const from = html.indexOf(begin) + begin.length;
    if (from < begin.length) throw new Error(`${path}: has no ${begin}`);
    return html.slice(from, html.indexOf('</script>', from));
  };
  const engine = Buffer.from(element('<script id="engine">'), 'latin1').toString('utf8');
  const names = [...engine.matchAll(/^(?:function\*?|class|const|let) (\w+)/gm)].map(([, name]) => name);
  const global = vm.runInThisContext(`(() => {${engine}\nreturn { ${names.join(', ')} }; })()`, { filename: 'engine' });
  const data = JSON.parse(element('<script type="application/json" id="data">'));
  const begin = '<script type="text/plain" class="weights">', texts = [];
  for (let at = html.indexOf(begin); at >= 0; at = html.indexOf(begin, at + 1)) {
    const from = at + begin.length;
    texts.push(html.slice(from, html.indexOf('</script>', from)));
  }
  const reading = global.readWeights(data, (i) => texts[i]);
  let step = reading.next();
  while (!step.done) step = reading.next();
  return { data, global, model: global.modelOf(data, step.value), tokenizer: global.tokenizerOf(data.tokenizer) };
};
