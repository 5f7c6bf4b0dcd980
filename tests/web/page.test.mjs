// The page in headless Chromium, before the real services.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { ARTICLES, COPIES, INGEST_ALLOWED, ROOT, binDir, ingestArticles, startAll } from './services.mjs';

const CHROMIUM = process.env.DATELINE_CHROMIUM ?? '/usr/bin/chromium';
const SHOTS = path.join(ROOT, 'tests', 'web', 'shots');
const skip =
  binDir() === undefined ? 'no binaries: build them, or name their folder in DATELINE_BIN'
  : !existsSync(CHROMIUM) ? `no browser at ${CHROMIUM}: install chromium, or name it in DATELINE_CHROMIUM`
  : false;

let services;
let browser;

before(async () => {
  if (skip) return;
  await mkdir(SHOTS, { recursive: true });
  services = await startAll(INGEST_ALLOWED);
  await ingestArticles(services.base, [...ARTICLES, ...COPIES]);
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  await services?.stop();
});

/** Opens the page; fails the test on script errors, on refusals by the policy, and on requests to anybody else. */
async function withPage(address, options, body) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !options.allowErrors) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(services.base)) problems.push(`asks ${request.url()}`);
  });
  try {
    await page.goto(address === 'about:blank' ? address : services.base + address);
    await body(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

const titles = (page) => page.locator('.hit h2').allTextContents();
const total = (page) => page.locator('#status').textContent();

async function untilTotal(page, pattern) {
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#status').textContent), pattern.source);
}

/** Does what makes the page search, and waits for the answer. */
async function answered(page, act) {
  await Promise.all([page.waitForResponse((response) => response.url().includes('/Search?')), act()]);
}

test('finds while one types, and marks what matched', { skip }, async () => {
  await withPage('/', {}, async (page) => {
    await untilTotal(page, /^22 articles$/);
    await page.keyboard.type('patience sanct');
    await page.waitForFunction(() => document.querySelectorAll('.hit').length > 0 && location.search.includes('sanct'));
    await page.waitForFunction(() => document.querySelector('.hit h2')?.textContent.startsWith('Iran and Russia'));
    const marks = await page.locator('.hit').first().locator('mark').allTextContents();
    assert.ok(marks.some((mark) => /sanctions/i.test(mark)), JSON.stringify(marks));
    assert.match(await page.title(), /^patience sanct – Dateline$/);
    await page.screenshot({ path: path.join(SHOTS, 'typing.png') });
  });
});

test('marks Arabic and text behind emoji at the right place', { skip }, async () => {
  await withPage('/?q=%D8%A7%D9%84%D8%BA%D8%A7%D8%B2', {}, async (page) => {
    await page.waitForSelector('.hit');
    const marks = await page.locator('.hit .snippet mark').allTextContents();
    assert.ok(marks.some((mark) => mark.includes('غاز')), JSON.stringify(marks));
    assert.equal(await page.locator('.hit h2').first().evaluate((element) => getComputedStyle(element).direction), 'rtl');
    await page.screenshot({ path: path.join(SHOTS, 'arabic.png') });
  });
  await withPage('/?q=heating', {}, async (page) => {
    await page.waitForSelector('.hit');
    assert.deepEqual(await page.locator('.hit .snippet mark').allTextContents(), ['heating']);
  });
});

test('facets narrow, show their state, live in the address, and go back', { skip }, async () => {
  await withPage('/?q=gas', {}, async (page) => {
    await page.waitForSelector('.facet-value');
    const all = await total(page);
    const turkey = page.locator('.facet[data-facet=Countries] .facet-value', { has: page.locator('input[value=TR]') });
    assert.equal(await turkey.locator('.count').textContent(), '14');
    const before = await page.locator('.facet[data-facet=Countries] .facet-value').count();
    await turkey.locator('input').check();
    await untilTotal(page, /^14 articles$/);
    assert.equal(new URL(page.url()).searchParams.get('country'), 'TR');
    assert.ok(await turkey.evaluate((element) => element.classList.contains('selected')));
    assert.equal(await page.locator('.chip').count(), 1);
    // Counts within a facet are those without its own selection.
    assert.equal(await page.locator('.facet[data-facet=Countries] .facet-value').count(), before);
    assert.equal(await page.evaluate(() => document.activeElement?.value), 'TR', 'the box keeps the focus');
    await page.screenshot({ path: path.join(SHOTS, 'facet.png') });
    await page.locator('.facet[data-facet=Countries] input[value=IR]').check();
    await untilTotal(page, /^15 articles$/);
    await page.goBack();
    await untilTotal(page, /^14 articles$/);
    await page.goBack();
    await page.waitForFunction((text) => document.querySelector('#status').textContent === text, all);
    assert.equal(await page.locator('.chip').count(), 0);
    await page.goForward();
    await untilTotal(page, /^14 articles$/);
    await page.locator('.chip').click();
    await page.waitForFunction((text) => document.querySelector('#status').textContent === text, all);
  });
});

test('back goes from one settled search to the one before', { skip }, async () => {
  const query = (page) => new URL(page.url()).searchParams.get('q');
  const until = (page, wanted) =>
    page.waitForFunction((text) => (new URLSearchParams(location.search).get('q') ?? '') === text, wanted);
  const length = (page) => page.evaluate(() => history.length);
  const search = async (page, text) => {
    await page.locator('#query').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text, { delay: 40 });
    await until(page, text);
    await answered(page, () => page.keyboard.press('Enter'));
  };
  await withPage('about:blank', {}, async (page) => {
    await page.goto(`${services.base}/`);
    await untilTotal(page, /^22 articles$/);
    const before = await length(page);
    await search(page, 'patience');
    await search(page, 'corridor');
    assert.equal(await length(page), before + 2);
    await page.keyboard.press('Enter');
    await answered(page, () => page.keyboard.press('Enter'));
    assert.equal(await length(page), before + 2, 'the same again is no step');
    await page.goBack();
    await until(page, 'patience');
    await untilTotal(page, /^(1[0-9]|[2-9]) articles$/);
    assert.equal(await page.inputValue('#query'), 'patience');
    await page.goForward();
    await until(page, 'corridor');
    await page.goBack();
    await until(page, 'patience');
    await page.goBack();
    await until(page, '');
    await untilTotal(page, /^22 articles$/);
    assert.equal(await page.inputValue('#query'), '');
    await page.goBack();
    assert.equal(page.url(), 'about:blank');
  });
  // What is being typed has one step, and none if it is typed back; a filter makes it a search of its own.
  await withPage('/?q=patience', {}, async (page) => {
    await page.waitForSelector('.hit');
    const before = await length(page);
    await page.locator('#query').focus();
    await page.keyboard.press('End');
    await page.keyboard.type(' gas');
    await until(page, 'patience gas');
    for (let i = 0; i < 4; ++i) await page.keyboard.press('Backspace');
    await until(page, 'patience');
    await answered(page, () => page.keyboard.press('Enter'));
    await page.keyboard.press('Control+A');
    await page.keyboard.type('gas');
    await until(page, 'gas');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('ukraine gas');
    await until(page, 'ukraine gas');
    assert.equal(await length(page), before + 1);
    await page.locator('.facet[data-facet=Countries] input[value=UA]').check();
    await page.waitForSelector('.chip');
    assert.equal(await length(page), before + 2);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('.chip').length === 0);
    assert.equal(query(page), 'ukraine gas');
    await page.goBack();
    await until(page, 'patience');
    assert.equal(await page.inputValue('#query'), 'patience');
  });
  // A suggestion takes the place of the letters that led to it.
  await withPage('/', {}, async (page) => {
    await untilTotal(page, /^22 articles$/);
    await page.keyboard.type('ukr');
    await until(page, 'ukr');
    await page.locator('.suggestions li', { hasText: 'country' }).first().click();
    await page.waitForSelector('.chip');
    assert.equal(new URL(page.url()).search, '?country=UA');
    await page.goBack();
    await untilTotal(page, /^22 articles$/);
    assert.equal(new URL(page.url()).search, '');
  });
  // As many hits as were shown, and where one was.
  await withPage('/?q=gas', {}, async (page) => {
    await page.waitForSelector('.hit');
    await page.locator('#more').click();
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 18);
    await page.evaluate(() => scrollTo(0, 700));
    await page.locator('.hit').nth(12).locator('.tag').first().evaluate((tag) => tag.click());
    await page.locator('.popover:visible .link').evaluate((link) => link.click());
    await page.waitForSelector('.chip');
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('.chip').length === 0);
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 18);
    assert.match(await total(page), /^18 articles, 18 shown$/);
    await page.waitForFunction(() => Math.round(scrollY) === 700);
    assert.ok(await page.locator('#more').isHidden());
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 18);
  });
});

