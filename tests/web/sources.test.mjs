// The page's own functions, and the built page that is committed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import { ROOT } from './services.mjs';

const WEB = path.join(ROOT, 'web');

async function load(source) {
  const built = await esbuild.build({
    entryPoints: [path.join(WEB, 'src', source)], bundle: true, write: false, format: 'esm', target: 'es2021',
  });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString('base64')}`);
}

const encoder = new TextEncoder();
function rangeOf(text, words) {
  const start = encoder.encode(text.slice(0, text.indexOf(words))).length;
  return { start, end: start + encoder.encode(words).length };
}

test('byte offsets become UTF-16 offsets in Latin, Arabic and emoji', async () => {
  const { utf16Offsets } = await load('utf8.ts');
  for (const text of ['plain', 'Élysée Straße', 'أسواق الغاز في قطر', 'Kyiv 🇺🇦 pays 💶 more', '漢字かな', '\u0000a\u{10ffff}b', '']) {
    const characters = [...text];
    let bytes = 0;
    let units = 0;
    for (let i = 0; i <= characters.length; ++i) {
      assert.deepEqual(utf16Offsets(text, [bytes]), [units], `${text} at ${bytes}`);
      if (i < characters.length) {
        bytes += encoder.encode(characters[i]).length;
        units += characters[i].length;
      }
    }
    assert.deepEqual(utf16Offsets(text, [0, bytes, bytes + 100]), [0, text.length, text.length]);
  }
  assert.deepEqual(utf16Offsets('a💶b', [2, 3, 4]), [1, 1, 1], 'within a character');
});

test('segments mark what the ranges name', async () => {
  const { segments } = await load('utf8.ts');
  for (const [text, words] of [
    ['natural gas exports', 'gas'], ['تتجه أسواق الغاز في قطر', 'الغاز'], ['Kyiv 🇺🇦 pays 💶 for gas', '💶 for'], ['gas', 'gas'],
  ]) {
    const result = segments(text, [rangeOf(text, words)]);
    assert.equal(result.map((segment) => segment.text).join(''), text);
    assert.deepEqual(result.filter((segment) => segment.marked).map((segment) => segment.text), [words]);
  }
});

test('segments keep the text whole whatever the ranges are', async () => {
  const { segments } = await load('utf8.ts');
  const text = 'a 🇺🇦 الغاز z';
  for (const ranges of [
    undefined, [], [{}], [{ start: 5, end: 2 }], [{ start: -4, end: 3 }], [{ start: 0, end: 1e9 }], [{ end: 1 }],
    [{ start: 8, end: 12 }, { start: 0, end: 10 }], [{ start: 3, end: 4 }, { start: 4, end: 5 }], [{ start: 900, end: 901 }],
  ]) {
    assert.equal(segments(text, ranges).map((segment) => segment.text).join(''), text, JSON.stringify(ranges));
  }
});

test('the address says what is looked for, and reads back', async () => {
  const { fromAddress, toAddress, toggled } = await load('state.ts');
  const state = {
    query: 'gas & "oil" غاز', countries: ['IR', 'RU'], issues: ['energy'], groups: ['eu'], sort: 'newest',
    ignored: ['country:IR', 'group:eu'],
  };
  assert.deepEqual(fromAddress(toAddress(state)), state);
  assert.equal(toAddress({ query: '  ', countries: [], issues: [], groups: [], sort: '', ignored: [] }), '');
  assert.deepEqual(fromAddress('?sort=drop%20table&country=&country=IR&country=IR&x=1'), {
    query: '', countries: ['IR'], issues: [], groups: [], sort: '', ignored: [],
  });
  assert.equal(fromAddress(`?${'country=A&'.repeat(3)}${Array.from({ length: 90 }, (_, i) => `issue=${i}`).join('&')}`).issues.length, 50);
  assert.deepEqual(toggled(['a', 'b'], 'a'), ['b']);
  assert.deepEqual(toggled(['b'], 'a'), ['b', 'a']);
});

test('the page asks nobody but the gateway, and makes no markup from text', async () => {
  for (const name of await readdir(path.join(WEB, 'src'))) {
    const source = await readFile(path.join(WEB, 'src', name), 'utf8');
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/, name);
    assert.doesNotMatch(source, /https?:\/\//, name);
  }
});

const LOCKS = ['package-lock.json', 'web/package-lock.json', 'tests/web/package-lock.json'];

test('lock files name no host', async () => {
  for (const lock of LOCKS) {
    assert.doesNotMatch(await readFile(path.join(ROOT, lock), 'utf8'), /"resolved"|https?:\/\/[^"]*\.tgz/, lock);
  }
});

// npm leaves out what other platforms need if it writes the file beside installed packages, and refuses such a file.
test('lock files name the packages of every platform', async () => {
  for (const lock of LOCKS) {
    const { packages } = JSON.parse(await readFile(path.join(ROOT, lock), 'utf8'));
    for (const [place, entry] of Object.entries(packages)) {
      for (const name of Object.keys({ ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies })) {
        assert.ok(
          `node_modules/${name}` in packages || `${place}/node_modules/${name}` in packages,
          `${lock}: ${place || 'the project'} needs ${name}, which is not there: npm install --package-lock-only`,
        );
      }
    }
  }
});

async function files(dir) {
  const entries = await readdir(dir, { withFileTypes: true });
  const nested = entries.map((entry) =>
    entry.isDirectory() ? files(path.join(dir, entry.name)) : [path.join(dir, entry.name)],
  );
  return (await Promise.all(nested)).flat().sort();
}

test('the committed page is what its sources build', async (t) => {
  const vite = path.join(WEB, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite)) {
    t.skip('web/node_modules is not there: run `npm ci` in web/');
    return;
  }
  const run = promisify(execFile);
  await run(process.execPath, [path.join(WEB, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit'], { cwd: WEB });
  const out = await mkdtemp(path.join(tmpdir(), 'dateline-page-'));
  try {
    await run(process.execPath, [vite, 'build', '--outDir', out, '--emptyOutDir', '--logLevel', 'error'], { cwd: WEB });
    const dist = path.join(WEB, 'dist');
    const names = (await files(out)).map((file) => path.relative(out, file));
    assert.deepEqual((await files(dist)).map((file) => path.relative(dist, file)), names);
    for (const name of names) {
      assert.equal(
        await readFile(path.join(dist, name), 'utf8'), await readFile(path.join(out, name), 'utf8'),
        `web/dist/${name} is out of date: run \`npm run build\` in web/ and commit it`,
      );
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
