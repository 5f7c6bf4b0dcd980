// Hits as elements.
import { getArticle, type Article, type Evidence, type Hit, type Label, type Snippet } from './api';
import { h, highlighted } from './dom';
import { withPopover } from './popover';
import { DIMENSIONS, type Dimension, type TagField } from './state';

export interface ResultActions {
  /** Limits the search to a tag, or lifts that. */
  toggle(field: TagField, id: string): void;
  isSelected(field: TagField, id: string): boolean;
}

const MAX_REASONS = 8;

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
const MOMENT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });

/** The address, if it is one that a link may have. */
function safeUrl(url: string | undefined): string | undefined {
  try {
    const parsed = new URL(url ?? '');
    return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : undefined;
  } catch {
    return undefined;
  }
}

/** An address for reading: without what only machines need, such as the scheme and tracking parameters. */
export function shownAddress(url: string): string {
  const { hostname, pathname } = new URL(url);
  let path = pathname.replace(/\/$/, '');
  try {
    path = decodeURI(path);
  } catch {
    // Not UTF-8: shown as it is.
  }
  return hostname.replace(/^www\./, '') + path;
}

/** A passage with dots where it begins or ends within a sentence. */
function passage({ text = '', ranges }: Snippet): HTMLElement {
  const begun = /^\p{Ll}/u.test(text);
  const cut = /[\p{L}\p{N}]$/u.test(text) ? '…' : /[,;:–—-]$/.test(text) && '\u00a0…';
  return h('p', { class: 'snippet', dir: 'auto' }, begun && '… ', ...onOneLine(highlighted(text, ranges)), cut);
}