test('a tag gives its reasons on hover, on focus and on tap', { skip }, async () => {
  await withPage('/?q=patience+sanctions', {}, async (page) => {
    const tag = page.locator('.hit').first().locator('.tag[data-id=IR]');
    await tag.hover();
    const popover = page.locator('.popover:visible');
    await popover.waitFor();
    assert.match(await popover.textContent(), /Iran/);
    assert.match(await popover.locator('.reasons').textContent(), /“?(Iran|Iranian|Tehran)/);
    await page.screenshot({ path: path.join(SHOTS, 'reasons.png') });
    // The pointer may move into it.
    await popover.hover();
    assert.equal(await popover.count(), 1);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.popover:visible').count(), 0);
    assert.equal(await page.inputValue('#query'), 'patience sanctions');

    await page.mouse.move(2, 2);
    await page.locator('.hit').first().locator('h2 a').focus();
    await page.keyboard.press('Tab');
    await popover.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-expanded')), 'true');
    await page.keyboard.press('Tab');
    assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /Only articles about/);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.chip');
    assert.ok(new URL(page.url()).searchParams.getAll('country').length === 1);
  });
  await withPage('/?q=patience+sanctions', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, async (page) => {
    await page.locator('.tag[data-id=IR]').first().tap();
    await page.locator('.popover:visible').waitFor();
    const box = await page.locator('.popover:visible').boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
    await page.screenshot({ path: path.join(SHOTS, 'mobile.png') });
  });
});

