import './page.css';
import {
  ApiError, search,
  type Hit, type Label, type RecognizedName, type SearchRequest, type SearchResponse, type Suggestion,
} from './api';
import { byId, h } from './dom';
import { facetElement, facetValues } from './facets';
import { hitElement, type ResultActions } from './results';
import {
  DIMENSIONS, filterCount, fromAddress, hasName, sortChoices, toAddress, toggled,
  type Dimension, type Sort, type State, type TagField,
} from './state';
import { Steps, type Step } from './steps';
import { SuggestionList } from './suggest';

const PAGE_SIZE = 10;
// As many come back at once when one goes back to where more was shown: a hundred hits are the most of one answer.
const MAX_PAGES_BACK = 10;
const FACET_LIMIT = 12;
// Copies of a hit that are named under it.
const MAX_ALTERNATES = 3;
const TYPING_DELAY_MS = 140;
// Shorter waits are not worth a moving line.
const PROGRESS_DELAY_MS = 180;
const MAX_NOTES = 4;
// Filters of an address that are found wrong one by one, before all others are lifted too.
const MAX_UNKNOWN = 8;
const SCROLL_DELAY_MS = 150;

const form = byId<HTMLFormElement>('search-form');
const input = byId<HTMLInputElement>('query');
const sortBox = byId<HTMLSelectElement>('sort');
const results = byId('results');
const hitList = byId<HTMLOListElement>('hits');
const statusLine = byId('status');
const facetArea = byId('facets');
const chipArea = byId('chips');
const readingArea = byId('readings');
const noteArea = byId('notes');
const messageArea = byId('message');
const moreButton = byId<HTMLButtonElement>('more');
const progress = byId('progress');

const NUMBER = new Intl.NumberFormat('en');

let state: State = fromAddress(location.search);
let shown: SearchRequest | null = null;
let nextPageToken = '';
let shownCount = 0;
let running = new AbortController();
let typingTimer = 0;
let scrollTimer = 0;
// The step that is being gone back to: where the page is scrolled to meanwhile says nothing.
let restoring: Step | null = null;
// Filters of the address that nobody knows, and that were left out.
let unknown: string[] = [];
// Names of tags as answers gave them, for filters that an answer does not name.
const names: Record<TagField, Map<string, string>> = { countries: new Map(), groups: new Map(), issues: new Map() };

const REGIONS = new Intl.DisplayNames('en', { type: 'region' });

/** The best name known for a tag: an answer's, the browser's own for a country, else the id. */
function nameOf(field: TagField, id: string): string {
  const known = names[field].get(id);
  if (known !== undefined) return known;
  try {
    return (field === 'countries' && REGIONS.of(id)) || id;
  } catch {
    return id;
  }
}

const actions: ResultActions = {
  toggle(field, id) {
    change({ [field]: toggled(state[field], id) });
  },
  isSelected: (field, id) => state[field].includes(id),
};

/** The dimensions that have filters, in the order of the request's selections. */
function filtered(current: State): Dimension[] {
  return DIMENSIONS.filter(({ field }) => current[field].length > 0);
}

function requestOf(current: State, typing: boolean): SearchRequest {
  const selections = filtered(current).map(({ field, wire }) => ({ field: wire, values: current[field] }));
  const query = current.query.trim();
  const request: SearchRequest = {
    pageSize: PAGE_SIZE,
    facets: DIMENSIONS.map(({ wire }) => ({ field: wire, limit: FACET_LIMIT })),
    snippet: { maxBytes: 320 },
    collapse: { kind: 'COLLAPSE_KIND_NEAR_DUPLICATE', maxAlternates: MAX_ALTERNATES },
    view: 'ARTICLE_VIEW_SNIPPET',
  };
  if (query !== '') {
    request.query = query;
    request.matchMode = typing ? 'MATCH_MODE_PREFIX_LAST_WORD' : 'MATCH_MODE_FULL_QUERY';
  }
  if (selections.length > 0) request.selections = selections;
  if (current.ignored.length > 0) request.ignoredInterpretations = current.ignored;
  if (current.sort !== '') request.orderBy = current.sort === 'newest' ? 'publish_time desc' : 'publish_time asc';
  return request;
}

