// What is being looked for, and how it stands in the page's address: ?q=gas&country=IR&country=RU&issue=energy&sort=newest

export type Sort = '' | 'newest' | 'oldest';

export interface State {
  query: string;
  countries: string[];
  issues: string[];
  sort: Sort;
}

const MAX_VALUES = 50;

function values(parameters: URLSearchParams, name: string): string[] {
  return [...new Set(parameters.getAll(name).filter((value) => value !== ''))].slice(0, MAX_VALUES);
}

export function fromAddress(search: string): State {
  const parameters = new URLSearchParams(search);
  const sort = parameters.get('sort');
  return {
    query: parameters.get('q') ?? '',
    countries: values(parameters, 'country'),
    issues: values(parameters, 'issue'),
    sort: sort === 'newest' || sort === 'oldest' ? sort : '',
  };
}

/** The query part of the address, with its `?`; empty for the plain page. */
export function toAddress(state: State): string {
  const parameters = new URLSearchParams();
  if (state.query.trim() !== '') parameters.set('q', state.query);
  for (const country of state.countries) parameters.append('country', country);
  for (const issue of state.issues) parameters.append('issue', issue);
  if (state.sort !== '') parameters.set('sort', state.sort);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** The list with the value put in or taken out. */
export function toggled(list: readonly string[], value: string): string[] {
  return list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
}