test('groups are tags with reasons, filters and suggestions like countries and issues', { skip }, async () => {
  await withPage('/?q=ministers+union', {}, async (page) => {
    await page.locator('.hit .tag.group[data-id=eu]').hover();
    const popover = page.locator('.popover:visible');
    await popover.waitFor();
    assert.match(await popover.locator('.popover-title').textContent(), /European Union.*group/);
    assert.match(await popover.locator('.reasons').textContent(), /European Union.*EU/);
    await popover.getByRole('button', { name: 'Only articles about European Union' }).click();
    await page.waitForSelector('.chip');
    assert.deepEqual(new URL(page.url()).searchParams.getAll('group'), ['eu']);
  });
  await withPage('/?group=eu', {}, async (page) => {
    await untilTotal(page, /^1 article$/);
    const box = page.locator('.facet[data-facet="Groups and regions"] input[value=eu]');
    assert.ok(await box.isChecked());
    assert.equal(await page.locator('.chip').textContent(), 'European Union');
    await page.screenshot({ path: path.join(SHOTS, 'group.png') });
    await box.uncheck();
    await untilTotal(page, /^22 articles$/);
    await page.keyboard.press('/');
    await page.keyboard.type('european un');
    const suggestion = page.locator('.suggestions li', { hasText: 'group' });
    await suggestion.click();
    await untilTotal(page, /^1 article$/);
    assert.equal(new URL(page.url()).search, '?group=eu');
  });
});

