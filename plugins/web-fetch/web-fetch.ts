/** The tool `web_fetch`: a page as text a model can read. */
import { HttpError, httpRequest, type Response, type Tool } from 'px';
import { readPage } from './html.ts';

/** Characters of text handed to the model when it does not say how many. */
const usual = 20_000;
const most = 100_000;
/** Characters of HTML that are looked at. */
const maxHtml = 2_000_000;

export const tools: Tool[] = [
  {
    name: 'web_fetch',
    description:
      'Reads one web page or text file and returns its title and readable text as Markdown. Only hosts the person has granted can be read.',
    parameters: {
      type: 'object',
      properties: {
        url: { type: 'string', description: 'http or https URL' },
        max_chars: {
          type: 'integer',
          minimum: 100,
          maximum: most,
          description: `longest answer; ${usual} when left out`,
        },
      },
      required: ['url'],
    },
    run: fetchPage,
  },
];

function fetchPage({ url, max_chars }: { url?: unknown; max_chars?: unknown }): string {
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:\/\//i.test(url))
    throw new Error(`invalid: ${JSON.stringify(url)} is not an http or https URL`);
  const limit = typeof max_chars === 'number' ? Math.min(Math.max(Math.floor(max_chars), 100), most) : usual;
  const answer = get(url);
  const { title, text } = readable(answer, url);
  const cut = text.length > limit;
  const shown = cut ? text.slice(0, limit).replace(/[\ud800-\udbff]$/, '') : text;
  const end = cut ? `\n\n[cut: ${limit} of ${text.length} characters]` : '';
  return `${title ? `# ${title}\n` : ''}${url}\n\n${shown}${end}`;
}

function get(url: string): Response {
  let answer: Response;
  try {
    answer = httpRequest({
      url,
      headers: {
        accept: 'text/html,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.1',
        'accept-language': 'en, *;q=0.5',
      },
      timeoutMs: 30_000,
    });
  } catch (e) {
    if (e instanceof HttpError && e.kind === 'denied') throw new Error(denial(url, e.message));
    throw e instanceof HttpError ? new Error(`${e.kind}: ${e.message}`) : e;
  }
  if (answer.status >= 400)
    throw new Error(`http ${answer.status}: ${new URL(url).host} has no such page or does not give it`);
  return answer;
}

/** What the model is told, and can tell the person: the very line that would allow it. */
function denial(url: string, reason: string): string {
  const { host, origin } = new URL(url);
  if (!reason.startsWith('no egress rule')) return `denied: ${url} may not be read: ${reason}`;
  return `denied: ${host} is not granted. The person can allow it in px.yaml, under plugins.web-fetch.grants.egress: ["GET ${origin}/"]`;
}

function readable(answer: Response, url: string): { title: string; text: string } {
  const type = answer.header('content-type') ?? '';
  const start = String.fromCharCode(...answer.body.subarray(0, 1024));
  const html = /html/i.test(type) || (!type && /<(!doctype html|html|body)/i.test(start));
  if (!html && type && !/^text\/|json|xml|javascript|yaml/i.test(type))
    throw new Error(`unreadable: ${type.split(';')[0]} is no text`);
  const charset =
    /charset=["']?([\w-]+)/i.exec(type)?.[1] ??
    (html ? /<meta[^>]+charset=["']?([\w-]+)/i.exec(start)?.[1] : undefined);
  const text = decode(answer.body, charset);
  return html ? readPage(text.slice(0, maxHtml), (href) => absolute(href, url)) : { title: '', text: text.trim() };
}

function decode(body: Uint8Array, charset = 'utf-8'): string {
  if (!/^(iso-8859-|windows-1252|latin1|us-ascii)/i.test(charset)) return new TextDecoder().decode(body);
  let out = '';
  for (let i = 0; i < body.length; i += 4096) out += String.fromCharCode(...body.subarray(i, i + 4096));
  return out;
}

function absolute(href: string, base: string): string | undefined {
  return URL.canParse(href, base) ? new URL(href, base).href : undefined;
}