const steps = new Steps(
  () => toAddress(fromAddress(location.search)),
  () => {
    state = fromAddress(location.search);
    input.value = state.query;
    suggestions.hide();
    void restore();
  },
);

/** Looks for something else, as a step that the back button undoes. */
function change(next: Partial<State>): void {
  takeTyped();
  steps.settle();
  choose(next);
}

/** Looks for what was chosen in place of what is being typed. */
function choose(next: Partial<State>): void {
  clearTimeout(typingTimer);
  unknown = [];
  state = { ...state, ...next };
  steps.go(toAddress(state));
  void run(false);
}

/** Other words to look for. Names that were taken for words stay so while they are among them. */
function withQuery(query: string): Pick<State, 'query' | 'ignored'> {
  const taken = { ...steps.step.taken };
  for (const id of state.ignored) {
    // From an address: which words it is for is a guess.
    const name = nameOfId(id);
    taken[id] ??= hasName(state.query, name) ? name : state.query;
  }
  steps.note({ taken });
  return { query, ignored: state.ignored.filter((id) => hasName(query, taken[id] ?? '')) };
}

/** Takes what stands in the box for what is looked for. False if that is nothing new. */
function takeTyped(): boolean {
  clearTimeout(typingTimer);
  if (input.value.trim() === state.query.trim()) return false;
  unknown = [];
  state = { ...state, ...withQuery(input.value) };
  steps.type(toAddress(state));
  return true;
}

/** Shows a step again as it was left. */
async function restore(): Promise<void> {
  clearTimeout(typingTimer);
  clearTimeout(scrollTimer);
  unknown = [];
  const own = (restoring = steps.step);
  const done = await run(false, Math.min(own.pages, MAX_PAGES_BACK));
  if (restoring !== own) return;
  restoring = null;
  if (done && own.scroll !== undefined) window.scrollTo(0, own.scroll);
}

/** Leaves out a filter that the service does not know, such as one of an old address. False if that isn't what is wrong. */
function leaveOutUnknown(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.code !== 'invalid_argument') return false;
  const place = error.fields.map((field) => /^selections\[(\d+)\]\.values\[(\d+)\]$/.exec(field)).find(Boolean);
  const dimension = place ? filtered(state)[Number(place[1])] : undefined;
  if (!place || dimension === undefined) return false;
  const { field, name } = dimension;
  const id = state[field][Number(place[2])];
  if (id === undefined) return false;
  unknown.push(`${name} “${id}”`);
  state = { ...state, [field]: state[field].filter((other) => other !== id) };
  if (unknown.length > MAX_UNKNOWN) {
    unknown.push('and others');
    state = { ...state, countries: [], issues: [], groups: [] };
  }
  steps.correct(toAddress(state));
  return true;
}

function busy(on: boolean): void {
  results.setAttribute('aria-busy', String(on));
  progress.classList.toggle('on', on);
}

async function ask(request: SearchRequest): Promise<SearchResponse | null> {
  running.abort();
  const own = (running = new AbortController());
  const timer = setTimeout(() => busy(true), PROGRESS_DELAY_MS);
  try {
    const response = await search(request, own.signal);
    return own.signal.aborted ? null : response;
  } catch (error) {
    if (own.signal.aborted) return null;
    throw error;
  } finally {
    clearTimeout(timer);
    if (own === running) busy(false);
  }
}