test('names the order that the hits have', { skip }, async () => {
  const choices = (page) => page.locator('#sort option').allTextContents();
  const chosen = (page) => page.locator('#sort option:checked').textContent();
  await withPage('/', {}, async (page) => {
    await untilTotal(page, /^22 articles$/);
    assert.deepEqual(await choices(page), ['newest first', 'oldest first']);
    assert.equal(await chosen(page), 'newest first');
    const dates = await page.locator('.hit time').evaluateAll((all) => all.map((time) => time.dateTime));
    assert.deepEqual(dates, [...dates].sort().reverse());
    await page.keyboard.type('gas');
    await untilTotal(page, /^18 articles$/);
    assert.deepEqual(await choices(page), ['relevance', 'newest first', 'oldest first']);
    assert.equal(await chosen(page), 'relevance');
  });
  await withPage('/?sort=newest&country=TR', {}, async (page) => {
    await untilTotal(page, /^14 articles$/);
    assert.equal(await chosen(page), 'newest first');
    await page.keyboard.type('gas');
    await page.waitForFunction(() => location.search.includes('q=gas'));
    assert.equal(await chosen(page), 'newest first', 'what was asked for stays');
  });
});

test('the keyboard keeps its place', { skip }, async () => {
  const focused = (page, of) => page.evaluate((selector) => document.activeElement.matches(selector), of);
  await withPage('/?q=patience+sanctions', {}, async (page) => {
    await page.locator('.hit h2 a').first().focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.ok(await focused(page, '.popover .link'));
    await page.keyboard.press('Escape');
    assert.ok(await focused(page, '.tag'), 'Escape goes back to the tag');
    assert.equal(await page.locator('.popover:visible').count(), 0);
  });
  await withPage('/?q=gas', {}, async (page) => {
    await page.waitForSelector('.hit');
    await page.locator('.hit').nth(8).locator('.tag').first().click();
    await page.locator('.popover:visible .link').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('.chip');
    assert.ok(await focused(page, '#results'), 'a filter from far down leads to the top of the results');
    const top = await page.locator('.toolbar').evaluate((element) => element.getBoundingClientRect().top);
    const head = await page.locator('.masthead').evaluate((element) => element.getBoundingClientRect().bottom);
    assert.ok(top >= head, `results at ${top} behind the head, which ends at ${head}`);
    await page.getByRole('button', { name: /^Clear Countries/ }).press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('.chip').length === 0);
    assert.ok(await focused(page, '.facet[data-facet=Countries] input'), 'a cleared facet keeps the focus');
    assert.equal(await page.locator('h1').count(), 1);
  });
});

test('shows addresses without what only machines need, and where a passage is cut', { skip }, async () => {
  const url = 'https://www.commentary.example/untitled/%C3%A9t%C3%A9/?utm_source=feed&utm_campaign=x#top';
  const hits = [
    { article: { id: 'untitled', url }, snippets: [{ field: 'body', text: 'and so it went on, said the', ranges: [] }] },
    { article: { id: 'whole', title: 'Whole', source: 'Paper' }, snippets: [{ field: 'body', text: 'It ends here.' }] },
    {
      article: { id: 'headed', title: 'Headed', source: 'Paper' },
      snippets: [{ field: 'body', text: 'What changed\n\nTwo things moved.\n\nThey moved.', ranges: [{ start: 5, end: 12 }] }],
    },
  ];
  await withPage('about:blank', {}, async (page) => {
    await page.route('**/Search?**', (route) => route.fulfill({ json: { hits, total: { value: 3 } } }));
    await page.goto(services.base);
    await page.waitForSelector('.hit');
    const link = page.locator('.hit h2 a');
    assert.equal(await link.textContent(), 'commentary.example/untitled/été');
    assert.equal(await link.getAttribute('href'), url);
    assert.deepEqual(await page.locator('.byline .source').allTextContents(), [
      'commentary.example',
      'Paper',
      'Paper',
    ]);
    assert.deepEqual(await page.locator('.snippet').allTextContents(), [
      '… and so it went on, said the…',
      'It ends here.',
      'What changed · Two things moved. They moved.',
    ]);
  });
});

