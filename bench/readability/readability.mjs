// @mozilla/readability on files of pages, for comparison.
//
//   node readability.mjs articles pages.jsonl [jsdom|linkedom]   one object a line: id, title, byline, published, …
//   node readability.mjs speed pages.jsonl [jsdom|linkedom]      MB of HTML a second and the peak of memory, one core
//
// pages.jsonl holds {"id", "html"} a line. jsdom is what Readability's own tests use; linkedom is the faster DOM.
import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import { Readability } from '@mozilla/readability';

const [what, path, dom = what === 'speed' ? 'linkedom' : 'jsdom'] = process.argv.slice(2);
if (!['articles', 'speed'].includes(what) || !path || !['jsdom', 'linkedom'].includes(dom)) {
  console.error('usage: node readability.mjs articles|speed pages.jsonl [jsdom|linkedom]');
  process.exit(2);
}

let parse;
if (dom === 'jsdom') {
  const { JSDOM, VirtualConsole } = await import('jsdom');
  parse = (html) => new JSDOM(html, { url: 'http://fakehost/test/page.html', virtualConsole: new VirtualConsole() }).window;
} else {
  const { parseHTML } = await import('linkedom');
  parse = (html) => parseHTML(html);
}

function article(html) {
  const window = parse(html);
  try {
    return new Readability(window.document).parse();
  } finally {
    window.close?.();
  }
}

const pages = readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
if (what === 'articles') {
  for (const { id, html } of pages) {
    let found = null;
    try {
      found = article(html);
    } catch (error) {
      console.error(`${id}: ${error.message}`);
    }
    console.log(JSON.stringify({
      id,
      title: found?.title ?? '',
      byline: found?.byline ?? '',
      published: found?.publishedTime ?? '',
      language: found?.lang ?? '',
      direction: found?.dir ?? '',
      content: found?.content ?? '',
    }));
  }
} else {
  const megabytes = pages.reduce((sum, { html }) => sum + Buffer.byteLength(html), 0) / 1e6;
  const before = resourceUsage().maxRSS;
  const times = [];
  for (let round = 0; round < 3; ++round) {
    const start = process.cpuUsage();
    for (const { html } of pages) {
      try {
        article(html);
      } catch {
        // A page that it can't read took time, too.
      }
    }
    const used = process.cpuUsage(start);
    times.push((used.user + used.system) / 1e6);
  }
  const best = Math.min(...times);
  console.log(`@mozilla/readability with ${dom}: ${pages.length} pages, ${megabytes.toFixed(1)} MB`);
  console.log(`${(megabytes / best).toFixed(2)} MB/s, ${(best / pages.length * 1e3).toFixed(1)} ms a page (processor time, best of 3)`);
  console.log(`peak of memory above what the pages themselves take: ${((resourceUsage().maxRSS - before) / 1e3).toFixed(0)} MB`);
}
