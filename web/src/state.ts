// What is being looked for, and how it stands in the page's address:
// ?q=gas&country=IR&country=RU&issue=energy&group=eu&sort=newest; &ignore=country:IR takes Iran in `q` for a mere word

export type TagField = 'countries' | 'issues' | 'groups';

export interface Dimension {
  field: TagField;
  /** The parameter of the page's address, the class of its tags, and what one of them is called. */
  name: 'country' | 'issue' | 'group';
  /** The heading of its filters. */
  title: string;
  /** The field in selections and facets. */
  wire: string;
  /** Where a label has the id. */
  key: 'regionCode' | 'issueId' | 'groupId';
  /** The kind of suggestions that are such tags. */
  suggestion: string;
}

/** What articles are tagged by, in the order in which it is shown. */
export const DIMENSIONS: readonly Dimension[] = [
  {
    field: 'countries', name: 'country', title: 'Countries', wire: 'region_code', key: 'regionCode',
    suggestion: 'SUGGESTION_KIND_REGION',
  },
  {
    field: 'issues', name: 'issue', title: 'Issues', wire: 'issue_id', key: 'issueId',
    suggestion: 'SUGGESTION_KIND_ISSUE',
  },
  {
    field: 'groups', name: 'group', title: 'Groups and regions', wire: 'group_id', key: 'groupId',
    suggestion: 'SUGGESTION_KIND_GROUP',
  },
];

export type Sort = '' | 'newest' | 'oldest';

export interface State extends Record<TagField, string[]> {
  query: string;
  /** Empty: as the service orders by itself. */
  sort: Sort;
  /** Names in the query that are to count as words only, as the service calls them. */
  ignored: string[];
}

const MAX_VALUES = 50;

function values(parameters: URLSearchParams, name: string): string[] {
  return [...new Set(parameters.getAll(name).filter((value) => value !== ''))].slice(0, MAX_VALUES);
}

export function fromAddress(search: string): State {
  const parameters = new URLSearchParams(search);
  const sort = parameters.get('sort');
  const state: State = {
    query: parameters.get('q') ?? '',
    countries: [],
    issues: [],
    groups: [],
    sort: sort === 'newest' || sort === 'oldest' ? sort : '',
    ignored: values(parameters, 'ignore'),
  };
  for (const { field, name } of DIMENSIONS) state[field] = values(parameters, name);
  return state;
}

/** The query part of the address, with its `?`; empty for the plain page. */
export function toAddress(state: State): string {
  const parameters = new URLSearchParams();
  if (state.query.trim() !== '') parameters.set('q', state.query.trim());
  for (const { field, name } of DIMENSIONS) {
    for (const value of state[field]) parameters.append(name, value);
  }
  if (state.sort !== '') parameters.set('sort', state.sort);
  for (const id of state.ignored) parameters.append('ignore', id);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** How many filters are set. */
export function filterCount(state: State): number {
  return DIMENSIONS.reduce((sum, { field }) => sum + state[field].length, 0);
}

/**
 * The orders that can be chosen, with their names, the default first. Without words there is nothing to be relevant
 * to, and the service gives the newest first by itself.
 */
export function sortChoices(query: string): { value: Sort; text: string }[] {
  const oldest = { value: 'oldest', text: 'oldest first' } as const;
  return query.trim() === ''
    ? [{ value: '', text: 'newest first' }, oldest]
    : [{ value: '', text: 'relevance' }, { value: 'newest', text: 'newest first' }, oldest];
}

/** The list with the value put in or taken out. */
export function toggled(list: readonly string[], value: string): string[] {
  return list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
}

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Whether the words of the name stand in the query side by side; case and accents count for nothing. */
export function hasName(query: string, name: string): boolean {
  const spaced = (text: string) => {
    const words = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/[^\p{L}\p{N}]+/u);
    return ` ${words.filter((word) => word !== '').join(' ')} `;
  };
  const words = spaced(name);
  if (words.trim() === '') return false;
  return spaced(query).includes(UNSPACED.test(name) ? words.trim() : words);
}