test('shows more, sorts by date, and counts aloud', { skip }, async () => {
  await withPage('/?q=gas', {}, async (page) => {
    await page.waitForSelector('.hit');
    assert.equal(await page.locator('.hit').count(), 10);
    await page.locator('#more').click();
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 18);
    assert.ok(await page.locator('#more').isHidden());
    const all = await titles(page);
    assert.equal(new Set(all).size, 18, 'no article twice');
    await page.locator('.skip').press('Enter');
    await page.waitForFunction(() => location.hash === '#results' && document.activeElement.id === 'results');
    assert.equal(await page.locator('.hit').count(), 18, 'a place on the page is no other search');
    assert.match(await total(page), /18 articles, 18 shown/);
    await page.goto(`${services.base}/`);
    await page.waitForSelector('.hit');
    await page.locator('#more').click();
    await page.waitForFunction(() => document.querySelectorAll('.hit').length === 20);
    assert.match(await total(page), /22 articles, 22 shown/, 'copies are counted, as the total counts them');
    await page.goto(`${services.base}/?q=gas`);
    await page.waitForSelector('.hit');
    await page.locator('#sort').selectOption('newest');
    await page.waitForFunction(() => document.querySelector('.hit h2').textContent.startsWith('Iran and Russia'));
    await page.locator('#sort').selectOption('oldest');
    await page.waitForFunction(() => document.querySelector('.hit h2').textContent.startsWith('Column 0'));
    assert.equal(await page.locator('#status').getAttribute('aria-live'), 'polite');
  });
});

test('suggests, and takes a suggestion by keyboard', { skip }, async () => {
  await withPage('/', {}, async (page) => {
    await page.waitForSelector('.hit');
    await page.keyboard.type('tur');
    await page.waitForSelector('.suggestions li');
    assert.equal(await page.locator('#query').getAttribute('aria-expanded'), 'true');
    await page.screenshot({ path: path.join(SHOTS, 'suggestions.png') });
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('#query').getAttribute('aria-activedescendant'), 'suggestion-0');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.suggestions').hidden && document.querySelectorAll('.hit').length > 0);
    assert.notEqual(new URL(page.url()).search, '');
  });
});

test('the list of suggestions obeys the keyboard, and tells kinds and numbers', { skip }, async () => {
  await withPage('/', {}, async (page) => {
    await page.waitForSelector('.hit');
    const box = page.locator('#query');
    await page.keyboard.type('turk');
    await page.waitForSelector('.suggestions li');
    const kinds = await page.locator('.suggestions small').allTextContents();
    assert.ok(kinds.includes('country') && kinds.includes('article') && kinds.includes('phrase'), JSON.stringify(kinds));
    const count = await page.locator('.suggestions li').count();
    assert.equal(await page.locator('#suggestion-count').textContent(), `${count} suggestions`);
    // Up from the box is the last, and down from there the box again.
    await page.keyboard.press('ArrowUp');
    assert.equal(await box.getAttribute('aria-activedescendant'), `suggestion-${count - 1}`);
    assert.equal(await page.locator('.suggestions li[aria-selected=true]').count(), 1);
    await page.keyboard.press('ArrowDown');
    assert.equal(await box.getAttribute('aria-activedescendant'), null);
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('.suggestions').isHidden());
    assert.equal(await box.getAttribute('aria-expanded'), 'false');
    assert.equal(await box.inputValue(), 'turk');
    await page.keyboard.press('ArrowDown');
    await page.waitForSelector('.suggestions li');
    const phrase = page.locator('.suggestions li', { hasText: 'phrase' }).first();
    const text = await phrase.locator('.suggestion-text').textContent();
    await phrase.click();
    await page.waitForFunction((wanted) => document.querySelector('#query').value === wanted, text);
    assert.ok(await page.locator('.suggestions').isHidden());
  });
  // A letter that is wrong, and an author.
  await withPage('/', {}, async (page) => {
    await page.waitForSelector('.hit');
    await page.keyboard.type('ukrainne');
    await page.locator('.suggestions li', { hasText: 'Ukraine' }).first().waitFor();
    await page.locator('#query').fill('dana r');
    await page.locator('.suggestions li', { hasText: 'author' }).click();
    await untilTotal(page, /^1 article$/);
    assert.equal(new URL(page.url()).searchParams.get('q'), 'author:"Dana Reyes"');
  });
});

