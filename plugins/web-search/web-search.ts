/** The tool `web_search`: pages that fit some words, with title, address and what stands there. */
import { HttpError, httpRequest, type Response, type Tool } from 'px';
import { decodeEntities } from '../web-fetch/entities.ts';
import { type Engine, engineOf, type Hit } from './engines.ts';

/** Results when the model does not say how many, and the most it gets. */
const usual = 5;
const most = 20;
/** Characters of a title or address, and of what stands there. */
const maxTitle = 200;
const maxUrl = 500;
const maxSnippet = 400;

export const tools: Tool[] = [
  {
    name: 'web_search',
    description:
      'Searches the web. Returns titles, addresses and snippets; web_fetch reads a page whose host is granted.',
    parameters: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'words to search for' },
        count: { type: 'integer', minimum: 1, maximum: most, description: `most results; ${usual} when left out` },
      },
      required: ['query'],
    },
    run: search,
  },
];

function search({ query, count }: { query?: unknown; count?: unknown }): string {
  const words = typeof query === 'string' ? query.trim().slice(0, 400) : '';
  if (words === '') throw new Error('invalid: there are no words to search for');
  const wanted = typeof count === 'number' ? Math.min(Math.max(Math.floor(count), 1), most) : usual;
  const engine = engineOf();
  const answer = ask(engine, `${engine.endpoint}?${new URLSearchParams(engine.params({ words, count: wanted }))}`);
  const hits = engine.read(answer).filter((hit) => /^https?:\/\//i.test(hit.url));
  if (hits.length === 0) return `${engine.name} found nothing for ${JSON.stringify(words)}.`;
  return hits.slice(0, wanted).map(shown).join('\n\n');
}

function shown(hit: Hit, at: number): string {
  const title = plain(hit.title, maxTitle) || 'without a title';
  const snippet = plain(hit.snippet, maxSnippet);
  const date = plain(hit.date, 40);
  const lines = [`${at + 1}. ${title}${date && ` (${date})`}`, `   ${plain(hit.url, maxUrl)}`];
  return [...lines, ...(snippet ? [`   ${snippet}`] : [])].join('\n');
}

/** One line of text without markup, cut where it is too long. */
function plain(html: string, longest: number): string {
  const line = decodeEntities(html.slice(0, 8 * longest).replace(/<\/?[a-z][^>]*>/gi, ''))
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

/** Asks the engine. Throws an error that says what to do. */
function ask(engine: Engine, url: string): unknown {
  let answer: Response;
  try {
    answer = httpRequest({ url, headers: engine.headers, timeoutMs: 30_000 });
  } catch (e) {
    if (!(e instanceof HttpError)) throw e;
    if (e.kind === 'denied') throw new Error(denial(engine, e.message));
    throw new Error(`${e.kind}: ${engine.name} at ${new URL(url).host} does not answer: ${e.message}`);
  }
  if (answer.status !== 200)
    throw new Error(
      `http ${answer.status}: ${engine.name} refused. ${engine.means[answer.status] ?? 'Try again later.'}`,
    );
  try {
    return answer.json();
  } catch {
    throw new Error(`${engine.name} at ${new URL(url).host} answered no JSON. ${engine.means[403] ?? ''}`.trim());
  }
}

/** What the model is told, and can tell the person: the very command that would allow it. */
function denial({ name, endpoint }: Engine, reason: string): string {
  const { host, hostname, protocol, port } = new URL(endpoint);
  const said = `denied: ${name} at ${host} may not be asked`;
  const allow = (key: string, value: string) =>
    `${said}. The person can allow it: px config set plugins.web-search.grants.${key} '["${value}"]'`;
  if (/secret|BRAVE_KEY/.test(reason) || (name === 'Brave' && hostname === 'api.search.brave.com'))
    return `${said}: ${reason}. The person can set it up: px secret set BRAVE_KEY, then px plugin grant web-search --all`;
  if (reason.startsWith('no egress rule')) return allow('egress', `GET ${endpoint}`);
  if (reason.includes('private_hosts'))
    return allow('private_hosts', `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`);
  return `${said}: ${reason}`;
}