/** True if the answer is shown; another search may have come before it. */
async function run(typing: boolean, pages = 1): Promise<boolean> {
  clearTimeout(typingTimer);
  if (document.activeElement !== input) input.value = state.query;
  showSort();
  document.title = state.query.trim() === '' ? 'Dateline' : `${state.query.trim()} – Dateline`;
  const request = requestOf(state, typing);
  try {
    const response = await ask({ ...request, pageSize: pages * PAGE_SIZE });
    if (response === null) return false;
    shown = request;
    if (steps.step.pages !== pages) steps.note({ pages });
    keepingFocus(() => showResponse(response));
    return true;
  } catch (error) {
    if (leaveOutUnknown(error)) return run(typing, pages);
    keepingFocus(() => showError(error));
    return false;
  }
}

function showSort(): void {
  const choices = sortChoices(state.query);
  // Left alone where nothing changes: it may be open.
  if (choices.map(({ text }) => text).join() !== [...sortBox.options].map(({ text }) => text).join()) {
    sortBox.replaceChildren(...choices.map(({ value, text }) => h('option', { value }, text)));
  }
  // An order that is not among them is the default by another name.
  sortBox.value = choices.some(({ value }) => value === state.sort) ? state.sort : '';
}

function totalText(response: SearchResponse): string {
  const count = response.total?.value ?? response.hits?.length ?? 0;
  if (count === 0) return 'No articles';
  const about = { TOTAL_RELATION_LOWER_BOUND: 'At least ', TOTAL_RELATION_ESTIMATE: 'About ' }[response.total?.relation ?? ''] ?? '';
  return `${about}${NUMBER.format(count)} ${count === 1 ? 'article' : 'articles'}`;
}

/** Articles in these hits, with their copies, as the total counts them. */
function articlesIn(hits: readonly Hit[]): number {
  return hits.reduce((sum, hit) => sum + 1 + (hit.collapsedCount ?? 0), 0);
}

function showResponse(response: SearchResponse): void {
  for (const hit of response.hits ?? []) remember(hit.article?.labels ?? []);
  const hits = response.hits ?? [];
  hitList.replaceChildren(...hits.map((hit) => hitElement(hit, actions)));
  shownCount = articlesIn(hits);
  nextPageToken = response.nextPageToken ?? '';
  moreButton.hidden = nextPageToken === '';
  const more = hits.length > PAGE_SIZE ? `, ${NUMBER.format(shownCount)} shown` : '';
  statusLine.textContent = totalText(response) + more;
  showFacets(response);
  showChips();
  showReadings(response);
  showNotes(response);
  messageArea.replaceChildren(...(hits.length === 0 ? [emptyMessage()] : []));
}

function remember(labels: Label[]): void {
  for (const label of labels) {
    for (const { field, key } of DIMENSIONS) {
      const id = label[key];
      if (id && label.displayName) names[field].set(id, label.displayName);
    }
  }
}

function showFacets(response: SearchResponse): void {
  // The box that was just ticked keeps the focus; a button that cleared its facet gives it to the first box.
  const focused = facetArea.contains(document.activeElement) ? document.activeElement : null;
  const place = focused?.closest<HTMLElement>('.facet')?.dataset.facet;
  const value = focused instanceof HTMLInputElement ? focused.value : undefined;
  const part = ({ field, title, wire }: Dimension) => {
    const facet = response.facets?.find((candidate) => candidate.field === wire);
    for (const value of facet?.values ?? []) {
      if (value.id && value.displayName) names[field].set(value.id, value.displayName);
    }
    return facetElement({
      title,
      values: facetValues(facet, state[field], (id) => nameOf(field, id)),
      otherCount: facet?.otherCount ?? 0,
      selected: state[field],
      toggle: (id) => actions.toggle(field, id),
      clear: () => change({ [field]: [] }),
    });
  };
  facetArea.replaceChildren(...DIMENSIONS.map(part).filter((element): element is HTMLElement => element !== null));
  if (place !== undefined) {
    const boxes = [...facetArea.querySelectorAll<HTMLInputElement>(`.facet[data-facet="${CSS.escape(place)}"] input`)];
    (boxes.find((box) => box.value === value) ?? boxes[0])?.focus();
  }
}