test('names in the query are shown with their reason, and can be taken back', { skip }, async () => {
  await withPage('/?q=t%C3%BCrkiye+gas', {}, async (page) => {
    const reading = page.locator('.reading[data-id="country:TR"]');
    await reading.waitFor();
    assert.match(await reading.textContent(), /Turkey.*“türkiye”/);
    assert.match(await reading.getAttribute('title'), /"türkiye" stands for Turkey/);
    assert.match(await reading.getAttribute('aria-label'), /^Turkey, since "türkiye" stands for Turkey/);
    assert.match(await page.locator('#readings').textContent(), /Ranked higher if about/);
    await page.screenshot({ path: path.join(SHOTS, 'readings.png') });
    const asked = page.waitForRequest((request) => request.url().includes('ignoredInterpretations'));
    await reading.press('Enter');
    assert.match(decodeURIComponent((await asked).url()), /"ignoredInterpretations":\["country:TR"\]/);
    await page.waitForFunction(() => document.querySelectorAll('.reading').length === 0);
    assert.equal(new URL(page.url()).searchParams.get('ignore'), 'country:TR');
    assert.match(await page.locator('#readings').textContent(), /Turkey counts as a word only\. Undo/);
    assert.ok(await page.evaluate(() => document.activeElement.id === 'results'));
    await page.getByRole('button', { name: 'Take Turkey for a country again' }).click();
    await reading.waitFor();
    assert.equal(new URL(page.url()).searchParams.get('ignore'), null);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('.reading').length === 0);
    // It stays a word while it is typed on, and as long as it is there.
    await page.locator('#query').focus();
    await page.keyboard.press('End');
    await answered(page, () => page.keyboard.type(' lira'));
    await page.waitForFunction(() => location.search.includes('lira'));
    assert.equal(new URL(page.url()).searchParams.get('ignore'), 'country:TR');
    assert.equal(await page.locator('.reading').count(), 0);
    assert.match(await page.locator('#readings').textContent(), /Turkey counts as a word only/);
    await page.fill('#query', 'Türkiye: gas');
    await page.waitForFunction(() => !location.search.includes('lira'));
    assert.equal(new URL(page.url()).searchParams.get('ignore'), 'country:TR');
    // Other words, other names.
    await page.fill('#query', 'gas lira');
    await page.waitForFunction(() => !location.search.includes('ignore'));
    await page.fill('#query', 'türkiye gas lira');
    await reading.waitFor();
    assert.equal(new URL(page.url()).searchParams.get('ignore'), null);
  });
  // Nobody knows which words of an address were meant.
  await withPage('/?q=t%C3%BCrkiye+gas&ignore=country:TR', {}, async (page) => {
    await page.waitForSelector('.hit');
    await page.keyboard.press('End');
    await page.keyboard.type(' lira');
    await page.waitForFunction(() => location.search.includes('lira'));
    assert.equal(new URL(page.url()).searchParams.get('ignore'), 'country:TR');
    await page.fill('#query', 'türkiye');
    await page.locator('.reading[data-id="country:TR"]').waitFor();
  });
});

