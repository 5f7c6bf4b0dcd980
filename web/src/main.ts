import './page.css';
import {
  ApiError, search,
  type Hit, type Label, type RecognizedName, type SearchRequest, type SearchResponse, type Suggestion,
} from './api';
import { byId, h } from './dom';
import { facetElement, facetValues } from './facets';
import { hitElement, type ResultActions } from './results';
import {
  DIMENSIONS, filterCount, fromAddress, sortChoices, toAddress, toggled,
  type Dimension, type Sort, type State, type TagField,
} from './state';
import { SuggestionList } from './suggest';

const PAGE_SIZE = 10;
const FACET_LIMIT = 12;
// Copies of a hit that are named under it.
const MAX_ALTERNATES = 3;
const TYPING_DELAY_MS = 140;
// Shorter waits are not worth a moving line.
const PROGRESS_DELAY_MS = 180;
const MAX_NOTES = 4;

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

function requestOf(current: State, typing: boolean): SearchRequest {
  const selections = DIMENSIONS.filter(({ field }) => current[field].length > 0).map(({ field, wire }) => ({
    field: wire,
    values: current[field],
  }));
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

/** Looks for something else, as a step that the back button undoes. */
function change(next: Partial<State>): void {
  state = { ...state, ...next };
  history.pushState(null, '', toAddress(state) || location.pathname);
  void run(false);
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

async function run(typing: boolean): Promise<void> {
  clearTimeout(typingTimer);
  if (document.activeElement !== input) input.value = state.query;
  showSort();
  document.title = state.query.trim() === '' ? 'Dateline' : `${state.query.trim()} – Dateline`;
  const request = requestOf(state, typing);
  try {
    const response = await ask(request);
    if (response === null) return;
    shown = request;
    keepingFocus(() => showResponse(response));
  } catch (error) {
    keepingFocus(() => showError(error));
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
  statusLine.textContent = totalText(response);
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
          onclick: () => change({ ignored: [...state.ignored, name.id ?? ''] }),
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
    const [kind = '', tag = ''] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
    const dimension = DIMENSIONS.find((candidate) => candidate.name === kind);
    const name = dimension === undefined ? tag : nameOf(dimension.field, tag);
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

function searchFor(query: string): void {
  input.value = query;
  change({ query, ignored: [] });
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
      // A filter that does not exist, from an old address, is no longer in a list where it could be unticked.
      !retry && filterCount(state) > 0 && h('button', { type: 'button', onclick: clearFilters }, 'Lift all filters'),
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
    searchFor(field === undefined || text.includes('"') ? text : `${field}:"${text}"`);
    return;
  }
  const { field } = dimension;
  names[field].set(suggestion.id, suggestion.text ?? suggestion.id);
  input.value = '';
  change({ query: '', ignored: [], [field]: [...new Set([...state[field], suggestion.id])] });
}

const suggestions = new SuggestionList(input, byId<HTMLUListElement>('suggestions'), byId('suggestion-count'), takeSuggestion);

input.addEventListener('input', () => {
  clearTimeout(typingTimer);
  typingTimer = window.setTimeout(() => {
    // What was taken back belonged to other words.
    state = { ...state, query: input.value, ignored: [] };
    // Typing is one step for the back button, however many letters it has.
    history.replaceState(null, '', toAddress(state) || location.pathname);
    void run(true);
  }, TYPING_DELAY_MS);
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  suggestions.hide();
  change(input.value === state.query ? {} : { query: input.value, ignored: [] });
});
sortBox.addEventListener('change', () => change({ sort: sortBox.value as Sort }));
moreButton.addEventListener('click', () => void showMore());
window.addEventListener('popstate', () => {
  state = fromAddress(location.search);
  input.value = state.query;
  void run(false);
});
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
void run(false);