/**
 * Renders, and gives the results the focus if what had it among them is gone: the keyboard would be back at the top
 * of the page otherwise, and a reader further down would look at the middle of another list.
 */
function keepingFocus(render: () => void): void {
  const before = document.activeElement;
  const within = before !== results && results.contains(before);
  render();
  if (!within || results.contains(document.activeElement)) return;
  results.focus({ preventScroll: true });
  if (results.getBoundingClientRect().top < 0) results.scrollIntoView({ block: 'start' });
}

function showChips(): void {
  const chip = (field: TagField, id: string) => {
    const name = nameOf(field, id);
    return h(
      'button',
      { type: 'button', class: 'chip', 'aria-label': `Lift the filter ${name}`, onclick: () => actions.toggle(field, id) },
      h('bdi', {}, name),
      h('span', { class: 'cross', 'aria-hidden': 'true' }),
    );
  };
  const chips = DIMENSIONS.flatMap(({ field }) => state[field].map((id) => chip(field, id)));
  if (chips.length > 1) {
    chips.push(h('button', { type: 'button', class: 'link', onclick: clearFilters }, 'Clear all'));
  }
  chipArea.replaceChildren(...chips);
  byId('filter-count').textContent = chips.length === 0 ? '' : `(${filterCount(state)})`;
}

function clearFilters(): void {
  change({ countries: [], groups: [], issues: [] });
}

/** The name of a tag by what the service calls it in a query: `country:IR`. */
function nameOfId(id: string): string {
  const colon = id.indexOf(':');
  const dimension = DIMENSIONS.find(({ name }) => name === id.slice(0, colon));
  const tag = id.slice(colon + 1);
  return dimension === undefined ? tag : nameOf(dimension.field, tag);
}

/** The name counts as a word only, as long as it is in the query. */
function takeForWord({ id = '', text = '' }: RecognizedName): void {
  steps.note({ taken: { ...steps.step.taken, [id]: text } });
  change({ ignored: [...state.ignored, id] });
}

/** The names recognised in the query, each with a button that makes it a word like any other; and those that are so. */
function showReadings(response: SearchResponse): void {
  const recognized = response.interpretation?.recognized ?? [];
  const reading = (name: RecognizedName) => {
    const dimension = DIMENSIONS.find(({ key }) => name[key] !== undefined);
    const display = name.displayName || name.text || '';
    if (dimension !== undefined) names[dimension.field].set(name[dimension.key]!, display);
    const same = name.text?.toLowerCase() === display.toLowerCase();
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: `reading ${dimension?.name ?? ''}`,
          title: name.reason,
          'data-id': name.id,
          'aria-label': `${display}, since ${name.reason ?? 'it is named'}: take it for a word only`,
          onclick: () => takeForWord(name),
        },
        h('bdi', {}, display),
        !same && h('small', { dir: 'auto' }, `“${name.text}”`),
        h('span', { class: 'cross', 'aria-hidden': 'true' }),
      ),
    );
  };
  const rows: HTMLElement[] = [];
  if (recognized.length > 0) {
    const only = recognized[0]!.action === 'INTERPRETATION_MODE_FILTER';
    rows.push(
      h('p', { id: 'readings-lead' }, only ? 'Only what is about' : 'Ranked higher if about'),
      h('ul', { 'aria-labelledby': 'readings-lead' }, ...recognized.map(reading)),
    );
  }
  for (const id of state.ignored) {
    const kind = id.slice(0, id.indexOf(':'));
    const name = nameOfId(id);
    rows.push(
      h('p', {}, h('bdi', {}, name), ' counts as a word only. ',
        h(
          'button',
          {
            type: 'button',
            class: 'link',
            'aria-label': `Take ${name} for a ${kind || 'name'} again`,
            onclick: () => change({ ignored: state.ignored.filter((other) => other !== id) }),
          },
          'Undo',
        )),
    );
  }
  readingArea.replaceChildren(...rows);
}

