import base from './browser/base.browser.css' with { type: 'text' };
import chatStyle from './browser/chat.browser.css' with { type: 'text' };
import chat from './browser/chat.browser.js' with { type: 'text' };
import live from './browser/live.browser.js' with { type: 'text' };
import markdown from './browser/markdown.browser.js' with { type: 'text' };
import partStyle from './browser/parts.browser.css' with { type: 'text' };
import portal from './browser/portal.browser.js' with { type: 'text' };

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f6b57"/><path d="M9 24V12h5a4 4 0 0 1 0 8H9m10 0 5-8m-5 0 5 8" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>';

const script = 'text/javascript; charset=utf-8';
const files: Record<string, { type: string; text: string }> = {
  '/portal.css': { type: 'text/css; charset=utf-8', text: base + partStyle + chatStyle },
  '/portal.browser.js': { type: script, text: portal },
  '/chat.browser.js': { type: script, text: chat },
  '/live.browser.js': { type: script, text: live },
  '/markdown.browser.js': { type: script, text: markdown },
  '/favicon.svg': { type: 'image/svg+xml', text: icon },
};
const packs = new Map<string, { bytes: Uint8Array<ArrayBuffer>; tag: string }>();

/** A file the pages refer to, compressed once; 304 for a browser that has this very one. Undefined for any other path. */
export function asset(request: Request, url: URL): Response | undefined {
  const file = Object.hasOwn(files, url.pathname) ? files[url.pathname] : undefined;
  if (!file) return undefined;
  const pack = packs.get(url.pathname) ?? {
    bytes: Bun.gzipSync(file.text),
    tag: `"${Bun.hash(file.text).toString(36)}"`,
  };
  packs.set(url.pathname, pack);
  const headers = new Headers({
    'content-type': file.type,
    'cache-control': 'no-cache',
    etag: pack.tag,
    vary: 'accept-encoding',
  });
  if (request.headers.get('if-none-match') === pack.tag) return new Response(null, { status: 304, headers });
  if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return new Response(file.text, { headers });
  headers.set('content-encoding', 'gzip');
  return new Response(pack.bytes, { headers });
}
