// Calls of SearchService by Connect's GET, and the parts of its messages that the page reads. Fields that hold their
// default are absent from the JSON.
import type { ByteRange } from './utf8';

export interface Evidence {
  text?: string;
  kind?: string;
  weight?: number;
  setAside?: string;
  span?: { field?: string; start?: number; end?: number };
}

export interface Label {
  regionCode?: string;
  groupId?: string;
  issueId?: string;
  score?: number;
  source?: string;
  state?: string;
  primary?: boolean;
  modelVersion?: string;
  displayName?: string;
  evidence?: Evidence[];
}

export interface Article {
  id?: string;
  url?: string;
  title?: string;
  body?: string;
  summary?: string;
  authors?: string[];
  source?: string;
  publishTime?: string;
  publishTimePrecision?: string;
  languageCode?: string;
  labels?: Label[];
  labelState?: string;
}

export interface Snippet {
  field?: string;
  text?: string;
  ranges?: ByteRange[];
}

export interface Hit {
  article?: Article;
  snippets?: Snippet[];
  collapsedCount?: number;
  alternates?: Article[];
}

/** A country, group or issue that the words of a query name. */
export interface RecognizedName {
  regionCode?: string;
  groupId?: string;
  issueId?: string;
  /** Given back in `ignoredInterpretations`, it is a word like any other. */
  id?: string;
  text?: string;
  reason?: string;
  action?: string;
  displayName?: string;
}

export interface FacetValue {
  id?: string;
  displayName?: string;
  count?: number;
  selected?: boolean;
}

export interface Facet {
  field?: string;
  values?: FacetValue[];
  otherCount?: number;
}

export interface SearchResponse {
  hits?: Hit[];
  nextPageToken?: string;
  total?: { value?: number; relation?: string };
  facets?: Facet[];
  interpretation?: { recognized?: RecognizedName[]; correctedQuery?: string; notes?: string[] };
  degraded?: { reason?: string; message?: string }[];
  timing?: { totalMs?: number };
}

export interface SearchRequest {
  query?: string;
  matchMode?: string;
  selections?: { field: string; values: string[] }[];
  orderBy?: string;
  pageSize?: number;
  pageToken?: string;
  facets?: { field: string; limit: number }[];
  snippet?: { maxBytes?: number; maxSnippets?: number };
  collapse?: { kind: string; maxAlternates: number };
  ignoredInterpretations?: string[];
  view?: string;
}

export interface Suggestion {
  text?: string;
  kind?: string;
  id?: string;
  count?: number;
  ranges?: ByteRange[];
}

/** What a failed call says. `code` is one of Connect's; `network` and `timeout` are this page's own. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly reason = '',
    /** The fields of the request that are wrong, as `selections[0].values[1]`. */
    readonly fields: readonly string[] = [],
  ) {
    super(message);
  }
}

interface ErrorDetail {
  type?: string;
  debug?: { reason?: string; fieldViolations?: { field?: string }[] };
}

const CALL_TIMEOUT_MS = 15_000;

function errorOf(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'code' in body) {
    const error = body as { code: string; message?: string; details?: ErrorDetail[] };
    const detail = (type: string) => error.details?.find((one) => one.type === type)?.debug;
    const fields = detail('google.rpc.BadRequest')?.fieldViolations?.map(({ field }) => field ?? '');
    return new ApiError(error.code, error.message ?? '', detail('google.rpc.ErrorInfo')?.reason, fields);
  }
  return new ApiError(status === 404 ? 'unimplemented' : 'unavailable', `HTTP status ${status}`);
}

async function call<T>(method: string, request: object, signal: AbortSignal): Promise<T> {
  const query = new URLSearchParams({ connect: 'v1', encoding: 'json', message: JSON.stringify(request) });
  const own = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    own.abort();
  }, CALL_TIMEOUT_MS);
  const forward = () => own.abort();
  signal.addEventListener('abort', forward);
  if (signal.aborted) own.abort();
  try {
    const response = await fetch(`./dateline.search.v1.SearchService/${method}?${query}`, { signal: own.signal });
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorOf(response.status, body);
    return (body ?? {}) as T;
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw timedOut ? new ApiError('timeout', 'no answer in time') : new ApiError('network', String(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

export function search(request: SearchRequest, signal: AbortSignal): Promise<SearchResponse> {
  return call<SearchResponse>('Search', request, signal);
}

export async function suggest(query: string, signal: AbortSignal): Promise<Suggestion[]> {
  const response = await call<{ suggestions?: Suggestion[] }>('Suggest', { query, pageSize: 8 }, signal);
  return response.suggestions ?? [];
}

export async function getArticle(id: string, signal: AbortSignal): Promise<Article> {
  const response = await call<{ article?: Article }>('GetArticle', { id, view: 'ARTICLE_VIEW_FULL' }, signal);
  return response.article ?? {};
}
