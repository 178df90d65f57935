import style from './browser/portal.browser.css' with { type: 'text' };
import script from './browser/portal.browser.js' with { type: 'text' };

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f6f5e"/><path d="M9 24V12h5a4 4 0 0 1 0 8H9m10 0 5-8m-5 0 5 8" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>';

const files: Record<string, { type: string; text: string }> = {
  '/portal.js': { type: 'text/javascript; charset=utf-8', text: script },
  '/portal.css': { type: 'text/css; charset=utf-8', text: style },
  '/favicon.svg': { type: 'image/svg+xml', text: icon },
};

/** A file the pages refer to, or undefined. */
export function asset(path: string): Response | undefined {
  const file = Object.hasOwn(files, path) ? files[path] : undefined;
  if (!file) return undefined;
  return new Response(file.text, { headers: { 'content-type': file.type, 'cache-control': 'no-cache' } });
}