/** The service's notes begin in lower case and end without a stop. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** What makes the answer less than it should be, before all else that is to say about it. */
function degradation(response: SearchResponse): HTMLElement | null {
  const messages = (response.degraded ?? []).flatMap(({ message }) => (message ? [sentence(message)] : []));
  if (messages.length === 0) return null;
  return h(
    'p',
    { class: 'degraded' },
    h('strong', {}, 'Not everything is here. '),
    `${messages.join(' ')} `,
    h('button', { type: 'button', class: 'link', onclick: () => void run(false) }, 'Search again'),
  );
}

function showNotes(response: SearchResponse): void {
  const notes: HTMLElement[] = [];
  const degraded = degradation(response);
  if (degraded !== null) notes.push(degraded);
  if (unknown.length > 0) {
    notes.push(h('p', {}, 'Not known here, and left out of the search: ', h('bdi', {}, unknown.join(', ')), '.'));
  }
  const corrected = response.interpretation?.correctedQuery;
  if (corrected) {
    notes.push(
      h(
        'p',
        {},
        'Did you mean ',
        h('button', { type: 'button', class: 'link', dir: 'auto', onclick: () => searchFor(corrected) }, corrected),
        '?',
      ),
    );
  }
  for (const note of (response.interpretation?.notes ?? []).slice(0, MAX_NOTES)) {
    notes.push(h('p', { dir: 'auto' }, sentence(note)));
  }
  noteArea.replaceChildren(...notes);
}

/** `typed`: in place of what is being typed. */
function searchFor(query: string, typed = false): void {
  if (!typed) takeTyped();
  const next = withQuery(query);
  input.value = query;
  if (!typed) steps.settle();
  choose(next);
}

function emptyMessage(): HTMLElement {
  const filtered = filterCount(state) > 0;
  if (state.query.trim() === '' && !filtered) {
    return h(
      'div',
      { class: 'message' },
      h('h2', {}, 'Nothing here yet'),
      h('p', {}, 'Articles appear as soon as some are taken in:'),
      h('pre', {}, h('code', {}, 'dateline ingest samples/')),
    );
  }
  return h(
    'div',
    { class: 'message' },
    h('h2', {}, 'No article matches'),
    h('p', {}, filtered ? 'Fewer filters find more.' : 'Fewer or other words may find more; check the spelling.'),
    filtered && h('button', { type: 'button', onclick: clearFilters }, 'Lift all filters'),
    state.query.trim() !== '' && h('button', { type: 'button', onclick: () => searchFor('') }, 'Show all articles'),
  );
}

/** What went wrong, in words, and what can be done. */
function explain(error: unknown): { title: string; text: string; retry: boolean } {
  const code = error instanceof ApiError ? error.code : 'network';
  const message = error instanceof Error ? error.message : '';
  switch (code) {
    case 'invalid_argument':
      return { title: 'This search cannot be made', text: message, retry: false };
    case 'network':
      return { title: 'No connection', text: 'The server cannot be reached. Is the network there?', retry: true };
    case 'unavailable':
      return { title: 'The search is away', text: 'It is being started or updated. It mostly takes a few seconds.', retry: true };
    case 'timeout':
    case 'deadline_exceeded':
      return { title: 'That took too long', text: 'Fewer words may be faster, or try the same again.', retry: true };
    case 'resource_exhausted':
      return { title: 'Too much at once', text: 'Many are searching. Try again in a moment.', retry: true };
    default:
      return { title: 'Something went wrong', text: message || code, retry: true };
  }
}

function showError(error: unknown): void {
  const { title, text, retry } = explain(error);
  hitList.replaceChildren();
  facetArea.replaceChildren();
  noteArea.replaceChildren();
  readingArea.replaceChildren();
  showChips();
  moreButton.hidden = true;
  statusLine.textContent = title;
  messageArea.replaceChildren(
    h(
      'div',
      { class: 'message error' },
      h('h2', {}, title),
      h('p', {}, text),
      retry && h('button', { type: 'button', onclick: () => void run(false) }, 'Try again'),
    ),
  );
}

