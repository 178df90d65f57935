import { configGet } from 'px';

/** One thing that was found. */
export interface Hit {
  title: string;
  url: string;
  /** What stands there, as HTML of the engine: a sentence or two. */
  snippet: string;
  /** When it was published, in the engine's words; empty when it does not say. */
  date: string;
}

/** What is searched for. */
export interface Query {
  words: string;
  /** At most so many results. */
  count: number;
}

/** A search engine: the request it takes and how its answer is read. */
export interface Engine {
  name: string;
  /** Where it is asked. */
  endpoint: string;
  /** Header names and values. */
  headers: Record<string, string>;
  params(query: Query): Record<string, string>;
  /** What is in its answer, whatever that is. */
  read(answer: unknown): Hit[];
  /** What its refusals mean, by HTTP status. */
  means: Record<number, string>;
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(fields) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Brave's web search API; `url` puts another address in its place. */
const brave = (url: string): Engine => ({
  name: 'Brave',
  endpoint: url || 'https://api.search.brave.com/res/v1/web/search',
  headers: { accept: 'application/json', 'X-Subscription-Token': text(configGet('key')) || '{{secret:BRAVE_KEY}}' },
  params: ({ words, count }) => ({ q: words, count: `${count}`, text_decorations: 'false' }),
  read: (answer) =>
    list(fields(fields(answer)['web'])['results']).map((one) => ({
      title: text(one['title']),
      url: text(one['url']),
      snippet: text(one['description']),
      date: text(one['age']) || text(one['page_age']).slice(0, 10),
    })),
  means: {
    401: 'The key is missing or wrong: px secret set BRAVE_KEY',
    422: 'The key or the question is not taken: px secret set BRAVE_KEY',
    429: 'The key has been used too often; wait, or see its plan.',
  },
});

/** A SearXNG server, by the address of its start page. */
const searxng = (url: string): Engine => ({
  name: 'SearXNG',
  endpoint: `${url.replace(/\/+$/, '').replace(/\/search$/, '')}/search`,
  headers: { accept: 'application/json' },
  params: ({ words }) => ({ q: words, format: 'json' }),
  read: (answer) =>
    list(fields(answer)['results']).map((one) => ({
      title: text(one['title']),
      url: text(one['url']),
      snippet: text(one['content']),
      date: text(one['publishedDate']).slice(0, 10),
    })),
  means: {
    403: 'It gives no JSON: add json to search.formats in its settings.yml.',
    429: 'Its limiter stops px: allow this machine in its limiter.toml.',
  },
});

/** The engine the settings name: SearXNG when there is a `url`, else Brave. */
export function engineOf(): Engine {
  const url = text(configGet('url')).trim();
  const name = configGet('engine') ?? (url === '' ? 'brave' : 'searxng');
  if (url !== '' && !/^https?:\/\//i.test(url)) throw wrong('url', url, 'an http or https URL');
  if (name === 'brave') return brave(url);
  if (name !== 'searxng') throw wrong('engine', name, 'brave or searxng');
  if (url === '') throw wrong('url', url, 'the address of the SearXNG server');
  return searxng(url);
}

const wrong = (key: string, value: unknown, expected: string) =>
  new Error(`plugins.web-search.settings.${key} is ${JSON.stringify(value)}; it should be ${expected}`);