test('says what was made of mistyped words', { skip }, async () => {
  await withPage('/?q=patiense+sanctions', {}, async (page) => {
    await page.waitForSelector('.hit');
    assert.match(await page.locator('#notes').textContent(), /No article has "patiense"; "patience" was searched for as well\./);
    await page.screenshot({ path: path.join(SHOTS, 'corrected.png') });
    await page.getByRole('button', { name: 'patience sanctions' }).click();
    await page.waitForFunction(() => document.querySelector('#notes').textContent === '');
    assert.equal(await page.inputValue('#query'), 'patience sanctions');
  });
});

test('copies of a text are one hit that says where else it is', { skip }, async () => {
  await withPage('/?q=grain+corridor', {}, async (page) => {
    await page.waitForSelector('.hit');
    assert.equal(await page.locator('.hit').count(), 1);
    assert.match(await page.locator('.copies').textContent(), /^2 copies, also at (Second Wire|Third Wire) and (Second Wire|Third Wire)$/);
    assert.equal(await page.locator('.copies a').count(), 2);
    assert.match(await page.locator('.copies a').first().getAttribute('href'), /^https:\/\/(second|third)\.example\//);
    await page.screenshot({ path: path.join(SHOTS, 'copies.png') });
  });
});

test('names each place of a copy once', { skip }, async () => {
  const at = (source, place) => ({ id: place, source, url: `https://${place}.example/` });
  const hits = [
    { article: at('Own', 'a'), collapsedCount: 2, alternates: [at('Break Press', 'b'), at('Break Press', 'c')] },
    { article: at('Own', 'd'), collapsedCount: 3, alternates: [at('Own', 'e'), at('Break Press', 'f'), at('BREAK PRESS', 'g')] },
    { article: at('Own', 'h'), collapsedCount: 1, alternates: [at('Own', 'i')] },
    { article: at('Own', 'j'), collapsedCount: 9, alternates: [at('A', 'k'), at('B', 'l'), at('A', 'm')] },
  ];
  await withPage('about:blank', {}, async (page) => {
    await page.route('**/Search?**', (route) => route.fulfill({ json: { hits, total: { value: 19 } } }));
    await page.goto(services.base);
    await page.waitForSelector('.copies');
    assert.deepEqual(await page.locator('.copies').allTextContents(), [
      '2 copies, also at Break Press',
      '3 copies, also at Break Press and elsewhere at Own',
      '1 copy, elsewhere at Own',
      '9 copies, also at A, B and 6 more',
    ]);
    assert.equal(await page.locator('.copies a').first().getAttribute('href'), 'https://b.example/');
  });
});

test('says plainly that an answer is less than it should be', { skip }, async () => {
  const response = {
    hits: [{ article: { id: 'a', title: 'First' }, collapsedCount: 7, alternates: [{ id: 'b', source: 'B' }, { id: 'c', source: 'C' }] }],
    total: { value: 12, relation: 'TOTAL_RELATION_LOWER_BOUND' },
    degraded: [{ reason: 'TIMEOUT', message: 'the deadline came before the search was finished' }],
  };
  await withPage('about:blank', {}, async (page) => {
    await page.route('**/Search?**', (route) => route.fulfill({ json: response }));
    await page.goto(services.base);
    await page.waitForSelector('.degraded');
    assert.equal(
      await page.locator('.degraded').textContent(),
      'Not everything is here. The deadline came before the search was finished. Search again',
    );
    assert.equal(await total(page), 'At least 12 articles');
    assert.equal(await page.locator('.copies').textContent(), '7 copies, also at B, C and 5 more');
    await page.unroute('**/Search?**');
    await page.getByRole('button', { name: 'Search again' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.degraded').length === 0);
  });
});

test('text of articles never becomes markup', { skip }, async () => {
  await withPage('/?q=markup+kenya', {}, async (page) => {
    await page.waitForSelector('.hit');
    assert.equal(await page.locator('.hit h2').first().textContent(), ARTICLES[3].title);
    assert.equal(await page.locator('.hit img, .hit script, .hit b, .hit em').count(), 0);
    // It has no address of its own, so it is read here.
    await page.locator('.reader summary').click();
    await page.waitForFunction(() => document.querySelector('.reader-text p')?.textContent.includes('must stay text'));
  });
});

test('says what to do where nothing is found and where nobody answers', { skip }, async () => {
  await withPage('/?q=qqqqzzzz&country=TR', {}, async (page) => {
    await page.waitForSelector('.message');
    assert.match(await total(page), /^No articles$/);
    await page.screenshot({ path: path.join(SHOTS, 'empty.png') });
    await page.getByRole('button', { name: 'Show all articles' }).click();
    await page.getByRole('button', { name: 'Lift the filter' }).click();
    await untilTotal(page, /^22 articles$/);
  });
  // What an old address names that is no longer known. The browser logs each refusal by itself.
  await withPage('/?country=ZZZZ', { allowErrors: true }, async (page) => {
    await untilTotal(page, /^22 articles$/);
    assert.equal(await page.locator('#notes').textContent(), 'Not known here, and left out of the search: country “ZZZZ”.');
    assert.equal(new URL(page.url()).search, '');
    await page.fill('#query', 'gas');
    await untilTotal(page, /^18 articles$/);
    assert.equal(await page.locator('#notes').textContent(), '');
  });
  await withPage('/?q=gas&country=XX&country=TR&issue=nonsense', { allowErrors: true }, async (page) => {
    await untilTotal(page, /^14 articles$/);
    assert.match(await page.locator('#notes').textContent(), /: country “XX”, issue “nonsense”\.$/);
    assert.equal(new URL(page.url()).search, '?q=gas&country=TR');
    assert.equal(await page.locator('.chip').count(), 1);
  });
  const nonsense = Array.from({ length: 30 }, (_, i) => `issue=nonsense-${i}`).join('&');
  await withPage(`/?${nonsense}`, { allowErrors: true }, async (page) => {
    await untilTotal(page, /^22 articles$/);
    assert.match(await page.locator('#notes').textContent(), /issue “nonsense-8”, and others\.$/);
  });
  await withPage('/', { allowErrors: true }, async (page) => {
    await page.waitForSelector('.hit');
    await page.context().setOffline(true);
    await page.fill('#query', 'gas');  // At once: a letter that comes later would search again.
    await page.waitForSelector('.message.error');
    assert.match(await total(page), /No connection/);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('.hit');
  });
});

test('is dark where that is liked, and fits a narrow screen', { skip }, async () => {
  await withPage('/?q=gas', { colorScheme: 'dark' }, async (page) => {
    await page.waitForSelector('.hit');
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.ok(background.match(/\d+/g).slice(0, 3).every((part) => Number(part) < 60), background);
    await page.screenshot({ path: path.join(SHOTS, 'dark.png') });
  });
  await withPage('/?q=gas', { viewport: { width: 320, height: 640 } }, async (page) => {
    await page.waitForSelector('.hit');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
    assert.equal(await page.locator('#facets').isVisible(), false);
    await page.locator('#facets-panel summary').click();
    await page.locator('.facet-value').first().waitFor();
  });
  const small = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
  await withPage('/?q=patiense+t%C3%BCrkiye+russia+european+union', small, async (page) => {
    await page.waitForSelector('.reading');
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits(), 'the names in the query');
    await page.screenshot({ path: path.join(SHOTS, 'narrow-readings.png') });
    await page.fill('#query', 'tur');
    await page.waitForSelector('.suggestions li');
    assert.ok(await fits(), 'suggestions');
    const list = await page.locator('.suggestions').boundingBox();
    assert.ok(list.x >= 0 && list.x + list.width <= 360, JSON.stringify(list));
    await page.screenshot({ path: path.join(SHOTS, 'narrow-suggestions.png') });
  });
  await withPage('/?q=grain+corridor', small, async (page) => {
    await page.waitForSelector('.copies');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'copies');
    await page.screenshot({ path: path.join(SHOTS, 'narrow-copies.png') });
  });
});