async function showMore(): Promise<void> {
  if (shown === null || nextPageToken === '') return;
  moreButton.disabled = true;
  try {
    const response = await ask({ ...shown, pageToken: nextPageToken });
    if (response === null) return;
    for (const hit of response.hits ?? []) remember(hit.article?.labels ?? []);
    const fresh = (response.hits ?? []).map((hit) => hitElement(hit, actions));
    hitList.append(...fresh);
    shownCount += articlesIn(response.hits ?? []);
    steps.note({ pages: steps.step.pages + 1 });
    nextPageToken = response.nextPageToken ?? '';
    moreButton.hidden = nextPageToken === '';
    statusLine.textContent = `${totalText(response)}, ${NUMBER.format(shownCount)} shown`;
    fresh[0]?.querySelector<HTMLElement>('a, summary, button')?.focus({ preventScroll: true });
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'PAGE_TOKEN_EXPIRED') {
      noteArea.replaceChildren(h('p', {}, 'The list was out of date, so it was made anew.'));
      await run(false);
    } else {
      keepingFocus(() => showError(error));
    }
  } finally {
    moreButton.disabled = false;
  }
}

function takeSuggestion(suggestion: Suggestion): void {
  const dimension = DIMENSIONS.find((candidate) => candidate.suggestion === suggestion.kind);
  if (dimension === undefined || !suggestion.id) {
    const text = suggestion.text ?? '';
    const field = { SUGGESTION_KIND_AUTHOR: 'author', SUGGESTION_KIND_SOURCE: 'source' }[suggestion.kind ?? ''];
    searchFor(field === undefined || text.includes('"') ? text : `${field}:"${text}"`, true);
    return;
  }
  const { field } = dimension;
  names[field].set(suggestion.id, suggestion.text ?? suggestion.id);
  input.value = '';
  choose({ query: '', ignored: [], [field]: [...new Set([...state[field], suggestion.id])] });
}

const suggestions = new SuggestionList(input, byId<HTMLUListElement>('suggestions'), byId('suggestion-count'), takeSuggestion);

input.addEventListener('input', () => {
  clearTimeout(typingTimer);
  typingTimer = window.setTimeout(() => {
    if (takeTyped()) void run(true);
  }, TYPING_DELAY_MS);
});
// Whoever leaves the box has what was looked for. It keeps the focus while another window has it.
input.addEventListener('blur', () => {
  if (document.activeElement === input) return;
  if (takeTyped()) void run(true);
  steps.settle();
});
window.addEventListener('pagehide', () => steps.settle());
window.addEventListener('scroll', () => {
  clearTimeout(scrollTimer);
  scrollTimer = window.setTimeout(() => {
    if (restoring === null) steps.note({ scroll: Math.round(window.scrollY) });
  }, SCROLL_DELAY_MS);
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  suggestions.hide();
  takeTyped();
  steps.settle();
  void run(false);
});
sortBox.addEventListener('change', () => change({ sort: sortBox.value as Sort }));
moreButton.addEventListener('click', () => void showMore());
document.addEventListener('keydown', (event) => {
  const target = event.target instanceof HTMLElement ? event.target : null;
  const typing = target?.matches('input:not([type=checkbox]), textarea, select') ?? false;
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input.focus();
    input.select();
  }
});
// On a narrow screen the filters are folded away at first.
const narrow = window.matchMedia('(max-width: 52rem)');
byId<HTMLDetailsElement>('facets-panel').open = !narrow.matches;
narrow.addEventListener('change', () => {
  byId<HTMLDetailsElement>('facets-panel').open = !narrow.matches;
});

input.value = state.query;
if (!narrow.matches) input.focus();
void restore();