/** Puts paragraphs onto one line. What ends no sentence, such as a heading, is set off from what is below it. */
function onOneLine(nodes: Node[]): Node[] {
  let before = '';
  for (const node of nodes) {
    const text = node.textContent ?? '';
    if (node instanceof Text) {
      node.data = text.replace(/\n\n/g, (_, at: number) =>
        /[.!?:…。！？؟۔।]["'”’»)\]]*$/.test(at > 0 ? text.slice(0, at) : before) ? ' ' : ' · ',
      );
    }
    before = text;
  }
  return nodes;
}

function dateOf(article: Article): HTMLElement | null {
  const time = article.publishTime === undefined ? Number.NaN : Date.parse(article.publishTime);
  if (Number.isNaN(time)) return null;
  const format = article.publishTimePrecision === 'TIME_PRECISION_SECOND' ? MOMENT : DAY;
  return h('time', { datetime: article.publishTime }, format.format(time));
}

/** Where an article is from: its source, else its site; empty if neither is known. */
function placeOf(article: Article, url: string | undefined): string {
  return article.source || (url === undefined ? '' : shownAddress(new URL(url).origin));
}

function byline(article: Article, url: string | undefined): HTMLElement {
  const source = placeOf(article, url);
  return h(
    'p',
    { class: 'byline' },
    source ? h('bdi', { class: 'source' }, source) : null,
    dateOf(article),
    article.authors?.length ? h('bdi', {}, `By ${article.authors.join(', ')}`) : null,
  );
}

const KINDS: Record<string, string> = {
  NAME: 'name',
  DEMONYM: 'people or adjective',
  CAPITAL: 'capital',
  CITY: 'city',
  LEADER: 'leader',
  PLACE: 'place',
  ORGANISATION: 'organisation',
  PERSON: 'person',
  METONYM: 'stands for it',
  WORD: 'word',
  PHRASE: 'phrase',
  SOURCE_LABEL: 'filed by the publisher',
};

/** Evidence with the same words is one line with a count. */
function reasons(evidence: Evidence[]): HTMLElement[] {
  const groups = new Map<string, { evidence: Evidence; count: number; fields: Set<string> }>();
  for (const item of evidence) {
    const key = `${item.setAside ?? ''} ${item.kind ?? ''} ${(item.text ?? '').toLowerCase()}`;
    const group = groups.get(key) ?? { evidence: item, count: 0, fields: new Set<string>() };
    group.count += 1;
    if (item.span?.field) group.fields.add(item.span.field);
    groups.set(key, group);
  }
  return [...groups.values()].slice(0, MAX_REASONS).map(({ evidence: item, count, fields }) => {
    const notes = [KINDS[item.kind ?? ''] ?? (item.kind ?? '').toLowerCase().replaceAll('_', ' ')];
    if (fields.has('title')) notes.push('in the title');
    if (item.setAside) notes.push('does not count');
    return h(
      'li',
      { class: item.setAside ? 'set-aside' : undefined },
      h('q', { dir: 'auto' }, item.text ?? ''),
      count > 1 && h('span', { class: 'times' }, ` ×${count}`),
      h('small', {}, notes.filter(Boolean).join(', ')),
    );
  });
}

function origin(label: Label): string {
  switch (label.source) {
    case 'LABEL_SOURCE_EDITOR':
      return 'Set by an editor';
    case 'LABEL_SOURCE_SOURCE':
      return 'Filed so by the publisher';
    default:
      return label.score === undefined ? 'Found in the text' : `Found in the text, ${Math.round(label.score * 100)} % sure`;
  }
}

function tag(label: Label, { field, name: kind }: Dimension, id: string, actions: ResultActions): HTMLElement {
  const name = label.displayName || id;
  const selected = actions.isSelected(field, id);
  const classes = ['tag', kind];
  if (label.primary) classes.push('primary');
  if (selected) classes.push('selected');
  const button = h('button', { type: 'button', class: classes.join(' '), 'data-id': id }, h('bdi', {}, name));
  return withPopover(button, `Why ${name}`, () => {
    const list = reasons(label.evidence ?? []);
    return h(
      'div',
      {},
      h('p', { class: 'popover-title' }, h('bdi', {}, name), h('small', {}, label.primary ? `main ${kind}` : kind)),
      h('p', { class: 'origin' }, origin(label)),
      list.length > 0 ? h('ul', { class: 'reasons' }, ...list) : null,
      h(
        'button',
        { type: 'button', class: 'link', onclick: () => actions.toggle(field, id) },
        selected ? 'Lift this filter' : `Only articles about ${name}`,
      ),
    );
  });
}

function tags(article: Article, actions: ResultActions): HTMLElement {
  const list = h('ul', { class: 'tags', 'aria-label': 'Tags' });
  for (const label of article.labels ?? []) {
    if (label.state === 'STATE_REJECTED') continue;
    for (const dimension of DIMENSIONS) {
      const id = label[dimension.key];
      if (id) list.append(h('li', {}, tag(label, dimension, id, actions)));
    }
  }
  if (article.labelState === 'LABEL_STATE_PENDING') {
    list.append(h('li', { class: 'pending' }, 'Tags are being found'));
  }
  return list;
}

function snippets(article: Article, all: Snippet[]): HTMLElement[] {
  const body = all.filter((snippet) => snippet.field !== 'title' && snippet.text);
  if (body.length === 0 && article.summary) return [h('p', { class: 'snippet', dir: 'auto' }, article.summary)];
  return body.map(passage);
}

/** The text of an article that has no page of its own to go to. */
function reader(id: string): HTMLElement {
  const text = h('div', { class: 'reader-text', dir: 'auto' });
  const details = h('details', { class: 'reader' }, h('summary', {}, 'Read the article'), text);
  details.addEventListener('toggle', () => {
    if (!details.open || text.childNodes.length > 0) return;
    text.append(h('p', {}, 'Loading…'));
    getArticle(id, new AbortController().signal).then(
      (article) => text.replaceChildren(...(article.body ?? '').split('\n\n').map((part) => h('p', {}, part))),
      () => {
        text.replaceChildren();
        details.open = false;
      },
    );
  });
  return details;
}

/** Says that there are copies of a text, and where some of them are: each place once, by its first copy. */
function copies(count: number, alternates: Article[], own: string): HTMLElement {
  const places = new Map<string, HTMLElement>();
  for (const article of alternates) {
    const url = safeUrl(article.url);
    const name = placeOf(article, url) || article.title || 'another place';
    const key = name.toLowerCase();
    if (places.has(key)) continue;
    const element = h('bdi', {}, name);
    places.set(key, url ? h('a', { href: url, rel: 'noopener noreferrer' }, element) : element);
  }
  // The hit's own place is named above it already: there is another address of it.
  const again = places.get(own.toLowerCase());
  places.delete(own.toLowerCase());
  const named = [...places.values()];
  const more = count - alternates.length;
  const last = more <= 0 && again === undefined ? named.length - 1 : -1;
  return h(
    'p',
    { class: 'copies' },
    `${count} ${count === 1 ? 'copy' : 'copies'}`,
    named.length > 0 && ', also at ',
    ...named.flatMap((element, i) => [i > 0 && (i === last ? ' and ' : ', '), element]),
    again && (named.length > 0 && more <= 0 ? ' and elsewhere at ' : ', elsewhere at '),
    again,
    alternates.length > 0 && more > 0 && ` and ${more} more`,
  );
}

export function hitElement(hit: Hit, actions: ResultActions): HTMLElement {
  const article = hit.article ?? {};
  const url = safeUrl(article.url);
  const title = article.title || (url && shownAddress(url)) || 'Untitled';
  const marked = hit.snippets?.find((snippet) => snippet.field === 'title' && snippet.text === article.title);
  const heading = highlighted(title, marked?.ranges);
  return h(
    'li',
    { class: 'hit', lang: article.languageCode && article.languageCode !== 'und' ? article.languageCode : undefined },
    byline(article, url),
    h('h2', { dir: 'auto' }, ...(url ? [h('a', { href: url, rel: 'noopener noreferrer' }, ...heading)] : heading)),
    ...snippets(article, hit.snippets ?? []),
    (hit.collapsedCount ?? 0) > 0 && copies(hit.collapsedCount ?? 0, hit.alternates ?? [], placeOf(article, url)),
    tags(article, actions),
    url === undefined && article.id ? reader(article.id) : null,
  );
}
